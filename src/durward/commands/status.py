"""durward status: is it protecting, since when, and is anything degraded?"""

from typing import Any

import click

from durward.commands.refusing import counted_rows
from durward.commands.terminal import bold, emit, inert, moment, quantity, span, table
from durward.commands.verb import Exit, ask_engine, ask_engine_all, verb

FIREWALL = {
    "off": "blocks only; `durward apply` adds the firewall",
    "trial": "the firewall is on trial; `durward confirm` keeps it",
    "confirmed": "with the firewall",
    "stopped": "stopped; `durward start` protects again",
    "unknown": "the enforcer does not answer",
}

UNPROVEN = {  # of a file that any account of this host may write lines into
    "half": "; anybody here may write it, so it counts half: durward doctor",
    "whole": "; anybody here may write it: durward doctor",
    "nothing": "; anybody here may write it, so it does not count",
}


@verb("status")
@click.option("--prometheus", is_flag=True, help="Answer with figures in Prometheus' text format.")
def command(*, prometheus: bool, as_json: bool) -> None:
    """Show whether this host is protected, who is blocked, how far each log has been read, and what is degraded."""
    reply = ask_engine("status")
    if prometheus:
        from durward.messages.figures import exposition

        click.echo(exposition(reply, list(ask_engine_all("alerts"))), nl=False)
    elif as_json:
        emit(reply)
    else:
        click.echo(page(reply))
    if not reply["protecting"]:
        click.get_current_context().exit(Exit.NO)


def page(reply: dict[str, Any]) -> str:
    """The answer as a page of a few lines."""
    state = "Protecting" if reply["protecting"] else "NOT protecting"
    lines = [f"{bold(state)} since {moment(reply['since'])}  ({FIREWALL[reply['firewall']]})"]
    counts = [quantity(reply["blocks"], "block"), f"{reply['allows']:,} allowed", f"{reply['ignores']:,} ignored"]
    counts[1:1] = [f"{reply['throttles']:,} throttled"] if reply.get("throttles") else []
    lines += [f"  {', '.join(counts)}.  To see them:  durward list", ""]
    lines += _sources(reply["sources"])
    lines += ["", table([_process_row(process) for process in reply["processes"]], "  ")]
    if refused := counted_rows(reply.get("refused", [])):
        lines += ["", "  Refused since the rules were loaded", refused]
    if counted := counted_rows(reply.get("counted", [])):
        lines += ["", "  Also counted", counted]
    lines += _shadow(reply.get("shadow") or {})
    lines += _knocks(reply.get("knocks"))
    lines += [f"  degraded: {inert(problem)}" for problem in reply["degraded"]]
    return "\n".join(lines)


def _sources(sources: list[dict[str, Any]]) -> list[str]:
    """What is read. Of the many places where services would log that are not here, only how many there are."""
    there = [source for source in sources if not source.get("absent")]
    lines = [table([_source_row(source) for source in there], "  ") or "  No log is being read."]
    if missing := len(sources) - len(there):
        lines.append(f"  {quantity(missing, 'other place')} for logs, where nothing is (yet):  durward status --json")
    return lines


def _shadow(counted: dict[str, dict[str, int]]) -> list[str]:
    """What detectors that only watch would have done."""
    rows = [
        (inert(origin.removeprefix("detector:")), ", ".join(f"{name}: {number:,}" for name, number in would.items()))
        for origin, would in counted.items()
    ]
    return ["", "  What detectors in shadow mode would have done within a day", table(rows, "    ")] if rows else []


def _knocks(state: dict[str, Any] | None) -> list[str]:
    if state is None:
        return []
    refused = sum(state["refused"].values())
    told = f"{quantity(state['keys'], 'key')}; {state['accepted']:,} let in, {refused:,} refused"
    problem = f"; {inert(state['problem'])}" if "problem" in state else ""
    return ["", f"  Authorised knocks at UDP port {state['port']}: {told}{problem}.  Why refused:  durward doctor"]


def _source_row(source: dict[str, Any]) -> tuple[str, ...]:
    lag = "up to date" if source["lag_seconds"] < 1 else f"{span(source['lag_seconds'])} behind"
    state = inert(source["problem"]) if "problem" in source else lag
    state += f"; {inert(source['flood'])}" if "flood" in source else ""
    state += UNPROVEN.get(source.get("unproven", ""), "")
    return (inert(source["name"]), quantity(source["lines"], "line"), quantity(source["events"], "event"), state)


def _process_row(process: dict[str, Any]) -> tuple[str, ...]:
    memory = f"{process['rss_kib'] / 1024:.0f} MB" if process["rss_kib"] else ""
    return (process["name"], f"process {process['pid']}", memory)
