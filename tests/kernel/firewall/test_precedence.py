"""The precedence, in the kernel: of every two things that say otherwise of one packet, the higher one decides."""

import time
from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations
from typing import Literal, NamedTuple

import pytest
from tests.kernel.firewall.bases import apply, stand, try_out
from tests.kernel.firewall.probes import probe
from tests.kernel.hosts import FAR, FAR6, SERVER, SERVER6, Trio

from durward.catalog.traffic import parse_ports
from durward.config.filters import parse_filter
from durward.model import Scope, Standing, Subject
from durward.privileged.merged import MergedSets, Refused, reading
from durward.ruleset.levels import TABLE
from durward.ruleset.merged import MergedList
from durward.ruleset.policy import Interface, Policy, Ports, Spoofing
from durward.ruleset.prefixes import Prefixes
from durward.ruleset.ranks import RANKS
from durward.ruleset.skeleton import skeleton

pytestmark = pytest.mark.kernel
PORT = 81
NETWORKS = ["198.51.100.0/25", "2001:db8:2::/64"]  # of FAR[0] and FAR6[0]
OPEN = parse_ports(str(PORT))
NOBODYS = Spoofing(bogons=False, reverse_path=False)  # own networks would be spared by feeds and countries


class Claim(NamedTuple):
    """Something that says of the packet whether it passes."""

    name: str
    verdict: Literal["passes", "silent"]


# From the highest to the lowest; blocks and allowances have an end, as temporary ones do.
PRECEDENCE = (
    Claim("allow", "passes"),
    Claim("allow_ports", "passes"),
    Claim("allow_filter", "passes"),
    Claim("block", "silent"),
    Claim("block_ports", "silent"),
    Claim("trusted", "passes"),
    Claim("feed", "silent"),
    Claim("deny_filter", "silent"),
    Claim("country", "silent"),
    Claim("ssh_ports", "passes"),
    Claim("tcp_in", "passes"),
    Claim("nothing", "silent"),
)
PAIRS = [pair for pair in combinations(PRECEDENCE, 2) if pair[0].verdict != pair[1].verdict]


def policy_with(names: Iterable[str], source: str) -> Policy:
    """A firewall in which all of these hold that it can say."""
    rule = (parse_filter(f"tcp|in|d={PORT}|s={source}"),)
    merged = (MergedList("feeds", "deny", early=True), MergedList("countries", "deny"))
    wanted: dict[str, dict[str, object]] = {
        "allow_filter": {"allow_filters": rule},
        "deny_filter": {"deny_filters": rule},
        "trusted": {"interfaces": (Interface("outer", "trusted"),)},
        "ssh_ports": {"ssh_ports": (PORT,)},
        "tcp_in": {"inbound": Ports(tcp4=OPEN, tcp6=OPEN)},
    }
    policy = Policy(ssh_ports=(), inner_interfaces=(), merged=merged, spoofing=NOBODYS)
    for name in names:
        policy = replace(policy, **wanted.get(name, {}))  # type: ignore[arg-type]
    return policy


def put(hosts: Trio, names: Iterable[str], source: str) -> None:
    """Put the elements into the kernel that the others are."""
    for name in names:
        if name in ("allow", "block", "allow_ports", "block_ports"):
            listing, _, ports = name.partition("_")
            stand(hosts.server, standing(listing, source, f"in:{PORT}" if ports else "in:"))
        elif name in ("feed", "country"):
            fill(hosts, MergedList("feeds", "deny", early=True) if name == "feed" else MergedList("countries", "deny"))


def standing(listing: str, subject: str, scope: str) -> Standing:
    """An entry that ends in an hour."""
    return Standing(listing, Subject.parse(subject), Scope.parse(scope), time.time() + 3600, 1)  # type: ignore[arg-type]


