"""One folder per control panel. To add one: write `NAME/panel.toml` and, where data cannot say it, `NAME/panel.py`."""
