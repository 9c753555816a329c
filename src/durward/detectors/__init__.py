"""One card and its code per way of misbehaving.

To add one: write `NAME.toml` (title, why, settings with defaults and CSF names, stories) and `NAME.py` with a
class `Detector`. The settings become the configuration, the stories the tests, the card the documentation page.
A detector is pure: it sees events and the time they carry, and gives incidents.
"""
