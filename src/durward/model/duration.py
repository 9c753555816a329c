"""Durations as people write them: `90s 10m 1h 7d` or `forever`."""

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
FOREVER = float("inf")  # seconds; what `forever` means
SECONDS_MAX = 100 * 365 * 86400
DIGITS_MAX = 10  # as many as SECONDS_MAX has


class InvalidDurationError(ValueError):
    """A text that is no duration; the message says what was expected."""


def parse_duration(text: str) -> float:
    """Give the seconds that `text` stands for; FOREVER for `forever`. Raises InvalidDurationError."""
    if text == "forever":
        return FOREVER
    digits, unit = text[:-1], text[-1:]
    known = digits.isascii() and digits.isdigit() and len(digits) <= DIGITS_MAX and unit in UNITS
    if not known or int(digits) * UNITS[unit] > SECONDS_MAX:
        raise InvalidDurationError(f"{text!r} is not a duration; 90s, 10m, 1h, 7d or forever was expected")
    return float(int(digits) * UNITS[unit])


def text_of(seconds: float) -> str:
    """Write a duration the way `parse_duration` reads it, in the largest unit that is exact."""
    if seconds == FOREVER:
        return "forever"
    whole = round(seconds)
    for unit in ("d", "h", "m"):
        if whole and whole % UNITS[unit] == 0:
            return f"{whole // UNITS[unit]}{unit}"
    return f"{whole}s"
