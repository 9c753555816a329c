"""Bytes in, events out, at the speed of memory. Pure: no clock, no files."""
