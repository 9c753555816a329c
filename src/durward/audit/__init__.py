"""Holds facts against checks. Pure."""
