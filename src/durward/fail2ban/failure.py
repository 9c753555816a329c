"""Fail2banError: fail2ban's configuration, or a part of it, that cannot be read."""


class Fail2banError(ValueError):
    """The message says what, and where it stands."""
