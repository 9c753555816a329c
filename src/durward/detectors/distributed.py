"""Many addresses work on one account: each has few tries, all together have too many.

Whoever logs in well to that account is its owner, and is left alone: from where he always does, and wherever he came in
after he had mistyped.
"""

from collections.abc import Sequence

from durward.engine.oldest import forget_oldest
from durward.engine.policy import DetectorPolicy, Threshold
from durward.engine.recollection import seconds_of
from durward.engine.room import Room
from durward.engine.spans import span
from durward.model import Event, Incident, Subject

ACCOUNTS_MAX = 30_000  # watched at once; beyond it those that were tried first are forgotten
TRIES_MAX = 1000  # of one account are kept; beyond it the addresses that came first are forgotten
BATCH_MAX = 200  # addresses that are accused at once; the others go on and are accused by the next try
ONE_TRY_MAX = 600  # addresses in a minute that are accused for one try; then two are asked for, until the next minute
MINUTE_SECONDS = 60
SIFT_SECONDS = 10.0  # after which all tries on an account under attack are looked at again, however many there are
SIFT_SHARE = 4  # or sooner, when one in so many is new; in between, the new one alone is looked at

Account = tuple[str, str]  # a service and an account
Lone = tuple[str, int]  # the source and the mark of an account's only try: a spray makes a million of them


class Tries:
    """The tries on one account: the marks of each source, how many there are in all, and whether they were too many.

    `sifted_at` is when all of them were last looked at, `first_at` when the first of those was made, `fresh` how many
    came since.
    """

    __slots__ = ("alarmed", "by_source", "count", "first_at", "fresh", "sifted_at")

    def __init__(self) -> None:
        self.by_source: dict[str, list[int]] = {}
        self.count = self.fresh = 0
        self.alarmed = False
        self.first_at = self.sifted_at = 0.0

    def add(self, source: str, mark: int) -> int:
        """Note a try; give how many there are of its source."""
        marks = self.by_source.setdefault(source, [])
        marks.append(mark)
        self.count += 1
        self.fresh += 1
        if self.count > TRIES_MAX:
            self.count -= sum(len(gone) for _, gone in forget_oldest(self.by_source))
        return len(marks)

    def let_go(self, before: float) -> None:
        """Forget the tries before then (epoch seconds)."""
        for source, marks in list(self.by_source.items()):
            marks[:] = [mark for mark in marks if seconds_of(mark) > before]
            if not marks:
                del self.by_source[source]
        self.count = sum(map(len, self.by_source.values()))
        self.first_at = min((seconds_of(mark) for marks in self.by_source.values() for mark in marks), default=0.0)

    def drop(self, source: str) -> None:
        """Forget a source."""
        self.count -= len(self.by_source.pop(source, ()))

    def were_sifted(self, at: float) -> bool:
        """Whether all of them were looked at so lately that another look is not worth it."""
        return self.fresh * SIFT_SHARE < len(self.by_source) and self.sifted_at <= at < self.sifted_at + SIFT_SECONDS

    def are_too_many(self, threshold: Threshold) -> bool:
        """Whether there are so many, of so many sources."""
        return self.count >= threshold.count and len(self.by_source) >= threshold.distinct


