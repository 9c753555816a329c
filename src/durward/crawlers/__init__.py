"""Crawlers of search engines, one card each: how their visits are told from those of whoever only says so.

To add one: a file NAME.toml with `title` and `names` (suffixes that their confirmed names have), and a pattern
`crawler.claimed` with `about = "NAME"` in services/web.toml. Where they are known: `others` (names of theirs that
anybody can send through: no impostor, and not exempt), and `networks` with `source` and `as_of`. `confirms = false`:
some of its names lead nowhere. A site's own cards lie in /etc/durward/crawlers/.
"""
