"""How we tell people: one card and its code per channel. To add one: write `NAME.toml` and `NAME.py`."""
