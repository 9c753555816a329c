"""durward undo: take back one decision, whatever it was."""

import click

from durward.commands.terminal import emit
from durward.commands.verb import ask_engine, verb


@verb("undo")
@click.argument("decision", metavar="ID")
@click.option("--reason", default="", metavar="TEXT", help="Why; `durward why` shows it.")
def command(*, decision: str, reason: str, as_json: bool) -> None:
    """Take back the decision with this number (see `durward log`) or receipt: what it blocked, allowed or lifted."""
    reply = ask_engine("undo", decision=decision, reason=reason)
    if as_json:
        emit(reply)
        return
    click.echo(f"Decision {reply['undone']} is taken back: {reply['verdict']} {reply['subject']}.")
