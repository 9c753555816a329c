"""The precedence: what happens to a packet, step by step, as rules and in words. The order here is the order there.

Packets of established connections pass first because nothing that stands before could refuse them: blocks have been
asked before connection tracking, and where there are deny filters, these come before. What is allowed is
asked before what is denied: allowed means passes. What the network itself needs comes before lists and countries, and
those before the SYN proxy, which opens connections in the name of a source.
"""

from dataclasses import dataclass, fields
from typing import NamedTuple

from durward.ruleset import (
    ending,
    filters,
    floods,
    icmp,
    knocking,
    merged,
    port_scans,
    redirects,
    refusals,
    smtp,
    spoofing,
    stateful,
)
from durward.ruleset.fragment import Fragment
from durward.ruleset.matching import Line, in_families
from durward.ruleset.policy import Policy

# Most packets are of these: one look at the flags, and neither the first nor the last packet of a connection.
FAST = "ct state established tcp flags & (fin | syn | rst) == 0x0 accept"
# Before connection tracking nothing more is asked of them: these flags are possible ones, and floods begin with others.
GOING_ON = "tcp flags & (fin | syn | rst | ack | urg) == ack accept"


class Step(NamedTuple):
    """One step of the precedence: what happens there, and the rules that do it (none where it is not wanted)."""

    says: str
    rules: tuple[str, ...]


class Way(NamedTuple):
    """A chain that packets come to, in words, and its steps."""

    chain: str
    title: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Parts:
    """The fragments of one firewall."""

    spoofing: Fragment
    merged: Fragment
    floods: Fragment
    knocking: Fragment
    icmp: Fragment
    smtp: Fragment
    redirects: Fragment
    refusals: Fragment
    port_scans: Fragment

    @classmethod
    def of(cls, policy: Policy, generation: str) -> "Parts":
        """All parts of what `policy` wants. Raises InvalidPolicyError."""
        return cls(
            spoofing.fragment(policy, generation),
            merged.fragment(policy, generation),
            floods.fragment(policy, generation),
            knocking.fragment(policy, generation),
            icmp.fragment(policy, generation),
            smtp.fragment(policy, generation),
            redirects.fragment(policy, generation),
            refusals.fragment(policy, generation),
            port_scans.fragment(policy, generation),
        )

    def slot(self, name: str) -> tuple[str, ...]:
        """One slot of all parts, in the order of the parts."""
        return tuple(line for part in fields(self) for line in getattr(getattr(self, part.name), name))


def ways(policy: Policy, generation: str, parts: Parts) -> tuple[Way, ...]:
    """Every chain that packets come to, with its steps in order."""
    arriving, translated = _arriving(policy, generation, parts), _translated(policy, generation, parts)
    return (
        Way("early", "Before packets are put together", (Step("fragmented ICMP is dropped", parts.slot("early")),)),
        Way("pardon", "Of what is blocked, before connection tracking", (_pardon(policy, generation, "pardoned"),)),
        Way("pardon_out", "", (_pardon(policy, generation, "pardoned_out"),)),
        Way("raw", "Before connection tracking", _raw(parts)),
        Way("input", "To this host", _input(policy, generation, parts)),
        Way("forward", "To containers and machines behind this host", _forward(policy, generation, parts)),
        Way("arriving", "Whatever comes in, then", arriving),
        Way("translated", "", translated),
        Way("open", "", _open(policy, generation)),
        Way("open_translated", "", _open_translated(policy, generation)),
        Way("output", "From this host", _output(policy, generation, parts)),
        Way("passing", "From containers and machines behind this host", _passing(policy, generation)),
        Way("sending", "Whatever goes out, then", _sending(policy, generation)),
        Way("nat_arriving", "", (Step("", parts.slot("nat_arriving")),)),
        Way("nat_leaving", "", (Step("", parts.slot("nat_leaving")),)),
        Way("nat_routed", "", (Step("", parts.slot("nat_routed")),)),
    )