def fill(hosts: Trio, merged: MergedList) -> None:
    prefixes = Prefixes()
    list(reading(NETWORKS, prefixes, Refused()))
    filling = prefixes.filling(1)
    with hosts.server.inside(), MergedSets() as sets:
        list(sets.fill(merged.name, filling, prefixes))
        sets.swap(merged, filling, ["a"])


def test_the_ranks_that_why_tells_are_in_this_order() -> None:
    deciding = tuple(rank for rank in RANKS if rank != "throttle")  # that one refuses only what is beyond a rate
    assert tuple(claim.name for claim in PRECEDENCE if claim.name in RANKS) == deciding


@pytest.mark.parametrize(("source", "to"), [(FAR[0], SERVER), (FAR6[0], SERVER6)], ids=["v4", "v6"])
@pytest.mark.parametrize(("higher", "lower"), PAIRS, ids=lambda claim: claim.name)
def test_the_higher_one_decides(router: Trio, source: str, to: str, higher: Claim, lower: Claim) -> None:
    names = (higher.name, lower.name)
    apply(router.server, policy_with(names, source))
    put(router, names, source)
    assert probe("tcp", router.client, source, to, PORT, higher.verdict) == higher.verdict


@pytest.mark.parametrize(("source", "to"), [(FAR[0], SERVER), (FAR6[0], SERVER6)], ids=["v4", "v6"])
def test_each_alone_decides(router: Trio, source: str, to: str) -> None:
    apply(router.server, policy_with((), source))
    assert probe("tcp", router.client, source, to, PORT, "silent") == "silent"
    for claim in PRECEDENCE[:-1]:
        names = (claim.name, *(() if claim.verdict == "passes" else ("tcp_in",)))
        apply(router.server, policy_with(names, source))
        put(router, names, source)
        assert probe("tcp", router.client, source, to, PORT, claim.verdict) == claim.verdict, claim.name
        router.server.run("nft", "delete", "table", "inet", TABLE)
        router.server.run("nft", "-f", "-", given=skeleton())


def test_allow_filters_of_the_trial_are_asked_while_it_is_on(router: Trio) -> None:
    """What the kept firewall allows to the blocked does not pass in a trial that does not allow it, and the reverse."""
    allowing, plain = policy_with(("allow_filter",), FAR[0]), policy_with((), FAR[0])
    apply(router.server, plain)
    put(router, ("block",), FAR[0])
    try_out(router.server, plain, allowing)
    assert probe("tcp", router.client, FAR[0], SERVER, PORT) == "passes"
    apply(router.server, allowing)
    assert probe("tcp", router.client, FAR[0], SERVER, PORT) == "passes"
    try_out(router.server, allowing, plain)
    assert probe("tcp", router.client, FAR[0], SERVER, PORT, "silent") == "silent"


@pytest.mark.parametrize(("source", "to"), [(SERVER, FAR[0]), (SERVER6, FAR6[0])], ids=["v4", "v6"])
def test_the_same_holds_for_what_leaves(router: Trio, source: str, to: str) -> None:
    rule = (parse_filter(f"tcp|out|d={PORT}|d={to}"),)
    base = Policy(outbound=Ports(), inner_interfaces=(), spoofing=NOBODYS)

    def reached(expected: str) -> bool:
        return probe("tcp", router.server, source, to, PORT, expected) == expected

    apply(router.server, base)
    assert reached("rejected")
    apply(router.server, replace(base, outbound=Ports(tcp4=OPEN, tcp6=OPEN)), "b")
    assert reached("passes")
    apply(router.server, replace(base, outbound=Ports(tcp4=OPEN, tcp6=OPEN), deny_filters=rule))
    assert reached("rejected")
    apply(router.server, replace(base, deny_filters=rule, allow_filters=rule), "b")
    assert reached("passes")
    stand(router.server, standing("block", to, "out:"))
    assert reached("passes")
    apply(router.server, replace(base, outbound=Ports(tcp4=OPEN, tcp6=OPEN)))
    assert reached("silent")
    stand(router.server, standing("allow", to, f"out:{PORT}"))
    assert reached("passes")
