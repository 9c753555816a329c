"""fail2ban's durations: `600`, `10m`, `1d 2h 30m`, `-1` for ever."""

import re

from durward.fail2ban.failure import Fail2banError
from durward.model import FOREVER

DAY_SECONDS = 86400.0
# fail2ban takes years of 365.25 days, and months of a twelfth of that.
UNITS = (
    (("s", "ss", "sec", "second", "seconds"), 1.0),
    (("m", "mm", "min", "minute", "minutes"), 60.0),
    (("h", "hh", "hour", "hours"), 3600.0),
    (("d", "dd", "day", "days"), DAY_SECONDS),
    (("w", "ww", "week", "weeks"), 7 * DAY_SECONDS),
    (("mo", "mon", "month", "months"), 365.25 * DAY_SECONDS / 12),
    (("y", "yy", "year", "years"), 365.25 * DAY_SECONDS),
)
SECONDS = {name: seconds for names, seconds in UNITS for name in names}
PART = re.compile(r"\s*(\d{1,12}(?:\.\d{1,6})?)\s*([a-z]*)\s*")


def seconds_of(text: str) -> float:
    """Give the seconds; FOREVER for anything below zero. Raises Fail2banError."""
    text = text.strip().lower()
    if re.fullmatch(r"-\d{1,12}", text):
        return FOREVER
    total, place = 0.0, 0
    while place < len(text):
        match = PART.match(text, place)
        if match is None or (match[2] and match[2] not in SECONDS):
            raise Fail2banError(f"{text!r} is no duration")
        total += float(match[1]) * SECONDS.get(match[2], 1.0)
        place = match.end()
    if not text:
        raise Fail2banError("a duration was expected")
    return total
