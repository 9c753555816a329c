"""Whether packets pass: asked of the real kernel, with the same rules, in a network that is thrown away."""

import re
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import astuple, replace

from durward.facts.asking import answer_of
from durward.facts.frames import answer_to, echo_request, framed, opening, receiver_of
from durward.facts.laying import Onward, cards_of, far_end, forwarding_now, hardware, lay
from durward.facts.packet import ICMP_NUMBERS, LOOPBACK, Packet, route_to
from durward.facts.throwaway import in_throwaway_network
from durward.facts.tracing import Sighting, Tracer
from durward.model import parse_address
from durward.ruleset.journey import Journey, Place, Rule, journey_of
from durward.ruleset.levels import TABLE

PACKETS_MAX = 4096  # of one question; more are refused
SILENCE_SECONDS = 0.5  # after which the kernel itself has dropped a packet; a rule speaks within a millisecond
MARK = 0x64777264
LAST = 2**31 - 1
OWN_TABLE, ARRIVED_HERE = "durward_asking", "arrived_here"
# What got past all rules is told of and ends here, behind connection tracking, which has to know it for the answer.
OWN_RULES = f"""\
table inet {OWN_TABLE} {{
	chain marked_arriving {{
		type filter hook prerouting priority -500; policy accept;
		ether saddr & ff:ff:ff:ff:ff:00 == {hardware(0, far=True)} meta nftrace set 1
	}}
	chain marked_leaving {{
		type filter hook output priority -500; policy accept;
		meta mark {MARK} meta nftrace set 1
	}}
	chain {ARRIVED_HERE} {{
		type filter hook input priority {LAST}; policy accept;
		drop
	}}
	chain arrived_there {{
		type filter hook postrouting priority {LAST}; policy accept;
		oif != "lo" drop
	}}
}}
"""
CHAIN = re.compile(r"^\tchain (\w+) \{", re.ASCII)
RULE = re.compile(r"^\t\t(.*) # handle (\d+)$", re.ASCII)
REDIRECTED = re.compile(r"\bdnat (?:ip to ([0-9.]+)|ip6 to \[?([0-9a-f:]+))", re.ASCII)
KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM, "icmp": socket.SOCK_RAW}


def judged(rules: str, packets: Sequence[Packet]) -> list[Journey]:
    """What `rules`, nftables text, do to each packet and to the answer to it. Raises FactsError.

    Needs root. The host's own network is not touched.
    """
    if len(packets) > PACKETS_MAX:
        raise ValueError(f"{len(packets)} packets; at most {PACKETS_MAX} were expected")
    forwarding, onward = forwarding_now(), _onward(rules)
    each = list(dict.fromkeys(packets))  # the same one again would belong to a connection
    found = in_throwaway_network(lambda: [astuple(one) for one in _journeys(rules, each, onward, forwarding)])
    journeys = [Journey(passes, tuple(Place(*place) for place in places), *rest) for passes, places, *rest in found]
    known = dict(zip(each, journeys, strict=True))
    return [known[packet] for packet in packets]


def _onward(rules: str) -> Onward:
    """The other machines that the rules redirect packets to, and how this host reaches them."""
    targets = sorted({four or six for four, six in REDIRECTED.findall(rules)})
    routes = {target: route_to(target) for target in map(parse_address, targets)}
    return {target: route for target, route in routes.items() if route is not None and route.interface != LOOPBACK}


def _journeys(rules: str, packets: Sequence[Packet], onward: Onward, forwarding: dict[str, str]) -> list[Journey]:
    for text in (OWN_RULES, rules):  # ours first: of two chains at one place, the kernel asks the newer one first
        answer_of("nft", "-f", "-", given=text)
    lay(packets, onward, forwarding)
    numbered = rules_of(answer_of("nft", "-a", "list", "table", "inet", TABLE))
    cards = cards_of(packets, onward)
    with Tracer() as tracer:
        return [_journey(tracer, packet, cards, numbered) for packet in packets]


