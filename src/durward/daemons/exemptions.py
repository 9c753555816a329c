"""Whose lines do not count: ignore.list and allow.list, and what operators allowed or ignored for a while."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from durward.catalog.document import Problem
from durward.config.list_checks import ENTRIES_IN_FORCE_MAX
from durward.config.lists import ListEntry, ListFile
from durward.config.loading import Lists
from durward.config.membership import Networks
from durward.config.places import Places
from durward.daemons.ruling import ruled
from durward.daemons.sparing import WEB, Verified
from durward.model import EVERYTHING, Decision, InvalidAddressError, Scope, Standing, Subject
from durward.store import standing
from durward.store.store import Store

ORIGINS = {"allow": "list:allow.list", "block": "list:deny.list"}


@dataclass(frozen=True, slots=True)
class Beyond:
    """What exempts beside lists and decisions: places, and crawlers, whose web requests are those of `web` services."""

    places: Places | None = None
    verified: Verified = field(default_factory=Verified)
    web: frozenset[str] = frozenset()


class Exemptions:
    """Answers for one address at a time; made anew whenever a list changes."""

    def __init__(self, lists: Lists, store: Store, now: float, beyond: Beyond | None = None) -> None:
        self._beyond = Beyond() if beyond is None else beyond
        self._places = self._beyond.places.networks if self._beyond.places else Networks[str](())
        self._spared = Networks(_standing(store, "ignore", now, WEB))
        self._allowed = Networks(_named(lists.allow) + _standing(store, "allow", now))
        self._ignored = Networks(_named(lists.ignore) + _standing(store, "ignore", now))
        self.filters = ruled(lists)

    def allowed(self, subject: Subject) -> str | None:
        """What allows all of `subject`: `allow.list:3`, or `decision 17`."""
        return _covering(self._allowed, subject)

    def ignored(self, subject: Subject) -> str | None:
        """What keeps the lines of `subject` from being counted, if anything does."""
        return _covering(self._ignored, subject) or _covering(self._places, subject)

    def spared(self, address: str, service: str) -> str | None:
        """What lets off `address` for the lines of `service` alone: it is a crawler, and they are about the web."""
        if service not in self._beyond.web:
            return None
        known = self._beyond.verified.reason(address)
        if known is not None or not len(self._spared):
            return known
        try:
            return self._spared.covers(address)
        except InvalidAddressError:
            return None

    def spared_for_web(self, subject: Subject) -> str | None:
        """What lets off a subject for the lines of web servers."""
        known = self._beyond.verified.reason(subject.value) if self._beyond.web else None
        return known or _covering(self._spared, subject)

    def exempt(self, address: str) -> str | None:
        """What exempts the lines of `address`, if anything does."""
        try:
            return self._allowed.covers(address) or self._ignored.covers(address) or self._places.covers(address)
        except InvalidAddressError:
            return None


def changes(lists: Lists, store: Store, now: float) -> list[Decision]:
    """The decisions that make what stands agree with allow.list and deny.list as they are now.

    So an entry of a file has a number, a receipt and a history like any other decision, and the kernel follows it.
    """
    decided: list[Decision] = []
    for listing, file in (("allow", lists.allow), ("block", lists.deny)):
        entries = file.entries[:ENTRIES_IN_FORCE_MAX]
        wanted = {(subject.value, scope): entry for entry in entries for subject, scope in _of(entry)}
        origin = ORIGINS[listing]
        for (value, scope), entry in wanted.items():
            subject = Subject.parse(value)
            found = (one for one in standing.of(store, subject) if one.listing == listing and one.scope == scope)
            stands = next(found, None)
            if stands is None or stands.until is not None:  # what ends would not be put again when it has ended
                decided.append(_put(listing, subject, scope, entry, now))
        if not file.is_whole:
            continue  # what cannot be read at the moment is not gone
        made = [one for one in _made_by(store, origin) if one.listing == listing]
        decided += [_drop(listing, one, origin, now) for one in made if (one.subject.value, one.scope) not in wanted]
    return decided


def refusals(lists: Lists, decided: Iterable[Decision], refused: Mapping[int, str]) -> list[Problem]:
    """The lines whose decision a guard or the kernel refused, each with the reason."""
    reasons: dict[tuple[str, str, Scope], str] = {
        (one.verdict, one.subject.value, one.scope): refused[one.id]
        for one in decided
        if one.id in refused and one.origin in ORIGINS.values()
    }
    if not reasons:
        return []
    return [
        Problem(entry.file, entry.line, "", f"not in force: {reason}")
        for verdict, file in (("allow", lists.allow), ("block", lists.deny))
        for entry in file.entries[:ENTRIES_IN_FORCE_MAX]
        for subject, scope in _of(entry)
        if (reason := reasons.get((verdict, subject.value, scope)))
    ]


def _put(listing: str, subject: Subject, scope: Scope, entry: ListEntry, now: float) -> Decision:
    verdict = "allow" if listing == "allow" else "block"
    reason = entry.comment or f"listed in {entry.file}"
    return Decision(verdict, subject, now, None, reason, ORIGINS[listing], scope)  # type: ignore[arg-type]


def _drop(listing: str, stands: Standing, origin: str, now: float) -> Decision:
    verdict = "disallow" if listing == "allow" else "unblock"
    name = origin.removeprefix("list:")
    return Decision(verdict, stands.subject, now, None, f"no longer listed in {name}", origin, stands.scope)  # type: ignore[arg-type]


def _made_by(store: Store, origin: str) -> list[Standing]:
    """What stands because of decisions of one origin: few among many, so the database looks for them."""
    rows = store.read(
        "SELECT DISTINCT decision.id FROM standing JOIN decision ON decision.id = standing.decision"
        " WHERE decision.origin = ?",
        (origin,),
    )
    return [one for (decision,) in rows for one in standing.of_decision(store, decision)]


def _of(entry: ListEntry) -> list[tuple[Subject, Scope]]:
    subject, scope = entry.subject, entry.scope
    return [] if subject is None or scope is None else [(subject, scope)]


def _named(file: ListFile) -> list[tuple[str, str]]:
    return [
        (entry.network, f"{entry.file.rpartition('/')[2]}:{entry.line}")
        for entry in file.entries
        if entry.network and entry.scope == EVERYTHING
    ]


def _standing(store: Store, listing: str, now: float, scope: Scope = EVERYTHING) -> list[tuple[str, str]]:
    return [
        (one.subject.value, f"decision {one.decision}")
        for one in standing.all_of(store, "allow" if listing == "allow" else "ignore")
        if one.scope == scope and (one.until is None or one.until > now)
    ]


def _covering(networks: Networks[str], subject: Subject) -> str | None:
    found = networks.covers(subject.network.network_address)
    last = networks.covers(subject.network.broadcast_address)
    return found if found is not None and found == last else None