def listed(policy: Policy) -> dict[str, tuple[Line, ...]]:
    """The rules of the allow and deny lists, by the chains that hold them."""
    prefix = policy.block_prefix_v6
    found: dict[str, tuple[Line, ...]] = {}
    for name, translated in (("", False), ("_translated", True)):
        sources = tuple(stateful.allowed_sources(prefix, translated=translated))
        found[f"allowed{name}"] = (*sources, *filters.allowing(policy, "in", translated=translated))
        found[f"denied{name}"] = filters.denying(policy, "in", translated=translated)
    found["allowed_out"] = (*stateful.allowed_destinations(prefix), *filters.allowing(policy, "out"))
    found["denied_out"] = filters.denying(policy, "out")
    found["pardoned"], found["pardoned_out"] = filters.allowing(policy, "in"), filters.allowing(policy, "out")
    return found


def _pardon(policy: Policy, generation: str, name: str) -> Step:
    rules = in_families(name, generation, listed(policy)[name])[1]
    return Step("what allow filters say is accepted; allowed addresses have passed already", rules)


def _raw(parts: Parts) -> tuple[Step, ...]:
    return (
        Step("attackers' networks from feeds are dropped", parts.merged.raw),
        Step("what goes on, and neither begins nor ends, is left to connection tracking", (GOING_ON,)),
        Step("impossible packets are dropped", parts.spoofing.raw),
        Step(
            "floods of new connections are led to the SYN proxy or SYN cookies, or dropped for a source that is known",
            parts.floods.raw,
        ),
    )


def _begun(parts: Parts, denied: tuple[str, ...]) -> tuple[Step, ...]:
    return (
        Step("what stands and is denied by a filter ends, unless its address is allowed", denied),
        Step("what belongs to a connection that was let in is accepted", (FAST,)),
        Step("", parts.slot("ending")),
        Step("", (stateful.ESTABLISHED,)),
    )


def _input(policy: Policy, generation: str, parts: Parts) -> tuple[Step, ...]:
    services = tuple(rule for service in stateful.INNER_SERVICES for rule in stateful.from_inside(policy, service))
    return (
        *_begun(parts, ending.ending(policy, generation).input),
        Step("", stateful.ftp_helper(policy)),
        Step("this host talking to itself is accepted", ('iif "lo" accept',)),
        Step("trusted and ignored interfaces are accepted", stateful.unfiltered(policy, "iifname")),
        Step("DNS and DHCP that our own containers and machines ask for is accepted", services),
        Step("", (f"goto arriving_{generation}",)),
    )


def _forward(policy: Policy, generation: str, parts: Parts) -> tuple[Step, ...]:
    return (
        *_begun(parts, ending.ending(policy, generation).forward),
        Step("", stateful.ftp_helper(policy, translated=True)),
        Step("from trusted and ignored interfaces is accepted", stateful.unfiltered(policy, "iifname")),
        Step(
            "what our own containers and machines begin is judged as leaving",
            stateful.from_inside(policy, f"goto passing_{generation}"),
        ),
        Step(
            "for a published port, the port that the sender asked for is what counts",
            (f"ct status dnat goto translated_{generation}",),
        ),
        Step("", (f"goto arriving_{generation}",)),
    )


def _arriving(policy: Policy, generation: str, parts: Parts) -> tuple[Step, ...]:
    found = listed(policy)
    again = "ct status dnat "  # redirected within this host: what the sender asked for counts as well

    def asked(name: str) -> tuple[str, ...]:
        plain = in_families(name, generation, found[name])[1]
        translated = in_families(f"{name}_translated", generation, found[f"{name}_translated"])[1]
        return (*plain, *(again + rule for rule in translated))

    return (
        Step("allowed addresses, those allowed at some ports, and allow filters are accepted", asked("allowed")),
        Step(
            "ICMP that the network needs is accepted, redirects are dropped",
            (f"{icmp.IS_ICMP} jump icmp_{generation}",),
        ),
        Step("deny filters are dropped", asked("denied")),
        Step("answers of DHCP servers are accepted", stateful.DHCP_IN),
        Step("what is related to a connection is accepted", ("ct state related accept",)),
        Step("sources that cannot be, and our unused addresses, are dropped", parts.spoofing.untracked),
        Step("what networks from feeds and denied countries begin is dropped", parts.merged.arriving),
        Step("pings are accepted, as many as each source may send", (f"{icmp.IS_ICMP} goto echo_{generation}",)),
        Step("the SYN proxy answers when there are very many new connections", parts.floods.untracked),
        Step("what is no part of any connection, nor its beginning, is dropped", _no_connection(policy, generation)),
        Step("floods and limits of connections are dropped", parts.floods.arriving),
        Step("knocks; ports that they opened are accepted", parts.knocking.accepting),
        Step("networks and countries with ports of their own are accepted there", parts.merged.accepting),
        Step("redirects that the administrator wrote are accepted", parts.redirects.accepting),
        Step("SSH and the ports in tcp_in and udp_in are accepted", (f"jump open_{generation}",)),
        Step("", (f"{again}jump open_translated_{generation}",)),
        Step("all else is told of and dropped", (f"goto refused_{generation}",)),
    )


