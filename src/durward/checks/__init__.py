"""One card per security check. To add one: write `NAME.toml`; code beside it only if a comparison cannot say it."""
