"""The keeper: makes the kernel's sets hold what was asked for, and nothing that a guard forbids."""

from collections.abc import Sequence
from dataclasses import dataclass

from durward.config.membership import Networks
from durward.model import EVERYTHING, Listing, Network, Standing, Subject
from durward.privileged.connections import connections, kill_connections
from durward.privileged.guards import Guards
from durward.privileged.messages import Reading
from durward.privileged.netlink import SOCK_DIAG, Netlink
from durward.privileged.room import Room
from durward.privileged.sets import Sets
from durward.ruleset.claims import Claims
from durward.ruleset.elements import Element, ElementKey, TooWideError, elements_of, live_key
from durward.ruleset.levels import shapes

SLACK_SECONDS = 2.0  # an element whose end lies this near to the wanted one is left alone
EXPIRE_SECONDS = 60.0  # how often claims whose time is over are forgotten


@dataclass(frozen=True, slots=True)
class Refused:
    """The entry at `index` was not put into the kernel, for a reason in plain words."""

    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A standing that somebody asks for: `automatic` when no person did."""

    standing: Standing
    automatic: bool


class Keeper:
    """Every method raises KernelError where the kernel refuses; the next `replace` puts what is missing."""

    def __init__(self, sets: Sets, guards: Guards, block_prefix_v6: int) -> None:
        self._sets = sets
        self._guards = guards
        self._prefix = block_prefix_v6
        self._claims = Claims(block_prefix_v6)
        self._set_names = frozenset(shape.name for shape in shapes(block_prefix_v6))
        self._room = Room(sets, self._claims, block_prefix_v6)
        self._kept: dict[Listing, set[tuple[ElementKey, str]]] = {}  # of the lists that are being replaced
        self._allowed: dict[Subject, Standing] = {}
        self._covering: Networks[Standing] | None = None
        self._expired_at = 0.0

    def begin(self) -> None:
        """A conversation begins, in which lists may be replaced: what comes in it beside their parts stays."""
        self._kept = {"block": set(), "throttle": set(), "allow": set()}

    def block(self, wanted: Sequence[Wanted], now: float) -> list[Refused]:
        """Put blocks into the kernel, end the connections that they had, and give those that were refused.

        A guard refuses, or a set that is full: what stands in it is never given up.
        """
        passed, refused = self._guarded(wanted, now)
        without = self._put([one.standing for one in passed], now)
        passed = [one for one in passed if one.standing not in without]
        refused += _refused(wanted, without)
        spared = [standing.subject.network for standing in self._allowed.values()]
        for scope in {one.standing.scope for one in passed}:
            networks = [one.standing.subject.network for one in passed if one.standing.scope == scope]
            kill_connections(networks, scope, spared)
        return refused

    def throttle(self, wanted: Sequence[Wanted], now: float) -> list[Refused]:
        """Limit what sources begin anew, and give those that were refused as blocks are; what goes on, goes on."""
        passed, refused = self._guarded(wanted, now)
        return refused + _refused(wanted, self._put([one.standing for one in passed], now))

    def allow(self, wanted: Sequence[Wanted], now: float) -> list[Refused]:
        """Let entries pass, blocks around them notwithstanding; give those that are too wide or have no room."""
        passed, refused = self._narrow(wanted, now)
        without = self._put([one.standing for one in passed], now)
        self._note_allowed([one.standing for one in passed if one.standing not in without])
        return refused + _refused(wanted, without)

    def unblock(self, standings: Sequence[Standing], now: float) -> None:
        """Take entries out of the kernel; what others of the same place need stays."""
        put: dict[ElementKey, Element] = {}
        take: dict[ElementKey, None] = dict.fromkeys(self._live_connections(standings))
        for standing in standings:
            change = self._claims.drop(standing, now)
            if standing.listing == "allow" and standing.scope == EVERYTHING:
                self._allowed.pop(standing.subject, None)
                self._covering = None
            for element in change.put:
                put[element.identity] = element
                take.pop(element.identity, None)
            for key in change.take:
                take[key] = None
                put.pop(key, None)
        self._sets.remove(take)
        self._sets.add(put.values())

    def _live_connections(self, standings: Sequence[Standing]) -> list[ElementKey]:
        """The connections that would live on beyond allowances: what ends by itself leaves them, an order does not."""
        ordered = [
            one
            for one in standings
            if one.listing == "allow" and one.scope.ports and one.scope.direction == "in" and self._claimed(one)
        ]
        if not ordered:
            return []
        ports = {port.number for one in ordered for port in one.scope.ports if port.protocol == "tcp"}
        with Netlink(SOCK_DIAG) as netlink:
            found = list(connections(netlink, [one.subject.network for one in ordered]))
        return [live_key(one.peer, one.peer_port, one.local_port) for one in found if one.local_port in ports]

    def _claimed(self, standing: Standing) -> bool:
        return any(key in self._claims for keys in self._claims.keys([standing]) for key in keys)

    def replace(self, listing: Listing, wanted: Sequence[Wanted], now: float, *, last: bool) -> list[Refused]:
        """One part of a whole list: put what is missing; with the last part, take away what no part named."""
        passed, refused = self._narrow(wanted, now) if listing == "allow" else self._guarded(wanted, now, counts=False)
        without = self._put_missing([one.standing for one in passed], now)
        refused += _refused(wanted, without)
        if listing == "allow":
            self._note_allowed([one.standing for one in passed if one.standing not in without])
        if last:
            self._sets.remove(self._claims.keep_only(listing, self._kept.pop(listing, set())))
        return refused

    def elements(self, now: float) -> list[Element]:
        """What must be in the kernel, by all that was asked for: so that a table that is made anew begins with it."""
        return self._claims.elements(now)

    def repair(self, keys: Sequence[ElementKey] | None, now: float) -> None:
        """Make elements that somebody else put in or took out be as they were asked for; without `keys`, all of them.

        Of what was never asked for, nothing stays; before anything was, nothing is touched.
        """
        if keys is None:
            wanted = self._claims.elements(now)
        elif len(self._claims):
            ours = [key for key in keys if key.set_name in self._set_names]
            wanted = self._claims.elements(now, ours)
            self._sets.remove(set(ours) - {element.identity for element in wanted})
        else:
            return
        self._add_missing(wanted)

    def readings(self, standings: Sequence[Standing]) -> list[Reading | None]:
        """What the kernel has for each standing: its elements added up, or None where one of them is missing."""
        groups = self._claims.keys(standings)
        flat = iter(self._sets.read(key for keys in groups for key in keys))
        return [_sum([next(flat) for _ in keys]) for keys in groups]

    def full(self, now: float) -> list[str]:
        """The sets that had no room of late, in plain words."""
        return self._room.full(now)

    def tick(self, now: float) -> None:
        """Forget what has run out. `now` is epoch seconds."""
        if now - self._expired_at >= EXPIRE_SECONDS:
            self._expired_at = now
            self._claims.expire(now)
            for kept in self._kept.values():
                kept.intersection_update([one for one in kept if one[0] in self._claims])

    def _guarded(
        self, wanted: Sequence[Wanted], now: float, *, counts: bool = True
    ) -> tuple[list[Wanted], list[Refused]]:
        passed, refused = [], []
        for index, one in enumerate(wanted):
            network = one.standing.subject.network
            reason = self._guards.refusal(network, one.automatic, counts=counts) or self._allowance(network, now)
            if reason is None:
                reason = self._too_wide(one.standing, now)
            if reason is None:
                passed.append(one)
            else:
                refused.append(Refused(index, reason))
        return passed, refused

    def _narrow(self, wanted: Sequence[Wanted], now: float) -> tuple[list[Wanted], list[Refused]]:
        """Those that the sets can carry, and those that they cannot."""
        reasons = [self._too_wide(one.standing, now) for one in wanted]
        passed = [one for one, reason in zip(wanted, reasons, strict=True) if reason is None]
        return passed, [Refused(index, reason) for index, reason in enumerate(reasons) if reason is not None]

    def _too_wide(self, standing: Standing, now: float) -> str | None:
        try:
            elements_of(standing, now, self._prefix)
        except TooWideError as error:
            return str(error)
        return None

    def _allowance(self, network: Network, now: float) -> str | None:
        """Why a network that was allowed while we run is not blocked; allow.list is the guards' business."""
        if self._covering is None:
            self._covering = Networks((subject.network, standing) for subject, standing in self._allowed.items())
        standing = self._covering.overlaps(network) if self._allowed else None
        if standing is None or (standing.until is not None and standing.until <= now):
            return None
        if standing.subject.network.prefixlen > network.prefixlen:
            return None  # only a part of it is allowed, and that passes in the kernel
        return f"{network} is allowed by decision {standing.decision}"

    def _note_allowed(self, standings: Sequence[Standing]) -> None:
        self._allowed.update((standing.subject, standing) for standing in standings if standing.scope == EVERYTHING)
        self._covering = None

    def _put(self, standings: Sequence[Standing], now: float) -> dict[Standing, str]:
        without = self._room.put(standings, now, self._sets.add)
        for standing in standings:
            if standing.listing in self._kept:
                self._keep(standing)
        return without

    def _keep(self, standing: Standing) -> None:
        [keys] = self._claims.keys([standing])
        self._kept.setdefault(standing.listing, set()).update((key, standing.subject.value) for key in keys)

    def _put_missing(self, standings: Sequence[Standing], now: float) -> dict[Standing, str]:
        for standing in standings:
            self._keep(standing)
        return self._room.put(standings, now, self._add_missing)

    def _add_missing(self, elements: Sequence[Element]) -> None:
        found = self._sets.read(element.identity for element in elements)
        self._sets.add(
            element for element, reading in zip(elements, found, strict=True) if not _is_as(element, reading)
        )


def _refused(wanted: Sequence[Wanted], without: dict[Standing, str]) -> list[Refused]:
    """Those for which there is no room."""
    if not without:
        return []
    reasons = ((index, without.get(one.standing)) for index, one in enumerate(wanted))
    return [Refused(index, reason) for index, reason in reasons if reason]


def _is_as(element: Element, reading: Reading | None) -> bool:
    if reading is None or reading.comment != element.comment:
        return False
    if reading.expires_in_seconds is None or not element.timeout_seconds:
        return reading.expires_in_seconds is None and not element.timeout_seconds
    return abs(reading.expires_in_seconds - element.timeout_seconds) <= SLACK_SECONDS


def _sum(readings: list[Reading | None]) -> Reading | None:
    present = [reading for reading in readings if reading is not None]
    if not present or len(present) < len(readings):
        return None
    return Reading(
        sum(reading.packets for reading in present),
        sum(reading.bytes for reading in present),
        present[0].expires_in_seconds,
        present[0].comment,
    )
