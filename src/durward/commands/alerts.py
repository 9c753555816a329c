"""durward alerts: how the ways are by which people are told, and a test of each."""

import time
from typing import Any

import click

from durward.commands.terminal import bold, emit, inert, quantity, span, table
from durward.commands.verb import Exit, ask_engine, ask_engine_all, home_option, json_option, verb

POLL_SECONDS = 0.2
PATIENCE_SECONDS = 60.0  # a test that has not come to anything by then is told to wait
OFF = """No channel is switched on, so nobody is told of anything. To be told by mail:
  durward config set alerts.mail.enabled=true alerts.mail.to=root
  durward alerts test"""


@click.group("alerts", invoke_without_command=True)
@click.pass_context
@json_option
@home_option
def command(context: click.Context, *, as_json: bool) -> None:
    """Show the channels by which people are told: what waits, what was sent, and what does not arrive."""
    if context.invoked_subcommand is None:
        context.invoke(state, as_json=as_json)


@verb("state")
def state(*, as_json: bool) -> None:
    """Show each channel that is switched on: alerts that wait, messages that were sent, and what is wrong."""
    channels = list(ask_engine_all("alerts"))
    if as_json:
        for channel in channels:
            emit(channel)
        return
    click.echo(table([_row(channel) for channel in channels]) or OFF)
    for channel in channels:
        if channel["problem"]:
            click.echo(f"  {channel['channel']}: {inert(channel['problem'])}{_again(channel)}")
        if channel["dropped"]:
            click.echo(f"  {channel['channel']}: {quantity(channel['dropped'], 'alert')} more than can wait; counted")


@verb("test")
@click.argument("channel", required=False)
def test(*, channel: str | None, as_json: bool) -> None:
    """Send a test by CHANNEL, or by every channel that is switched on, and say what came of it.

    It goes at once, whatever the budget and the quiet hours say. A channel is a name like mail or webhook.
    """
    sent = list(ask_engine_all("alerts test", **({"channel": channel} if channel else {})))
    until = time.monotonic() + PATIENCE_SECONDS
    outcomes = [_outcome(one["message"], until) for one in sent]
    for outcome in outcomes:
        emit(outcome) if as_json else click.echo(_told(outcome))
    if any(outcome["state"] != "sent" for outcome in outcomes):
        click.get_current_context().exit(Exit.NO)


def _outcome(message: int, until: float) -> dict[str, Any]:
    """What became of a message: after its first try, or when there is no more patience."""
    while True:
        found = ask_engine("alerts", message=message)
        if found["state"] in {"sent", "failed"} or (found["state"] == "waiting" and found["tries"]):
            return found
        if time.monotonic() > until:
            return found | {"detail": "nobody has sent it yet; does the alerter run? `durward run` starts it"}
        time.sleep(POLL_SECONDS)


def _told(outcome: dict[str, Any]) -> str:
    name = bold(outcome["channel"])
    if outcome["state"] == "sent":
        return f"{name}: the test was taken by the receiver."
    later = "" if outcome["state"] == "failed" else " It is tried again."
    return f"{name}: NOT sent: {inert(outcome['detail'])}.{later}"


def _row(channel: dict[str, Any]) -> tuple[str, ...]:
    ago = "" if channel["sent_at"] is None else f", the last {span(time.time() - channel['sent_at'])} ago"
    waiting = f"{channel['waiting']:,} waiting" + (f", {channel['unsent']:,} being sent" if channel["unsent"] else "")
    failed = f", {channel['failed']:,} given up" if channel["failed"] else ""
    return (channel["channel"], waiting, f"{quantity(channel['sent'], 'message')} sent{ago}{failed}")


def _again(channel: dict[str, Any]) -> str:
    seconds = channel["next_in_seconds"]
    return "" if seconds is None else f"; again in {span(seconds)}"


command.add_command(state)
command.add_command(test)
