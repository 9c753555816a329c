"""A web application firewall refuses requests of one source: by many rules on many pages, or by one that may be wrong.

Every rule is wrong about somebody: a cookie with an odd value is refused on each page of a shop, and an editor who
writes of SQL is refused by five rules on one page. Only who attacks is refused by several kinds of rules on several
pages. So a block needs `distinct` of both. A card of 1 is content with any `count` refusals; its reason names the rule.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from durward.engine.policy import DetectorPolicy, Threshold
from durward.engine.recollection import seconds_of
from durward.engine.room import Room
from durward.engine.spans import span
from durward.engine.tallies import Tally
from durward.engine.windows import Window
from durward.model import Event, Incident, Subject

NAMED_MAX = 5  # rules that a reason names; more are not told apart unless `distinct` is larger
SUM = re.compile(r"9(?:49|59|80)\d{3}")  # rules of the Core Rule Set that only add up what the others found
KIND = re.compile(r"(9\d\d)\d{3}")  # its rules begin alike where they look for the same kind of attack
PAGE = re.compile(rb'\[uri "([^"]{0,255})')
# What nginx writes behind it is the name that was asked for; ModSecurity 3 knows no more than the server's address.
HOST = re.compile(rb'(?:.*, host: |.*?\[hostname )"([A-Za-z0-9.:_-]{1,255})"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Refusals:
    """What was refused lately by one service, of all subjects."""

    hits: Window
    rules: Tally
    kinds: Tally
    pages: Tally

    @classmethod
    def within(cls, threshold: Threshold) -> "Refusals":
        """None yet, to be counted as `threshold` says."""
        seconds, most = threshold.within_seconds, max(threshold.distinct, NAMED_MAX)
        tallies = (Tally(seconds, most) for _ in range(3))
        return cls(Window(seconds, threshold.count), *tallies)

    def forget(self, subject: Subject) -> None:
        """Begin again at nothing for `subject`."""
        for one in (self.hits, self.rules, self.kinds, self.pages):
            one.forget(subject.value)

    def expire(self, now: float) -> None:
        """Let go of what is too old. `now` is epoch seconds."""
        for one in (self.hits, self.rules, self.kinds, self.pages):
            one.expire(now)


class Detector:
    """Counts refused requests of each subject per service, and by how many rules and on how many pages they were."""

    def __init__(self, detector: str, policy: DetectorPolicy, room: Room) -> None:
        self._detector = detector
        self._policy = policy
        self._room = room
        self._refusals: dict[str, Refusals] = {}  # by service

    def feed(self, event: Event, subject: Subject | None, at: float) -> Sequence[Incident]:
        """Note the rule that `event` tells of, and count it if it was refused; give the incident that it makes.

        A rule that matched and refused nothing by itself has no hits: it only tells what the next refusal is for.
        """
        if subject is None:
            return ()
        threshold = self._policy.threshold(event.service)
        seen = self._refusals.get(event.service)
        if seen is None:
            seen = self._refusals[event.service] = Refusals.within(threshold)
        kinds = 0
        if event.about and not SUM.fullmatch(event.about):
            seen.rules.add(subject.value, event.about, at)
            kinds = seen.kinds.add(subject.value, KIND.sub(r"\1", event.about), at)
        if event.hits <= 0:
            return ()
        pages = seen.pages.add(subject.value, _found(PAGE, event), at)
        many = seen.hits.add(subject.value, self._room.recollection.mark(event, at), event.hits) >= threshold.count
        varied = (
            threshold.distinct <= 1 or min(kinds or len(seen.kinds.values(subject.value)), pages) >= threshold.distinct
        )
        if not (many and varied):
            return ()
        incident = self._incident(event, subject, seen, threshold)
        seen.forget(subject)
        return (incident,)

    def forget(self, subject: Subject) -> None:
        """Begin again at nothing for `subject`, in every service."""
        for seen in self._refusals.values():
            seen.forget(subject)

    def tick(self, now: float) -> Sequence[Incident]:
        """Let go of subjects whose refusals are all too old to matter."""
        for seen in self._refusals.values():
            seen.expire(now)
        return ()

    def nearest(self, subject: Subject) -> tuple[int, int]:
        """The refusals of `subject` by the service where it is nearest to a block, and that one's threshold.

        Whoever lacks nothing but other rules and pages is one refusal from it.
        """
        thresholds = [(seen, self._policy.threshold(service).count) for service, seen in self._refusals.items()]
        counts = [(min(len(seen.hits.marks(subject.value)), count - 1), count) for seen, count in thresholds]
        return max(counts, key=lambda count: count[0] / (count[1] or 1), default=(0, self._policy.default.count))

    def _incident(self, event: Event, subject: Subject, seen: Refusals, threshold: Threshold) -> Incident:
        marks = seen.hits.marks(subject.value)
        first_at, last_at = seconds_of(marks[0]), seconds_of(marks[-1])
        rules = seen.rules.values(subject.value)
        by = f"{len(marks)} requests refused by {threshold.name or event.service} in {span(last_at - first_at)}"
        return Incident(
            detector=self._detector,
            service=event.service,
            subject=subject,
            first_at=first_at,
            last_at=last_at,
            count=len(marks),
            threshold=threshold.count,
            within_seconds=threshold.within_seconds,
            evidence=self._room.recollection.evidence(marks, subject),
            reason=f"{by}{_because(rules, _found(HOST, event))}",
            familiar=self._room.familiar.is_familiar(subject, last_at),
        )


def _because(rules: Sequence[str], host: str) -> str:
    """By which rules; and where it was a single one, that this one is a suspect."""
    if not rules:
        return ""
    if len(rules) > 1:
        return f", by the rules {', '.join(rules[-NAMED_MAX:])}"
    where = f" on {host}" if host else ""
    return f", all by rule {rules[0]}{where}: that rule may be wrong about an honest visitor"


def _found(form: re.Pattern[bytes], event: Event) -> str:
    """What the line of a refused request says of it; nothing where it does not, or where it is too long to be kept."""
    match = form.search(event.line)
    return match[1].decode("utf-8", "backslashreplace") if match else ""
