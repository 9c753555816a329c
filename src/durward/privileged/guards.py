"""What is never blocked: this host, its way out, whoever is allowed, and where administrators are logged in from."""

import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

from durward.config.lists import read_list
from durward.config.membership import Networks
from durward.config.settings import GuardSettings
from durward.model import Address, Network, parse_network
from durward.model.address import text_of
from durward.privileged.failure import KernelError
from durward.privileged.surroundings import Protected, Surroundings

REFRESH_SECONDS = 6.0  # facts that are older are asked for again before anything is answered
SIGNS_SECONDS = 0.01  # between two looks for signs of a change, upon which they are asked for at once
RETRY_SECONDS = 1.0  # and as soon as this where the kernel did not tell
REFRESH_COST = 20  # nor so often that asking takes more than this part of the time
PACE_SECONDS = 60
GUARDED_MAX = 100  # lines of what is guarded that are told
ALLOW_FILES_MAX = 300  # files of one allow.list whose changes are noticed
SPECIAL: tuple[Protected, ...] = tuple(
    (ip_network(text), what)
    for text, what in (
        ("127.0.0.0/8", "this host itself"),
        ("::1/128", "this host itself"),
        ("0.0.0.0/8", "no address of a host"),
        ("::/128", "no address of a host"),
        ("169.254.0.0/16", "for hosts of one link"),
        ("fe80::/10", "for hosts of one link"),
        ("224.0.0.0/4", "for multicast"),
        ("ff00::/8", "for multicast"),
        ("255.255.255.255/32", "for broadcast"),
    )
)

Allowed = tuple[str | Network, str]  # a network, and what is said of it: "allowed by allow.list"


@dataclass(frozen=True, slots=True)
class Policy:
    """How far automatic blocks may go."""

    automatic_prefix_v4: int = 24
    automatic_prefix_v6: int = 48
    automatic_per_minute_max: int = 30_000


class Guards:
    """Answers from memory; facts are asked for again when a question comes after REFRESH_SECONDS."""

    def __init__(
        self,
        facts: Callable[[], list[Protected]],
        policy: Policy,
        allowed: Callable[[], Iterable[Allowed]] = tuple,
        clock: Callable[[], float] = time.monotonic,
        signs: Callable[[], object] = tuple,
    ) -> None:
        """`facts` gives what must not be blocked now, `allowed` the allow list; an equal answer costs nothing.

        `signs` is cheap to ask, and its answer changes when somebody logs in.
        `facts` may raise KernelError: then what was known before holds, and while nothing is known all is refused.
        """
        self._ask_facts, self._ask_allowed, self._clock, self._ask_signs = facts, allowed, clock, signs
        self._policy = policy
        self._facts: list[Protected] | None = None
        self._allowed: Iterable[Allowed] | None = None
        self._unknown = ""
        self._protected: Networks[Protected] = Networks(())
        self._covers = _Covers(())
        self._pace = _Pace(policy.automatic_per_minute_max)
        self._fresh_until = self._looked_at = float("-inf")
        self._signs: object = None

    def refusal(self, network: Network, automatic: bool, *, counts: bool = True) -> str | None:
        """Why `network` must not be blocked, in plain words; None where it may be.

        A None for an automatic block counts against the pace; `counts` is False for one that stands already.
        """
        now = self._clock()
        if now >= self._fresh_until or self._something_changed(now):
            self._refresh(now)
        reason = self._standing_reason(network)
        if reason is None and automatic:
            reason = self._automatic_reason(network, now if counts else None)
        return reason

    def allows(self, address: Address) -> bool:
        """Whether allow.list lets an address in for good, whatever else is said of it."""
        self._refresh(self._clock())
        return self._covers.covering(ip_network(address)) is not None

    def keep_fresh(self) -> None:
        """Ask for the facts while nobody waits, so that a question finds them fresh. Call it every few seconds."""
        self._refresh(self._clock())

    def guarded(self) -> list[str]:
        """What is protected now, in plain words; at most GUARDED_MAX lines."""
        self._refresh(self._clock())
        lines = [self._unknown] if self._unknown else []
        lines += dict.fromkeys(f"{text_of(network)} is {what}" for network, what in self._facts or ())
        if len(self._covers):
            lines.append(f"{len(self._covers)} addresses and networks are allowed")
        return lines[:GUARDED_MAX]

    def _standing_reason(self, network: Network) -> str | None:
        if self._facts is None:
            return self._unknown
        found = _SPECIAL.overlaps(network) or self._protected.overlaps(network) or self._covers.covering(network)
        return _told(network, *found) if found else None

    def _automatic_reason(self, network: Network, now: float | None) -> str | None:
        widest = self._policy.automatic_prefix_v4 if network.version == 4 else self._policy.automatic_prefix_v6
        if network.prefixlen < widest:
            return f"{network} is wider than /{widest}, the widest an automatic block may be"
        if now is not None and not self._pace.take(now):
            return f"more than {self._policy.automatic_per_minute_max} automatic blocks in a minute"
        return None

    def _something_changed(self, now: float) -> bool:
        """Whether there is a sign that the facts are old: a session that has just begun is to be safe at once."""
        if 0 <= now - self._looked_at < SIGNS_SECONDS:
            return False
        self._looked_at = now
        return self._ask_signs() != self._signs

    def _refresh(self, began: float) -> None:
        self._signs = self._ask_signs()  # before the facts: what comes in between is seen the next time
        try:
            facts = self._ask_facts()
        except (KernelError, OSError) as error:
            self._unknown = f"it is not known what must not be blocked: {error}"
        else:
            self._unknown = ""
            if facts != self._facts:
                self._facts = facts
                self._protected = Networks((network, (network, what)) for network, what in facts)
        allowed = self._ask_allowed()
        if allowed is not self._allowed:
            self._allowed = allowed
            self._covers = _Covers(allowed)
        now = self._clock()
        pause = RETRY_SECONDS if self._unknown else REFRESH_SECONDS
        self._fresh_until = now + max(pause, REFRESH_COST * (now - began))


