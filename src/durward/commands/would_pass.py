"""durward would-pass: does a packet pass? The real kernel answers, and names the rule."""

from typing import Any, Literal

import click

from durward.commands.asking import GENERATION, Stands, in_force, listed_for, policy_now, rules_for, stands_for
from durward.commands.terminal import bold, emit, inert, table
from durward.commands.verb import Exit, fail, here, verb
from durward.model import Address, Port, parse_address
from durward.ruleset.journey import Journey

PORT_MAX = 65_535


@verb("would-pass")
@click.option("--from", "source", metavar="IP", help="Who sends the packet; with --out, an address of this host.")
@click.option("--to", "destination", metavar="IP", help="To whom.  [default: this host]")
@click.option("--port", type=click.IntRange(1, PORT_MAX), metavar="N", help="To which port; a ping has none.")
@click.option(
    "--proto",
    "protocol",
    type=click.Choice(["tcp", "udp", "icmp"]),
    default="tcp",
    show_default=True,
    help="What begins: a connection, a datagram, or a ping.",
)
@click.option("--out", is_flag=True, help="The packet leaves this host, sent by root.")
def command(
    *,
    source: str | None,
    destination: str | None,
    port: int | None,
    protocol: Literal["tcp", "udp", "icmp"],
    out: bool,
    as_json: bool,
) -> None:
    """Ask the kernel whether the first packet of a connection and the answer would pass, and which rule decides.

    The rules that the settings give as they are now, and what stands for the addresses asked, are loaded into a network
    namespace that is thrown away; there the packet is sent and traced. The host's own network is not touched. Exit
    status: 0 it passes, 1 it does not.
    """
    _check(source, destination, port, protocol, out=out)
    answer = answer_of(
        parse_address(source) if source else None,
        parse_address(destination) if destination else None,
        0 if port is None or protocol == "icmp" else port,
        protocol,
        out=out,
    )
    emit(answer) if as_json else click.echo(page(answer))
    if not answer["passes"]:
        click.get_current_context().exit(Exit.NO)


def _check(source: str | None, destination: str | None, port: int | None, protocol: str, *, out: bool) -> None:
    if not (destination if out else source):
        fail(Exit.WRONG, "--to IP is needed with --out" if out else "--from IP is needed")
    if port is None and protocol != "icmp":
        fail(Exit.WRONG, "--port N is needed")
    ends = [parse_address(text) for text in (source, destination) if text]
    if len({one.version for one in ends}) > 1:
        fail(Exit.WRONG, f"{ends[0]} and {ends[1]} are of two address families")


def answer_of(
    source: Address | None,
    destination: Address | None,
    port: int,
    protocol: Literal["tcp", "udp", "icmp"],
    *,
    out: bool,
) -> dict[str, Any]:
    """The kernel's answer, as --json gives it. What is not configured right, or not to be learnt, ends the verb."""
    from durward.config.loading import load, load_lists
    from durward.facts.failure import FactsError
    from durward.facts.interfaces import interfaces
    from durward.facts.packet import Ways
    from durward.facts.passing import judged
    from durward.ruleset.journey import step_of

    home = here()
    settings, lists = load(home).settings, load_lists(home)
    policy = policy_now(home, settings, lists)
    try:
        ways = Ways(interfaces())
        if out and destination is not None:
            packet = ways.leaving(source, destination, protocol, port)
        elif source is not None:
            packet = ways.arriving(source, destination, protocol, port)
        stands = stands_for(home, lists, [packet.source, packet.destination])
        listed = listed_for(home, policy, [packet.source, packet.destination])
        (journey,) = judged(rules_for(policy, settings, stands.standings, listed), [packet])
    except FactsError as error:
        fail(Exit.WRONG, str(error))
    remote = packet.destination if out else packet.source
    asked_port = Port(port, protocol) if protocol != "icmp" else None
    differs = in_force(home, policy)
    return {
        "passes": journey.passes,
        "from": str(packet.source),
        "to": str(packet.destination),
        "protocol": protocol,
        "port": port or None,
        "direction": "out" if out else "in",
        "interface": packet.interface,
        "rule": journey.rule or None,
        "step": step_of(journey, policy, GENERATION),
        "path": [{"chain": place.chain, "rule": place.rule} for place in journey.places],
        "undo": _undo(stands, journey, remote, out=out, port=asked_port),
        "notes": [*stands.notes, *([differs] if differs else [])],
    }


def _undo(stands: Stands, journey: Journey, remote: Address, *, out: bool, port: Port | None) -> str | None:
    """The commands that take the blocks back which refused the packet or, the other way round, the answer to it."""
    if not journey.blocked:
        return None
    if journey.is_answer:
        out, port = not out, None
    return "; ".join(stands.undo_of(remote, out, port)) or None


def page(answer: dict[str, Any]) -> str:
    """The answer as people read it."""
    what = f"{answer['protocol']} {answer['port']}" if answer["port"] else "a ping"
    verdict = "passes" if answer["passes"] else "does not pass"
    facts = [("Because", answer["step"])]
    facts += [("Rule", inert(answer["rule"]))] if answer["rule"] else []
    facts += [("Undo", answer["undo"])] if answer["undo"] else []
    facts += [("Note", inert(note)) for note in answer["notes"]]
    first = f"From {answer['from']} to {answer['to']}, {what}, {answer['direction']} by {inert(answer['interface'])}:"
    return f"{first} {bold(verdict)}.\n\n" + table(facts, "  ")
