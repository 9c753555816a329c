"""Whether packets pass: asked of the real kernel, with the same rules, in a network that is thrown away."""

import re
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from durward.facts.asking import answer_of
from durward.facts.frames import echo_request, frame
from durward.facts.laying import cards_of, far_end, forwarding_now, hardware, lay
from durward.facts.packet import ICMP_NUMBERS, Packet
from durward.facts.throwaway import in_throwaway_network
from durward.facts.tracing import Tracer
from durward.ruleset.journey import Hit, Journey, Place, Rule, journey_of
from durward.ruleset.levels import TABLE

PACKETS_MAX = 4096  # of one question; more are refused
SILENCE_SECONDS = 0.5  # after which the kernel itself has dropped a packet; a rule speaks within a millisecond
MARK = 0x64777264
OWN_TABLE = "durward_asking"
ARRIVED = re.compile(r"arrived_\w+")
# What got past all rules is told of and ends here, so that no packet leaves a trace in the limits of the next one.
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
	chain arrived_here {{
		type filter hook input priority 1000; policy accept;
		drop
	}}
	chain arrived_there {{
		type filter hook forward priority 1000; policy accept;
		drop
	}}
	chain arrived_out {{
		type filter hook output priority 1000; policy accept;
		oif != "lo" drop
	}}
}}
"""
CHAIN = re.compile(r"^\tchain (\w+) \{", re.ASCII)
RULE = re.compile(r"^\t\t(.*) # handle (\d+)$", re.ASCII)
KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM, "icmp": socket.SOCK_RAW}


def judged(rules: str, packets: Sequence[Packet]) -> list[Journey]:
    """What `rules`, nftables text, do to each packet as if it came alone and first. Raises FactsError.

    Needs root. The host's own network is not touched.
    """
    if len(packets) > PACKETS_MAX:
        raise ValueError(f"{len(packets)} packets; at most {PACKETS_MAX} were expected")
    forwarding = forwarding_now()
    found = in_throwaway_network(lambda: [_plain(one) for one in _journeys(rules, packets, forwarding)])
    return [Journey(passes, tuple(Place(*place) for place in places)) for passes, places in found]


def _plain(journey: Journey) -> Any:
    return [journey.passes, journey.places]


def _journeys(rules: str, packets: Sequence[Packet], forwarding: dict[str, str]) -> list[Journey]:
    answer_of("nft", "-f", "-", given=OWN_RULES + rules)
    lay(packets, forwarding)
    numbered = rules_of(answer_of("nft", "-a", "list", "table", "inet", TABLE))
    cards, journeys = cards_of(packets), []
    with Tracer() as tracer:
        for packet in packets:
            tracer.forget()
            hits = _traced(tracer, packet, cards)
            arrived = bool(hits) and _has_arrived(hits[-1])
            journeys.append(journey_of(hits, numbered, arrived=arrived))
    return journeys


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


def _traced(tracer: Tracer, packet: Packet, cards: list[str]) -> list[Hit]:
    hits: list[Hit] = []
    opened = _leave(packet) if packet.direction == "out" else _arrive(packet, cards.index(packet.interface))
    with opened:
        for hit in tracer.hits(SILENCE_SECONDS):
            hits.append(hit)
            if hit.verdict in {"drop", "stolen"}:
                break
    return hits


def _has_arrived(hit: Hit) -> bool:
    return hit.table == OWN_TABLE and ARRIVED.fullmatch(hit.chain) is not None


def _arrive(packet: Packet, card: int) -> socket.socket:
    """Put the packet on the cable of a card, from its far end."""
    sending = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sending.bind((far_end(card), 0))
    sending.send(frame(packet, _bytes(hardware(card, far=True)), _bytes(hardware(card))))
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
        say: dict[str, Callable[[], Any]] = {
            "tcp": lambda: sending.connect((str(packet.destination), packet.port)),
            "udp": lambda: sending.sendto(b"", (str(packet.destination), packet.port)),
            "icmp": lambda: sending.sendto(echo_request(packet), (str(packet.destination), 0)),
        }
        say[packet.protocol]()
    return sending


def _bytes(address: str) -> bytes:
    return bytes.fromhex(address.replace(":", ""))
