"""Names whose addresses change: they are asked for again and again, and whoever has their addresses is let in.

Each address becomes an ordinary decision with an end, renewed long before it comes: after a crash of everything it ends
by itself. While the name service does not answer, the last known addresses stay.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_network

from durward.config.exempting import Exempting
from durward.control.naming import Answer
from durward.daemons.acting import Acting
from durward.daemons.ledger import Ledger
from durward.daemons.names import Names
from durward.model import (
    EVERYTHING,
    Address,
    Decision,
    Finding,
    Listing,
    Network,
    Scope,
    Standing,
    Subject,
    Verdict,
    parse_address,
)
from durward.store import decisions, standing
from durward.store.store import Store

ORIGIN = "name:"
ADDRESSES_MAX = 16  # of one name; of the rest people are told
KEEP_SECONDS = 86400.0  # an entry without a word from the name service; half of it at most goes by before it is renewed
RENEW_SECONDS = 3600.0  # between two looks at what has to be renewed
INTERVAL_SECONDS_MIN = 60.0  # also between two tries while the name service does not answer
NAMELESS_MAX = 2  # so often in a row it has to be said that there is no such name, before what it had goes
LET_IN: dict[Verdict, tuple[Listing, Verdict]] = {"allow": ("allow", "disallow"), "ignore": ("ignore", "unignore")}
SOMETHING_ELSE: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(text), what)
    for text, what in (
        ("0.0.0.0/8", "no address of a host"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared by carriers"),
        ("127.0.0.0/8", "this host itself"),
        ("169.254.0.0/16", "of one link"),
        ("172.16.0.0/12", "private"),
        ("192.168.0.0/16", "private"),
        ("224.0.0.0/3", "no address of a host"),
        ("::/127", "this host itself"),
        ("fc00::/7", "private"),
        ("fe80::/10", "of one link"),
        ("ff00::/8", "no address of a host"),
    )
)

Wanted = dict[tuple[Verdict, str, Scope], str]  # by verdict, address and scope: the name that wants it


@dataclass(slots=True)
class Host:
    """What is known of one name. Times are epoch seconds."""

    addresses: tuple[str, ...] = ()
    ask_at: float = 0.0
    nameless: int = 0
    trouble: str = ""


class DynamicNames:
    """Asks for the names of the settings, and keeps what stands for them as the answers say."""

    def __init__(
        self, rules: Exempting, names: Names, ledger: Ledger, acting: Acting, exempted: Callable[[], object]
    ) -> None:
        self._rules, self._names, self._ledger, self._acting = rules, names, ledger, acting
        self._exempted = exempted
        self._hosts = {host: Host() for host in rules.hosts}
        self._every_seconds = max(INTERVAL_SECONDS_MIN, rules.resolve_seconds)
        self._changed, self._followed_at = False, 0.0

    def tick(self, now: float) -> None:
        """Ask for the names that are due."""
        if self._followed_at == 0.0:
            self._recall()
        if self._changed or not 0 <= now - self._followed_at < RENEW_SECONDS:
            self._changed, self._followed_at = False, now
            self._follow(now)
        for name, host in self._hosts.items():
            if now >= host.ask_at or host.ask_at - now > self._every_seconds:
                host.ask_at = now + self._every_seconds
                self._names.ask("name", name, partial(self._hear, name, now), now, fresh=True)

    def findings(self) -> list[Finding]:
        """What is wrong with a name."""
        return [Finding("names", name, "fail", host.trouble) for name, host in self._hosts.items() if host.trouble]

    def _hear(self, name: str, now: float, answer: Answer) -> None:
        host = self._hosts[name]
        before = host.addresses
        if answer.outcome == "failed":
            host.ask_at = now + INTERVAL_SECONDS_MIN
            host.trouble = "the name service does not answer" + (
                "; its last known addresses stay" if host.addresses else ""
            )
        elif answer.outcome == "nameless":
            host.nameless += 1
            host.trouble = "there is no such name"
            if host.nameless >= NAMELESS_MAX:
                host.addresses = ()
        else:
            usable = tuple(sorted(one for one in answer.addresses if not something_else(parse_address(one))))
            host.nameless, host.addresses = 0, usable[:ADDRESSES_MAX]
            host.trouble = _complaint(answer.addresses, usable)
        self._changed = self._changed or host.addresses != before

    def _wanted(self) -> Wanted:
        wanted: Wanted = {}
        for one in self._rules.names if self._hosts else ():
            for address in self._hosts[one.host].addresses:
                wanted.setdefault(("allow", address, one.scope), one.host)
        for name in self._rules.ignored_names if self._hosts else ():
            for address in self._hosts[name].addresses:
                wanted.setdefault(("ignore", address, EVERYTHING), name)
        return wanted

    def _follow(self, now: float) -> None:
        """Make what stands agree with what is wanted. What people or lists said of an address is left as it is."""
        store, wanted = self._ledger.store, self._wanted()
        keep_seconds = max(KEEP_SECONDS, 3 * self._every_seconds)
        made = [
            Decision(verdict, Subject.parse(address), now, now + keep_seconds, _reason(name), ORIGIN + name, scope)
            for (verdict, address, scope), name in wanted.items()
            if self._is_due(LET_IN[verdict][0], Subject.parse(address), scope, now + keep_seconds / 2)
        ]
        for one, name in _ours(store):
            verdict: Verdict = "allow" if one.listing == "allow" else "ignore"
            if (verdict, one.subject.value, one.scope) not in wanted:
                reason = f"{name} does not lead here any more"
                drop = LET_IN[verdict][1]
                made.append(Decision(drop, one.subject, now, None, reason, ORIGIN + name, one.scope))
        if made:
            self._acting.act(made, {}, now)
            self._exempted()

    def _is_due(self, listing: Listing, subject: Subject, scope: Scope, until: float) -> bool:
        """Whether an entry is to be made or renewed: there is none, or ours ends before `until`."""
        for one in standing.of(self._ledger.store, subject):
            if one.listing == listing and one.scope == scope:
                return one.until is not None and one.until < until and bool(_name_of(self._ledger.store, one))
        return True

    def _recall(self) -> None:
        """After a start: what stands is what was last known, until the name service answers."""
        for one, name in _ours(self._ledger.store):
            host = self._hosts.get(name)
            if host is not None and one.subject.value not in host.addresses:
                host.addresses = (*host.addresses, one.subject.value)


def something_else(address: Address) -> str:
    """Why a name on the internet should not lead to an address; empty where it may."""
    return next(
        (what for network, what in SOMETHING_ELSE if address.version == network.version and address in network), ""
    )


def _complaint(addresses: tuple[str, ...], usable: tuple[str, ...]) -> str:
    refused = [one for one in addresses if one not in usable]
    if refused:
        what = something_else(parse_address(refused[0]))
        return f"it leads to {refused[0]} ({what}), which is not let in for a name; allow.list takes the address itself"
    if len(usable) > ADDRESSES_MAX:
        return f"it has {len(usable)} addresses; {ADDRESSES_MAX} of them are let in"
    return ""


def _ours(store: Store) -> list[tuple[Standing, str]]:
    """What stands because of a name, with the name."""
    stands = [one for listing in ("allow", "ignore") for one in standing.all_of(store, listing)]
    return [(one, name) for one in stands if one.until is not None and (name := _name_of(store, one))]


def _name_of(store: Store, one: Standing) -> str:
    entry = decisions.by_id(store, one.decision)
    origin = entry.decision.origin if entry else ""
    return origin.removeprefix(ORIGIN) if origin.startswith(ORIGIN) else ""


def _reason(name: str) -> str:
    return f"{name} leads here"
