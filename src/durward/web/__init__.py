"""The user interface and its API."""