class Detector:
    """Counts the tries on each account, whoever makes them. What it hears of says whether they are failures or not.

    Those that made `each` tries are accused. A single one may be a slip of the owner's, and when every address comes
    but once there is nobody to keep out. Nor are more than ONE_TRY_MAX such addresses accused in a minute: a botnet
    that sends thousands a second, each once, would have the whole host busy with refusing who is gone.
    """

    def __init__(self, detector: str, policy: DetectorPolicy, room: Room) -> None:
        self._detector = detector
        self._policy = policy
        self._room = room
        self._each: int = policy.values.get("each", 1)
        self._tries: dict[Account, Tries | Lone] = {}
        self._minute = self._accused_in_minute = 0
        self._tells_familiar = "auth.success" not in policy.hears  # else the good logins are what it is about

    def feed(self, event: Event, subject: Subject | None, at: float) -> Sequence[Incident]:
        """Count `event`; accuse the addresses that took part when there are too many tries from enough of them."""
        if subject is None or not event.user_name or (event.hits <= 0 and event.kind == "auth.failure"):
            return ()
        if event.kind == "auth.failure" and self._room.familiar.knows(subject, event.user_name, at):
            return ()
        account = (event.service, event.user_name)
        threshold = self._policy.threshold(event.service)
        mark = self._room.recollection.mark(event, at)
        enough = self._enough(at)
        tries = self._tries.get(account)
        if tries is None:
            if len(self._tries) >= ACCOUNTS_MAX:
                forget_oldest(self._tries)
            if threshold.count > 1 or threshold.distinct > 1:
                self._tries[account] = (subject.value, mark)
                return ()
            tries = self._tries[account] = Tries()
        elif isinstance(tries, tuple):
            first, tries = tries, Tries()
            tries.add(*first)
            self._tries[account] = tries
        own = tries.add(subject.value, mark)
        if not tries.are_too_many(threshold) or (own < enough and (tries.alarmed or enough > self._each)):
            return ()
        if tries.alarmed and tries.were_sifted(at):
            self._leave_out(tries, [subject.value], account, at)
            accused = [subject.value] if subject.value in tries.by_source else []
        else:
            accused = self._sifted(tries, account, threshold, enough, at)
        return self._accused(account, tries, accused, threshold, at) if accused else ()

    def forget(self, subject: Subject) -> None:
        """Begin again at nothing for `subject`: its tries are taken out of every account's."""
        for account, tries in list(self._tries.items()):
            if not isinstance(tries, tuple):
                tries.drop(subject.value)
            elif tries[0] == subject.value:
                del self._tries[account]

    def tick(self, now: float) -> Sequence[Incident]:
        """Let go of accounts that nobody tries any more."""
        for account, tries in list(self._tries.items()):
            threshold = self._policy.threshold(account[0])
            before = now - threshold.within_seconds
            if isinstance(tries, tuple):
                if seconds_of(tries[1]) <= before:
                    del self._tries[account]
                continue
            tries.let_go(before)
            tries.alarmed = tries.alarmed and tries.are_too_many(threshold)
            if not tries.by_source:
                del self._tries[account]
        return ()

    def nearest(self, subject: Subject) -> tuple[int, int]:  # noqa: ARG002 — of the protocol
        """No address is near to anything by itself."""
        return 0, self._policy.default.count

    def _enough(self, at: float) -> int:
        """How many tries of an address are enough now to accuse it."""
        minute = int(at) // MINUTE_SECONDS
        if minute != self._minute:
            self._minute, self._accused_in_minute = minute, 0
        return self._each if self._accused_in_minute < ONE_TRY_MAX else max(self._each, 2)

    def _sifted(self, tries: Tries, account: Account, threshold: Threshold, enough: int, at: float) -> list[str]:
        """Look at all tries on an account: who is to be accused, if they are still too many.

        It takes a while, so not every try of an attack of thousands leads to it; but where more are to be accused than
        at once, the next one does.
        """
        tries.let_go(at - threshold.within_seconds)
        self._leave_out(tries, list(tries.by_source), account, at)
        tries.alarmed = tries.are_too_many(threshold)
        if not tries.alarmed:
            return []
        accused = [source for source, marks in tries.by_source.items() if len(marks) >= enough]
        tries.fresh, tries.sifted_at = 0, at if len(accused) <= BATCH_MAX else 0.0
        return accused[-BATCH_MAX:]

    def _leave_out(self, tries: Tries, sources: Sequence[str], account: Account, at: float) -> None:
        """Forget the tries of whoever has come in to the account since, and of who is blocked for them already.

        Else, where root is tried all day, each stranger's first slip would be one more try of last hour's attackers.
        """
        service, name = account
        for source in sources:
            subject = Subject.parse(source)
            owns = self._tells_familiar and self._room.familiar.knows(subject, name, at)
            if owns or self._room.is_blocked(subject, service, at):
                tries.drop(source)

    def _accused(
        self, account: Account, tries: Tries, sources: Sequence[str], threshold: Threshold, at: float
    ) -> list[Incident]:
        """An incident for each of some sources; from then on their tries are no longer counted."""
        service, name = account
        count, first_at = tries.count, min(tries.first_at, at)
        what = f"{count} {threshold.name or service} logins"
        reason = f"one of {len(tries.by_source)} addresses with {what} on one account in {span(at - first_at)}"
        accused = [(Subject.parse(source), tries.by_source[source]) for source in sources]
        self._accused_in_minute += len(accused)
        for source in sources:
            tries.drop(source)
        return [
            Incident(
                detector=self._detector,
                service=service,
                subject=subject,
                first_at=first_at,
                last_at=at,
                count=count,
                threshold=threshold.count,
                within_seconds=threshold.within_seconds,
                evidence=self._room.recollection.evidence(marks, subject),
                reason=reason,
                account=name,
                familiar=self._tells_familiar and self._room.familiar.is_familiar(subject, at),
            )
            for subject, marks in accused
        ]
