"""durward doctor: is what should be true really true?"""

import click

from durward.commands.terminal import emit, inert, table
from durward.commands.verb import Exit, ask_engine_all, verb
from durward.control.requests import NoAnswerError

SIGNS = {"pass": "ok", "fail": "WRONG", "error": "WRONG", "unknown": "?", "not_applicable": "-"}


@verb("doctor")
def command(*, as_json: bool) -> None:
    """Look whether durward really protects: a block really reaches the kernel, every log is read and understood.

    Exit status: 0 all is well, 1 something is not.
    """
    findings = list(ask_engine_all("doctor"))
    if not findings:
        raise NoAnswerError("the engine ended the connection without an answer")
    if as_json:
        for finding in findings:
            emit(finding)
    else:
        click.echo(table([_row(one) for one in findings]))
    if any(finding["result"] in ("fail", "error") for finding in findings):
        click.get_current_context().exit(Exit.NO)


def _row(finding: dict[str, str]) -> tuple[str, ...]:
    return (SIGNS[finding["result"]], f"{finding['check']} {inert(finding['subject'])}", inert(finding["detail"]))
