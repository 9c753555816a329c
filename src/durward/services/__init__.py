"""One card per service that writes logs.

To add one: write `NAME.toml` with `title`, `[reads]`, `[[pattern]]`s with holes and examples, and `[[ignored]]` lines.
Nothing else changes: the examples are its tests, `durward scan` knows it, every detector hears it, the docs list it.
A site's own cards go to `/etc/durward/services/`.
"""