def _no_connection(policy: Policy, generation: str) -> tuple[str, ...]:
    return (*port_scans.invalid(policy, generation), "ct state invalid counter drop")


def _translated(policy: Policy, generation: str, parts: Parts) -> tuple[Step, ...]:
    found = listed(policy)

    def asked(name: str) -> tuple[str, ...]:
        return in_families(name, generation, found[name])[1]

    rules = (
        *asked("allowed_translated"),
        f"{icmp.IS_ICMP} jump icmp_{generation}",
        *asked("denied_translated"),
        "ct state related accept",
        *parts.spoofing.untracked,
        *parts.merged.arriving,
        f"{icmp.IS_ICMP} goto echo_{generation}",
        *parts.floods.arriving,
        *parts.knocking.published,
        *parts.merged.accepting,
        *parts.redirects.accepting,
        f"jump open_translated_{generation}",
        f"goto refused_{generation}",
    )
    return (Step("", rules),)


def _open(policy: Policy, generation: str) -> tuple[Step, ...]:
    own = stateful.ports_of_interfaces(policy, generation)[1]
    return (Step("", (*stateful.ssh_ports(policy), *own, *stateful.open_ports(policy), "return")),)


def _open_translated(policy: Policy, generation: str) -> tuple[Step, ...]:
    own = stateful.ports_of_interfaces(policy, generation, translated=True)[1]
    return (Step("", (*own, *stateful.open_ports(policy, translated=True), "return")),)


def _output(policy: Policy, generation: str, parts: Parts) -> tuple[Step, ...]:
    return (
        Step(
            "what stands and is denied by a filter ends, unless its address is allowed",
            ending.ending(policy, generation).output,
        ),
        Step("what belongs or is related to a connection is accepted", ("ct state established,related accept",)),
        Step("this host talking to itself is accepted", ('oif "lo" accept',)),
        Step("", stateful.ftp_helper(policy)),
        Step("trusted and ignored interfaces are accepted", stateful.unfiltered(policy, "oifname")),
        Step("to our own containers and machines is accepted", stateful.to_inside(policy)),
        Step("what neighbours need is accepted", icmp.always_leaving()),
        *_lists_out(policy, generation),
        Step("only mail users and groups may send mail", parts.smtp.leaving),
        Step("UDP floods of our users are dropped", parts.floods.leaving),
        Step("", (f"goto sending_{generation}",)),
    )


def _passing(policy: Policy, generation: str) -> tuple[Step, ...]:
    return (
        Step("among themselves is accepted", stateful.to_inside(policy)),
        *_lists_out(policy, generation),
        Step("", (f"goto sending_{generation}",)),
    )


def _lists_out(policy: Policy, generation: str) -> tuple[Step, ...]:
    found = listed(policy)
    allowed, denied = (in_families(name, generation, found[name])[1] for name in ("allowed_out", "denied_out"))
    return (
        Step("to allowed addresses, and what allow filters say, is accepted", allowed),
        Step("deny filters are rejected", denied),
        Step("ICMP is accepted", (f"{icmp.IS_ICMP} accept",)),
    )


def _sending(policy: Policy, generation: str) -> tuple[Step, ...]:
    if stateful.lets_out_everything(policy):
        return (Step("all is accepted", ("accept",)),)
    return (
        Step("answers of our open ports that are not tracked are accepted", stateful.untracked_answers(policy)),
        Step("what is no part of any connection, nor its beginning, is dropped", ("ct state invalid counter drop",)),
        Step(
            "to the resolvers, and to DHCP servers, is accepted", (*stateful.name_servers(policy), *stateful.DHCP_OUT)
        ),
        Step("the ports in tcp_out and udp_out are accepted", stateful.outgoing_ports(policy)),
        Step("all else is told of and rejected", (f"goto refused_out_{generation}",)),
    )
