"""Signed decisions between hosts."""
