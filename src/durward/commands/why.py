"""durward why: everything that refuses somebody, with its evidence, and the one command that takes it back."""

from typing import Any

import click

from durward.commands.counted import counted_by
from durward.commands.listed import add_lists, list_lines
from durward.commands.precedence import precedence_lines
from durward.commands.refusing import foreign_lines, limit_lines
from durward.commands.terminal import bold, emit, inert, lasting, moment, quantity, table
from durward.commands.verb import Exit, ask_engine, fail, here, verb
from durward.model import Port, parse_address
from durward.model.event import FILES

HISTORY_SHOWN = 8  # earlier decisions on the page; --json gives more


@verb("why")
@click.argument("subject")
@click.option("--port", metavar="22", help="Also ask the kernel whether it would reach this port: 22 or 53/udp.")
def command(*, subject: str, port: str | None, as_json: bool) -> None:
    """Explain what refuses SUBJECT: an address, a network, a receipt, or the name of an account or a file.

    Shows the decision, the log lines that prove it, what was kept out since, when it ends, what would happen next
    time, and the one command that takes it back. Exit status: 0 not blocked, 1 blocked.
    """
    reply = ask_engine("why", subject=subject)
    add_lists(reply, here())
    if port is not None:
        reply["layers"].append(_at_port(reply["subject"], port))
        reply["blocked"] = reply["blocked"] or reply["layers"][-1]["blocked"]
    if as_json:
        emit(reply)
    else:
        click.echo(page(reply))
    if reply["blocked"]:
        click.get_current_context().exit(Exit.NO)


def page(reply: dict[str, Any]) -> str:
    """The answer as people read it."""
    lines: list[str] = []
    for layer in reply["layers"]:
        if layer["layer"] == "told":
            lines += _told(layer)
        elif "decision" in layer:
            lines += _block(reply, layer)
    if not lines:
        state = "is refused for now" if reply["blocked"] else "is not blocked"
        lines.append(f"{bold(inert(reply['subject']))} {state}.")
        lines += [line for layer in reply["layers"] for line in _counted(layer)]
    lines += list_lines(reply["layers"])
    lines += limit_lines(reply["layers"])
    lines += foreign_lines(reply["layers"])
    lines += [f"  Allowed by  {reply['allowed_by']}: blocks do not touch it."] if reply["allowed"] else []
    lines += [f"  Ignored by  {reply['ignored_by']}: its lines are not counted."] if reply["ignored"] else []
    if reply.get("spared_by"):
        lines.append(f"  Spared by   {inert(reply['spared_by'])}: what web servers say of it is not counted.")
    lines += [_port_line(layer) for layer in reply["layers"] if layer["layer"] == "ports"]
    lines += precedence_lines(reply.get("precedence", ()))
    shown = [past for past in reply["history"] if past["decision"] not in _current(reply)]
    if shown:
        lines += ["", "  Earlier", table([_past_row(past) for past in shown[:HISTORY_SHOWN]], "    ")]
    return "\n".join(lines)


def _at_port(subject: str, text: str) -> dict[str, Any]:
    """The layer of the firewall's ports: what the real kernel answers to a first packet."""
    from durward.commands.would_pass import answer_of

    try:
        address, port = parse_address(subject), Port.parse(text)
    except ValueError as error:
        fail(Exit.WRONG, f"--port: {error}")
    answer = answer_of(address, None, port.number, port.protocol, out=False)
    kept = {key: answer[key] for key in ("rule", "step", "undo") if answer.get(key)}
    return {"layer": "ports", "blocked": not answer["passes"], "port": port.number, "protocol": port.protocol, **kept}


def _port_line(layer: dict[str, Any]) -> str:
    reached = "does not reach" if layer["blocked"] else "reaches"
    return f"  Port {layer['port']}/{layer['protocol']}: it {reached} it ({inert(str(layer.get('step', '')))})."


def _block(reply: dict[str, Any], layer: dict[str, Any]) -> list[str]:
    who = (
        layer["subject"] if layer["subject"] == reply["subject"] else f"{inert(reply['subject'])} ({layer['subject']})"
    )
    verb_phrase = _state_of(layer)
    facts = [
        ("Why", inert(layer["reason"])),
        ("Decided", f"{moment(layer['made_at'])} by {inert(layer['origin'])}, receipt {layer['receipt']}"),
        ("Since then", f"{quantity(layer['packets'], 'packet')} refused, {quantity(layer['bytes'], 'byte')}"),
    ]
    if "name" in layer:
        facts.insert(0, ("Name", f"{inert(layer['name'])}, confirmed by DNS"))
    if layer["layer"] == "throttle":
        facts.insert(0, ("Limited", f"what it begins anew: {layer['limit']}; what goes on is not"))
    if layer["ports"]:
        facts.insert(1, ("Ports", layer["ports"]))
    if layer.get("threshold"):
        too_many = f"{layer['threshold']} {counted_by(layer['origin'])} within {layer['within']} are too many"
        facts.insert(1, ("Rule", too_many))
    if layer["next_time"]:
        facts.append(("Next time", f"it would be for {layer['next_time']}"))
    lines = [f"{bold(who)} {verb_phrase}, {lasting(layer['until'])}.", "", table(facts, "  ")]
    lines += _evidence(layer)
    return [*lines, "", f"  To let it in again:  {bold(layer['undo'])}"]


def _told(layer: dict[str, Any]) -> list[str]:
    """What people were told of an account, a file or a process; nobody is refused because of it."""
    decided = f"{moment(layer['made_at'])} by {inert(layer['origin'])}, receipt {layer['receipt']}"
    facts = [("Why", inert(layer["reason"])), ("Decided", decided)]
    head = f"{bold(inert(layer['subject']))} is what an alert was about; nobody is refused because of it."
    return [head, "", table(facts, "  "), *_evidence(layer)]


def _evidence(layer: dict[str, Any]) -> list[str]:
    """The lines that led to a decision, and the files that may have to do with it."""
    shown = [line for line in layer["evidence"] if line["source"] != FILES]
    files = [line for line in layer["evidence"] if line["source"] == FILES]
    rows: list[str] = []
    if shown:
        rows += ["", f"  The {quantity(len(shown), 'line')} that led to it"]
        rows += [f"    {inert(line['text'])}" for line in shown]
        rows += [f"    from {inert(source)}" for source in sorted({line["source"] for line in shown})]
    if files:
        rows += ["", "  Files that may have done it", *(f"    {inert(line['text'])}" for line in files)]
    return rows


def _state_of(layer: dict[str, Any]) -> str:
    if layer["layer"] == "throttle":
        return "is throttled" if layer["throttled"] else "has a throttle that does not hold"
    return "is blocked" if layer["blocked"] else "has a block that does not hold"


def _counted(layer: dict[str, Any]) -> list[str]:
    if not layer.get("count"):
        return []
    return [f"  It has {layer['count']} of the {layer['threshold']} that are too many."]


def _past_row(past: dict[str, Any]) -> tuple[str, ...]:
    verdict = f"would {past['verdict']}" if past["simulated"] else past["verdict"]
    reason = inert(past["reason"])
    if "refused" in past:
        verdict, reason = f"no {verdict}", f"{reason}; a guard refused it: {inert(past['refused'])}"
    return (f"{past['decision']}", moment(past["made_at"]), verdict, f"{past['subject']}  {reason}")


def _current(reply: dict[str, Any]) -> set[int]:
    return {layer["decision"] for layer in reply["layers"] if "decision" in layer}
