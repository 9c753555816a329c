"""Loads a shelf: its cards, the code beside them, their settings and their examples."""
