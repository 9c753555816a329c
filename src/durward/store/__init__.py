"""SQLite: what durward remembers. `Store` holds the one connection; one module for each question asked of it."""
