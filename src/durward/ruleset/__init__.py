"""Policy in, nftables text and set elements out. Pure."""
