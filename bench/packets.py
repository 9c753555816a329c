"""What a packet of a blocked source costs until it is dropped: durward, its peers, and the least that is possible.

    PYTHONPATH=. .venv/bin/python -m bench.packets [--rounds 41] [--large 1000000] [--json FILE]

The same SYNs to port 22 come into a namespace for each rule set, by a driver's queue (see injection.py); the figure is
processor time from that queue to the drop. "One" is one source in the middle of those that are blocked, "any" another
one for each packet. Before anything is measured, each rule set has to drop what is blocked and let a stranger in.
"""

import argparse
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from bench.injection import Injector
from bench.interleaved import Judged, command, judgements, medians, write_json
from bench.measure import await_quiet, table
from bench.peers import csf, distribution, durward, plain
from tests.kernel.namespaces import Namespace

from durward.ruleset.policy import MergedList

FIRST, STRANGER = 0x0A000000, "198.51.100.9"
FEW, MANY, BLOCKS_MOST = 200, 5_000, 100_000  # CSF's DENY_IP_LIMIT, one that users set, and near what our set takes
SMALL = 10
LISTS = 50
TURN_NANOSECONDS, PACKETS_MIN, PACKETS_MAX = 4e6, 256, 16_384
PEERS_SHARE_MAX, BARE_SHARE_MAX = 0.55, 1.3
ONE_SHARE_MAX, ANY_SHARE_MAX, LISTS_SHARE_MAX = 1.2, 2.2, 1.2
FEED = MergedList("feeds", "deny", early=True)
Load = Callable[[Namespace, range], None]


@dataclass(frozen=True, slots=True)
class Contestant:
    """A rule set that drops `count` sources. `ships` says that a host gets it without touching any option."""

    name: str
    count: int
    load: Load
    ships: bool = False

    @property
    def blocked(self) -> range:
        """The blocked addresses, as numbers."""
        return range(FIRST, FIRST + self.count)


def blocks(namespace: Namespace, blocked: range) -> None:
    """Our own, addresses blocked one by one."""
    durward.protect(namespace, durward.high_policy(namespace), blocked)


def feeds(namespace: Namespace, blocked: range) -> None:
    """Our own, the same addresses in one list of attackers."""
    durward.protect(namespace, durward.high_policy(namespace, (FEED,)), listed=texts(blocked))


def many_feeds(namespace: Namespace, blocked: range) -> None:
    """Our own, the addresses in many lists, which become one."""
    lists = (text for number in range(LISTS) for text in texts(blocked[number::LISTS]))
    durward.protect(namespace, durward.high_policy(namespace, (FEED,)), listed=lists)


def texts(numbers: range) -> Iterator[str]:
    """Addresses as a list file has them."""
    return (f"{IPv4Address(number)}\n" for number in numbers)


def csf_lists(count: int) -> Load:
    """CSF with so many block lists, each a set and a chain."""
    return lambda namespace, blocked: csf.protect(
        namespace, "legacy", (), blocklists=(texts(blocked[number::count]) for number in range(count))
    )


def contest() -> list[Contestant]:
    """Everybody with as many blocked as they ship with."""
    return [
        Contestant("bare drop", FEW, lambda server, _: plain.bare(server, "ip saddr 10.0.0.0/8 drop")),
        Contestant("durward", FEW, blocks),
        Contestant("fail2ban, reject", FEW, plain.fail2ban, ships=True),
        Contestant("fail2ban, drop", FEW, lambda server, blocked: plain.fail2ban(server, blocked, "drop")),
        Contestant("ufw deny", FEW, distribution.ufw, ships=True),
        Contestant("firewalld, sources", FEW, lambda *given: distribution.firewalld(*given, with_ipset=False), True),
        Contestant("firewalld, ipset", FEW, lambda *given: distribution.firewalld(*given, with_ipset=True), True),
        Contestant("CSF, nft", FEW, lambda server, blocked: csf.protect(server, "nft", blocked), ships=True),
        Contestant("CSF, legacy", FEW, lambda server, blocked: csf.protect(server, "legacy", blocked)),
        Contestant("CSF + ipset, nft", FEW, lambda *given: _csf_set("nft", *given)),
        Contestant("CSF + ipset, legacy", FEW, lambda *given: _csf_set("legacy", *given)),
        Contestant("CSF, nft, 5,000", MANY, lambda server, blocked: csf.protect(server, "nft", blocked)),
        Contestant("CSF, legacy, 5,000", MANY, lambda server, blocked: csf.protect(server, "legacy", blocked)),
    ]


def _csf_set(flavour: csf.Flavour, server: Namespace, blocked: range) -> None:
    csf.protect(server, flavour, blocked, with_ipset=True)


