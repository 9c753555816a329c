"""Calendar: reads the time stamps that logs carry, and supplies what they leave out: the year and the time zone."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

STAMPS_MAX = 4096  # stamps remembered; all are forgotten beyond that. Lines of the same second share one
FRACTION_ENDS = (b"+", b"-", b"Z")  # what follows six digits of a second
YEARS_BACK = 9  # 29 February comes at least this often
DAY_SECONDS = 86400
HOUR_SECONDS = 3600
SECONDS = tuple(b"%02d" % second for second in range(60))
MONTHS = {name: number for number, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
MONTH = rb"(?P<month>[A-Za-z][a-z][a-z])"
CLOCK = rb"(?P<hour>\d{1,2}):(?P<minute>\d\d):(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?"
HALF = rb"(?: (?P<half>[AP])M)?"
ZONE = rb"(?: ?(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d))?"
UNIVERSAL = (b"Z", b"UTC", b"GMT")
SHAPES = tuple(
    re.compile(shape)
    for shape in (
        MONTH + rb" {1,2}(?P<day>\d{1,2}) (?:(?P<year>\d{4}) )?" + CLOCK,  # Nov 23 08:10:00
        rb"(?P<year>\d{4})[-/.:](?P<number>\d\d)[-/.:](?P<day>\d\d)(?:[T-]| {1,2})"
        + CLOCK
        + ZONE,  # ISO 8601, RFC 5424, nginx
        rb"(?P<day>\d\d)[/-]" + MONTH + rb"\.?[/-](?P<year>\d{4})[: ]" + CLOCK + ZONE,  # 23/Nov/2026:08:10:00 +0000
        rb"(?P<day>\d{1,2})(?P<sign>[-/.])(?P<number>\d{1,2})[-/.](?P<year>\d{4})(?: - |, |[-: ])"
        + CLOCK
        + HALF
        + ZONE,
        rb"[A-Z][a-z][a-z], (?P<day>\d{1,2}) " + MONTH + rb" (?P<year>\d{4}) " + CLOCK + ZONE,  # RFC 5322
        rb"(?P<short_year>\d\d)(?P<number>\d\d)(?P<day>\d\d) {1,2}" + CLOCK,  # 261123  8:10:00, as MySQL wrote
        rb"[A-Z][a-z][a-z] " + MONTH + rb" {1,2}(?P<day>\d{1,2}) " + CLOCK + rb" (?P<year>\d{4})",  # Apache's errors
        rb"(?P<year>\d{4})(?P<number>\d\d)(?P<day>\d\d)[-T ]" + CLOCK + ZONE,  # 20261123-08:10:00
        rb"(?P<number>\d\d)[-/](?P<day>\d\d)[-T ]" + CLOCK,  # 11-23 08:10:00
        rb"(?P<zone>[A-Z]{3,5}) " + MONTH + rb" {1,2}(?P<day>\d{1,2}) " + CLOCK,  # UTC Nov 23 08:10:00, as Monit writes
        MONTH + rb"-(?P<day>\d\d)-(?P<short_year>\d\d) " + CLOCK,  # Nov-23-26 08:10:00
        MONTH + rb"[a-z]{0,6} (?P<day>\d{1,2}), (?P<year>\d{4}),? " + CLOCK + HALF,  # Nov 23, 2026 8:10:00 AM
        CLOCK,  # of today, or of yesterday
    )
)
EPOCH = re.compile(rb"(\d{9,10})(?:\.(\d{1,9})\d*|(\d{3}))?")
TAI = re.compile(rb"@40000000([0-9a-f]{8})[0-9a-f]{8}")
TAI_AHEAD_SECONDS = 10  # as multilog writes them: TAI without leap seconds


@dataclass(frozen=True, slots=True)
class Calendar:
    """`reference` is the epoch time that no stamp without a year is later than, by more than a day.

    `utc_offset_seconds` is how far the clock of stamps without a zone is ahead of UTC.
    """

    reference: float
    utc_offset_seconds: int = 0
    known: dict[bytes, float] = field(default_factory=dict, repr=False, compare=False)

    def times(self, stamps: Sequence[bytes], otherwise: float) -> list[float]:
        """Read many stamps: epoch seconds, `otherwise` for each that cannot be read.

        Lines of the same second share the work, whether they carry a fraction of it (microseconds, as rsyslog writes
        them) or not.
        """
        known = self.known
        try:
            if stamps and stamps[0][19:20] == b".":
                return [known[stamp[:20] + stamp[26:]] + int(stamp[20:26]) / 1e6 for stamp in stamps]
            return list(map(known.__getitem__, stamps))
        except (KeyError, ValueError):
            found = {stamp: self._learned(stamp) for stamp in {*stamps}}
            return [otherwise if (at := found[stamp]) is None else at for stamp in stamps]

    def _learned(self, stamp: bytes) -> float | None:
        """The time of a stamp; without its fraction, if it has six digits of one, it is remembered."""
        fraction, rest = stamp[20:26], stamp[26:]
        if stamp[19:20] != b"." or not fraction.isdigit() or rest[:1] not in FRACTION_ENDS:
            return self._remembered(stamp, stamp)
        at = self._remembered(stamp[:20] + rest, stamp[:19] + rest)
        return None if at is None else at + int(fraction) / 1e6

    def _remembered(self, name: bytes, stamp: bytes) -> float | None:
        if name not in self.known:
            if len(self.known) > STAMPS_MAX - len(SECONDS):
                self.known.clear()
            self._learn(name, stamp)
        return self.known.get(name)

    def _learn(self, name: bytes, stamp: bytes) -> None:
        """Remember the time of a stamp under its name, and those of its whole minute: reading each takes longer."""
        place = 17 if stamp[16:17] == b":" else 13
        start, second, rest = stamp[:place], stamp[place : place + 2], stamp[place + 2 :]
        if start.endswith(b":") and second in SECONDS:
            first, last = self.time(start + SECONDS[0] + rest), self.time(start + SECONDS[-1] + rest)
            if first is not None and last is not None and last - first == len(SECONDS) - 1:
                end = name[place + 2 :]
                self.known.update({start + written + end: first + number for number, written in enumerate(SECONDS)})
                return
        if (at := self.time(stamp)) is not None:
            self.known[name] = at

    def time(self, stamp: bytes) -> float | None:
        """Read one stamp, with or without square brackets around it: epoch seconds, or None."""
        stamp = stamp.strip(b"[] ")
        if epoch := EPOCH.fullmatch(stamp):
            return float(epoch[1] + b"." + (epoch[2] or epoch[3] or b"0"))
        if tai := TAI.fullmatch(stamp):
            return float(int(tai[1], 16) - TAI_AHEAD_SECONDS)
        for shape in SHAPES:
            if match := shape.fullmatch(stamp):
                return self._date(match.groupdict())
        return None

    def _date(self, parts: dict[str, bytes | None]) -> float | None:
        """The latest day that a stamp can mean and that is not in the future; a sure one wherever it is."""
        seconds = _seconds(parts)
        if seconds is None:
            return None
        offset = self._offset_seconds(parts.get("zone"))
        sure = bool(parts.get("year") or parts.get("short_year")) and parts.get("sign") != b"/"
        latest = self.reference + (DAY_SECONDS if "day" in parts else HOUR_SECONDS)
        possible: list[float] = []
        for year, month, day in self._days(parts):
            try:
                possible.append(datetime(year, month, day, tzinfo=UTC).timestamp() - offset + seconds)
            except ValueError:
                continue
            if sure:
                return possible[-1]
        past = [at for at in possible if at <= latest]
        return max(past, default=min(possible, default=None) if parts.get("year") else None)

    def _days(self, parts: dict[str, bytes | None]) -> Iterable[tuple[int, int, int]]:
        """The days that a stamp can mean: year, month and day, which need not exist."""
        if "day" not in parts:
            today = datetime.fromtimestamp(self.reference, timezone(timedelta(seconds=self.utc_offset_seconds)))
            days = (today + timedelta(days=more) for more in (-1, 0, 1))
            return [(day.year, day.month, day.day) for day in days]
        month = MONTHS.get((parts["month"] or b"").title(), 0) if "month" in parts else int(parts["number"] or 0)
        day = int(parts["day"] or 0)
        written = parts.get("year") or (parts.get("short_year") and b"20" + (parts["short_year"] or b""))
        orders = [(month, day), (day, month)] if "sign" in parts else [(month, day)]  # some write the month first
        return [(year, *order) for year in self._years(written) for order in orders]

    def _offset_seconds(self, zone: bytes | None) -> int:
        """How far a zone is ahead of UTC; one with a name is that of the calendar."""
        if zone in UNIVERSAL:
            return 0
        if zone is None or zone.isalpha():
            return self.utc_offset_seconds
        return (int(zone[1:3]) * 3600 + int(zone[-2:]) * 60) * (-1 if zone.startswith(b"-") else 1)

    def _years(self, written: bytes | None) -> Iterable[int]:
        if written:
            return (int(written),)
        zone = timezone(timedelta(seconds=self.utc_offset_seconds))
        this_year = datetime.fromtimestamp(self.reference, zone).year
        return range(this_year + 1, this_year - YEARS_BACK, -1)


def _seconds(parts: dict[str, bytes | None]) -> float | None:
    """How long after midnight a stamp is; None if there is no such time. A leap second is that after it."""
    hour, minute, second = (int(parts[name] or 0) for name in ("hour", "minute", "second"))
    if half := parts.get("half"):
        hour = hour % 12 + (12 if half == b"P" else 0)
    if hour > 23 or minute > 59 or second > 60:
        return None
    return hour * 3600 + minute * 60 + second + float(b"0." + (parts["fraction"] or b"0"))