def _journey(tracer: Tracer, packet: Packet, cards: list[str], rules: dict[str, list[Rule]]) -> Journey:
    """What becomes of a packet and, if it gets there, of the answer to it."""
    with _begin(tracer, packet, cards):
        seen = _seen(tracer)
        journey = _journey_of(seen, rules)
        if not journey.passes or packet.interface == LOOPBACK or not _has_arrived(seen):
            return journey
        answer = answer_to(seen[-1].network, seen[-1].transport)
        tracer.forget()
        with _send(answer) if seen[-1].hit.chain == ARRIVED_HERE else _put(answer, _exit_of(seen, cards)):
            answered = _journey_of(_seen(tracer), rules)
    return journey if answered.passes else replace(answered, is_answer=True)


def rules_of(listed: str) -> dict[str, list[Rule]]:
    """The rules of each chain, in order, from what `nft -a list` prints."""
    chains: dict[str, list[Rule]] = {}
    rules: list[Rule] = []
    for line in listed.splitlines():
        if found := CHAIN.match(line):
            rules = chains.setdefault(found[1], [])
        elif found := RULE.match(line):
            rules.append(Rule(int(found[2]), found[1]))
    return chains


def _seen(tracer: Tracer) -> list[Sighting]:
    """What is seen of one packet, to its end."""
    seen: list[Sighting] = []
    for sighting in tracer.sightings(SILENCE_SECONDS):
        seen.append(sighting)
        if sighting.hit.verdict in {"drop", "stolen"}:
            break
    return seen


def _has_arrived(seen: Sequence[Sighting]) -> bool:
    return bool(seen) and seen[-1].hit.table == OWN_TABLE and seen[-1].hit.chain.startswith("arrived_")


def _journey_of(seen: Sequence[Sighting], rules: dict[str, list[Rule]]) -> Journey:
    return journey_of([one.hit for one in seen], rules, arrived=_has_arrived(seen))


def _exit_of(seen: Sequence[Sighting], cards: list[str]) -> int:
    """The place among the cards of the one by which a packet left."""
    return cards.index(socket.if_indextoname(seen[-1].exit_index))


def _begin(tracer: Tracer, packet: Packet, cards: list[str]) -> socket.socket:
    """Send the packet; the socket must stay open as long as it is looked at."""
    tracer.forget()
    return _leave(packet) if packet.direction == "out" else _put(opening(packet), cards.index(packet.interface))


def _put(datagram: bytes, card: int) -> socket.socket:
    """Put a datagram on the cable of a card, from its far end."""
    sending = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sending.bind((far_end(card), 0))
    sending.send(framed(datagram, _bytes(hardware(card, far=True)), _bytes(hardware(card))))
    return sending


def _send(datagram: bytes) -> socket.socket:
    """Send a datagram that is made already from this host."""
    family = socket.AF_INET6 if datagram[0] >> 4 == 6 else socket.AF_INET
    sending = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
    sending.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, MARK)
    with suppress(OSError):
        sending.sendto(datagram, (receiver_of(datagram), 0))
    return sending


def _leave(packet: Packet) -> socket.socket:
    """Have a process of ours, which is root's, send the packet."""
    family = socket.AF_INET if packet.source.version == 4 else socket.AF_INET6
    protocol = ICMP_NUMBERS[packet.source.version] if packet.protocol == "icmp" else 0
    sending = socket.socket(family, KINDS[packet.protocol], protocol)
    sending.setblocking(False)
    sending.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, MARK)
    sending.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, packet.interface.encode() + b"\0")
    with suppress(OSError):  # what is refused is told to the sender as well
        sending.bind((str(packet.source), 0))
        if packet.protocol == "tcp":
            sending.connect((str(packet.destination), packet.port))
        else:
            content = b"" if packet.protocol == "udp" else echo_request(packet)
            sending.sendto(content, (str(packet.destination), packet.port))
    return sending


def _bytes(address: str) -> bytes:
    return bytes.fromhex(address.replace(":", ""))