def growth(large: int) -> list[Contestant]:
    """Ours with few and many, and CSF's way of many lists."""
    return [
        *(Contestant(f"blocked one by one: {count:,}", count, blocks) for count in (SMALL, 1_000, BLOCKS_MOST)),
        *(Contestant(f"in one list: {count:,}", count, feeds) for count in (SMALL, large)),
        Contestant(f"in {LISTS} lists: {large:,}", large, many_feeds),
        Contestant(f"CSF, in one list: {large:,}", large, csf_lists(1)),
        Contestant(f"CSF, in {LISTS} lists: {large:,}", large, csf_lists(LISTS)),
    ]


def measured(contestants: list[Contestant], rounds: int) -> dict[str, tuple[float, float]]:
    """Nanoseconds for a packet of one source, and of any, by the names of the contestants."""
    with ExitStack() as places:
        turns = {}
        for contestant in contestants:
            injector = places.enter_context(Injector())
            contestant.load(injector.server, contestant.blocked)
            check(injector, contestant)
            middle = str(IPv4Address(FIRST + contestant.count // 2))
            for what, first, sources in (("one", middle, 1), ("any", str(IPv4Address(FIRST)), contestant.count)):
                turns[f"{what} {contestant.name}"] = turn(injector, first, sources)
        costs = medians(turns, rounds)
    return {one.name: (costs[f"one {one.name}"], costs[f"any {one.name}"]) for one in contestants}


def check(injector: Injector, contestant: Contestant) -> None:
    """Blocked ones are dropped, and a stranger is let in. Raises SystemExit where that is not so."""
    passed = injector.let_through(str(IPv4Address(FIRST)), contestant.count, 1_000)
    if passed or injector.let_through(STRANGER, 1, 1) != 1:
        raise SystemExit(f"{contestant.name} does not do what it is measured for: {passed} of 1,000 passed")


def turn(injector: Injector, first: str, sources: int) -> Callable[[], float]:
    """Turns of about the same time for everybody."""
    count = int(min(max(TURN_NANOSECONDS / injector.cost(first, sources, PACKETS_MIN), PACKETS_MIN), PACKETS_MAX))
    return lambda: injector.cost(first, sources, count)


def contest_targets(contestants: list[Contestant], costs: dict[str, tuple[float, float]]) -> list[Judged]:
    """Durward beside the best that ships, and beside the bare drop."""
    targets = []
    for column, what in enumerate(("one source", "any source")):
        ours, bare = costs["durward"][column], costs["bare drop"][column]
        best = min((one.name for one in contestants if one.ships), key=lambda name: costs[name][column])
        targets.append(Judged(f"{what}: durward / {best}", ours / costs[best][column], PEERS_SHARE_MAX))
        targets.append(Judged(f"{what}: durward / bare drop", ours / bare, BARE_SHARE_MAX))
    return targets


def growth_targets(costs: dict[str, tuple[float, float]], large: int) -> list[Judged]:
    """Many beside few."""
    targets = []
    for way, most in (("blocked one by one", BLOCKS_MOST), ("in one list", large)):
        few, many = costs[f"{way}: {SMALL:,}"], costs[f"{way}: {most:,}"]
        targets.append(Judged(f"{way}, one source: {most:,} / {SMALL}", many[0] / few[0], ONE_SHARE_MAX))
        targets.append(Judged(f"{way}, any source: {most:,} / {SMALL}", many[1] / few[1], ANY_SHARE_MAX))
    one, many = costs[f"in one list: {large:,}"], costs[f"in {LISTS} lists: {large:,}"]
    targets.append(Judged(f"any source: {LISTS} lists / one", many[1] / one[1], LISTS_SHARE_MAX))
    return targets


def rows(costs: dict[str, tuple[float, float]], ours: str) -> list[tuple[str, ...]]:
    """The figures, with how many times as long as ours each takes."""
    lines = [("ns per dropped packet", "one", "x", "any", "x")]
    for name, values in costs.items():
        cells = [(f"{value:,.0f}", f"{value / own:.2f}") for value, own in zip(values, costs[ours], strict=True)]
        lines.append((name, *cells[0], *cells[1]))
    return lines


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=41)
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if missing := distribution.missing():
        raise SystemExit(f"not installed: {', '.join(missing)}")
    await_quiet()
    print(command())
    everybody = contest()
    costs = measured(everybody, options.rounds)
    targets = contest_targets(everybody, costs)
    print(table(f"{FEW} blocked sources, or as many as said", rows(costs, "durward")))
    print(table("Targets", judgements(targets)), flush=True)
    grown = measured(growth(options.large), options.rounds)
    more = growth_targets(grown, options.large)
    print(table("More blocked sources", rows(grown, f"blocked one by one: {SMALL:,}")))
    print(table("Targets", judgements(more)))
    write_json(options.json, {"contest": costs, "growth": grown}, targets + more)


if __name__ == "__main__":
    main()