class AllowList:
    """The networks of an allow.list with what it includes, read again when one of its files changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._allowed: list[Allowed] = []
        self._seen: dict[Path, tuple[int, ...] | None] = {path: ()}

    def __call__(self) -> list[Allowed]:
        """The entries now; the same list again while nothing changed."""
        if any(_signature(path) != seen for path, seen in self._seen.items()):
            self._read()
        return self._allowed

    def _read(self) -> None:
        before = {self._path: _signature(self._path)}
        found = read_list(self._path)
        files = {self._path, *(Path(entry.file) for entry in found.entries)}
        self._seen = {path: _signature(path) for path in sorted(files)[:ALLOW_FILES_MAX]} | before
        if found.entries or not found.problems:
            # A filter allows some traffic only: that is no reason not to block the rest.
            whole = (entry.network for entry in found.entries if entry.network and entry.filter is None)
            self._allowed = [(network, f"allowed by {self._path.name}") for network in whole]


def guards_of(etc: Path, settings: GuardSettings, proxies: Sequence[Protected] = ()) -> Guards:
    """The guards of this host as its settings want them; `etc` is where allow.list lies.

    Nobody may block the `proxies`, who ask for others.
    """
    policy = Policy(settings.automatic_prefix_v4, settings.automatic_prefix_v6, settings.blocks_per_minute_max)
    surroundings = Surroundings()

    def protected() -> list[Protected]:
        return [*surroundings.protected(), *proxies]

    return Guards(protected, policy, AllowList(etc / "allow.list"), signs=surroundings.signs)


class _Covers:
    """Networks, asked by which of them holds all of another: one look-up for each prefix length among them."""

    def __init__(self, allowed: Iterable[Allowed]) -> None:
        self._levels: dict[tuple[int, int], dict[int, Allowed]] = {}
        for text, what in allowed:
            network = parse_network(text) if isinstance(text, str) else text
            rest = network.max_prefixlen - network.prefixlen
            level = self._levels.setdefault((network.version, network.prefixlen), {})
            level.setdefault(int(network.network_address) >> rest, (network, what))
        self._lengths = sorted(self._levels)

    def __len__(self) -> int:
        return sum(map(len, self._levels.values()))

    def covering(self, network: Network) -> Protected | None:
        """The widest network that holds all of `network`, with what is said of it."""
        first = int(network.network_address)
        for version, length in self._lengths[bisect_left(self._lengths, (network.version, 0)) :]:
            if version != network.version or length > network.prefixlen:
                return None
            found = self._levels[version, length].get(first >> (network.max_prefixlen - length))
            if found is not None:
                return _network(found[0]), found[1]
        return None


class _Pace:
    """Counts acts per second over the last PACE_SECONDS."""

    def __init__(self, count_max: int) -> None:
        self._count_max = count_max
        self._seconds: deque[list[int]] = deque()
        self._count = 0

    def take(self, now: float) -> bool:
        """Count one act, unless there were too many."""
        second = int(now)
        while self._seconds and self._seconds[0][0] <= second - PACE_SECONDS:
            self._count -= self._seconds.popleft()[1]
        if self._count >= self._count_max:
            return False
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append([second, 0])
        self._seconds[-1][1] += 1
        self._count += 1
        return True


def _told(network: Network, other: Network, what: str) -> str:
    if network == other:
        return f"{text_of(network)} is {what}"
    relation = "holds" if network.prefixlen < other.prefixlen else "lies in"
    return f"{text_of(network)} {relation} {text_of(other)}, which is {what}"


def _network(network: str | Network) -> Network:
    return parse_network(network) if isinstance(network, str) else network


def _signature(path: Path) -> tuple[int, ...] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


_SPECIAL: Networks[Protected] = Networks((network, (network, what)) for network, what in SPECIAL)
