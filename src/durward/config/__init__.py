"""Typed settings: defaults from cards, then durward.toml, then conf.d; list files; where each value came from."""
