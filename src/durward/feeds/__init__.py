"""One card per public block list or country source. To add one: write `NAME.toml`."""
