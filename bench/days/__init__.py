"""A day of one host in its own logs, who was an attacker in it, and what durward makes of that: see __main__.py."""
