"""durward doctor: is what should be true really true?"""

from collections.abc import Iterator
from dataclasses import asdict

import click

from durward.catalog.document import ProblemsError
from durward.commands.terminal import emit, inert, quantity, table
from durward.commands.verb import Exit, ask_engine_all, here, verb
from durward.control.requests import NoAnswerError
from durward.model import ABSENT, Finding

SIGNS = {"pass": "ok", "fail": "WRONG", "error": "WRONG", "unknown": "?", "not_applicable": "-"}


@verb("doctor")
def command(*, as_json: bool) -> None:
    """Look whether durward really protects: a block really reaches the kernel, every log is read and understood.

    Where a service is set so that its log hides who failed, it says which setting to change.

    Exit status: 0 all is well, 1 something is not.
    """
    findings = list(ask_engine_all("doctor"))
    if not findings:
        raise NoAnswerError("the engine ended the connection without an answer")
    findings += map(asdict, [*_settled(), *_installed()])
    if as_json:
        for finding in findings:
            emit(finding)
    else:
        click.echo(page(findings))
    if any(finding["result"] in ("fail", "error") for finding in findings):
        click.get_current_context().exit(Exit.NO)


def page(findings: list[dict[str, str]]) -> str:
    """The findings as a table. Of the many places where a service would log, and nothing is, only the number."""
    told = [one for one in findings if one["detail"] != ABSENT]
    rows = [_row(one) for one in told]
    if missing := len(findings) - len(told):
        said = f"{quantity(missing, 'place')} for logs, where nothing is (yet):  durward doctor --json"
        rows.append(("-", "source", said))
    return table(rows)


def _settled() -> Iterator[Finding]:
    """What the firewall in force has not caught up with; nothing where the settings are wrong: the engine says so."""
    from durward.commands.sparing import closed_ssh
    from durward.commands.unapplied import unapplied
    from durward.config.loading import load, load_lists

    try:
        settings = load(here()).settings
        waiting = unapplied(here(), settings, load_lists(here()))
    except ProblemsError:
        return
    yield from (Finding("lists", f"{one.file}:{one.line}", "fail", one.message) for one in waiting)
    yield from closed_ssh(here(), settings)


def _installed() -> Iterator[Finding]:
    """The services that are installed here, whether their lines come, and what would make them tell more.

    Nothing where the settings are wrong.
    """
    from durward.commands import advising, discovery
    from durward.config.loading import load, load_cards
    from durward.scan.topology import Topology

    try:
        loaded, services = load(here()), load_cards(here())[0]
    except ProblemsError:
        return
    status = next(ask_engine_all("status"), {})
    settings = loaded.settings.services
    yield from discovery.findings(services, settings, status.get("sources"))
    yield from advising.findings(loaded.services, settings, Topology(loaded.topology))


def _row(finding: dict[str, str]) -> tuple[str, ...]:
    return (SIGNS[finding["result"]], f"{finding['check']} {inert(finding['subject'])}", inert(finding["detail"]))
