"""Proxies and CDNs that ask for others: a card each, with the networks that they ask from."""
