"""durward import: what another program was told about this host, in durward's words."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from durward.commands.config import living, shown
from durward.commands.terminal import bold, emit, inert, quantity, table
from durward.commands.verb import Exit, fail, here, home_option, verb

if TYPE_CHECKING:
    from durward.commands.check import Checked
    from durward.config.home import Home
    from durward.fail2ban.mapping import Known
    from durward.fail2ban.plan import Plan
    from durward.fail2ban.writing import Written

FAIL2BAN = "/etc/fail2ban"
TEXT_CHARACTERS_MAX = 60  # of a value in a table; --json gives all of it


@click.group("import")
@home_option
def command() -> None:
    """Carry over what another program was told. Each key has its line: it maps, differs or is refused, and why."""


@verb("fail2ban")
@click.argument("directory", default=FAIL2BAN, type=click.Path(file_okay=False, path_type=Path))
@click.option("--apply", "write", is_flag=True, help="Write it: settings, cards and lists. A copy is made before.")
def fail2ban(*, directory: Path, write: bool, as_json: bool) -> None:
    """Read fail2ban's jails and filters in DIRECTORY (/etc/fail2ban) and show what they come to here.

    Enabled jails become settings of the services that read the same lines; filters that no card of ours covers become
    cards of your own. Nothing is written without --apply, and fail2ban's own files are never changed.
    """
    from durward.fail2ban.failure import Fail2banError
    from durward.fail2ban.mapping import plan_of

    home = here()
    try:
        plan = plan_of(directory, known_of(home))
    except Fail2banError as error:
        fail(Exit.WRONG, str(error))
    written = write_(home, plan) if write else None
    checked = _checked(home) if written else None
    if as_json:
        emit(_entry(directory, plan, written, checked))
    else:
        for line in page(plan, written, checked):
            click.echo(line)
    if checked and checked.problems:
        click.get_current_context().exit(Exit.WRONG)


def known_of(home: "Home") -> "Known":
    """The services of `home`, but for those that an earlier import made. Raises ProblemsError."""
    from durward.config.changes import Ground
    from durward.config.loading import load_cards
    from durward.fail2ban.mapping import Known
    from durward.fail2ban.writing import is_imported

    ground = Ground.of(home)
    services, _ = load_cards(home)
    known = frozenset(
        card.id for card in services if not (card.path.parent.parent == home.etc and is_imported(card.path))
    )
    return Known(
        known,
        lambda service: ground.value(("services", service, "files")) or (),
        lambda service: ground.value(("services", service, "journal")) or (),
    )


def write_(home: "Home", plan: "Plan") -> "Written":
    """Write the plan. Raises ProblemsError."""
    from durward.fail2ban.writing import write_plan

    return write_plan(home, plan, datetime.now(UTC))


def page(plan: "Plan", written: "Written | None", checked: "Checked | None") -> list[str]:
    """The rows by jail, then what was written or would be."""
    lines: list[str] = []
    for jail in dict.fromkeys(row.jail for row in plan.rows):
        rows = [row for row in plan.rows if row.jail == jail]
        lines += [
            bold(inert(jail)),
            table([_cells(row.outcome, row.key, row.text, row.target, row.why) for row in rows], "  "),
        ]
    counts = ", ".join(f"{count} {outcome}" for outcome, count in plan.count().items() if count)
    lines += ["", f"{quantity(len(plan.rows), 'key')}: {counts}."]
    if written is None:
        cards = quantity(len(plan.cards), "card")
        ignored = f"{quantity(len(plan.ignored), 'source')} to ignore"
        lines.append(
            f"Nothing was written. With --apply: {quantity(len(plan.settings), 'setting')}, {cards}, {ignored}."
        )
        return lines
    return [*lines, *_told(written, checked)]


def _cells(outcome: str, key: str, text: str, target: str, why: str) -> tuple[str, ...]:
    cut = text if len(text) <= TEXT_CHARACTERS_MAX else f"{text[:TEXT_CHARACTERS_MAX]}…"
    said = "; ".join(part for part in (target, why) if part)
    return (outcome, inert(f"{key} = {cut}"), inert(said))


def _told(written: "Written", checked: "Checked | None") -> list[str]:
    lines = [f"  {inert(one.key)}: {shown(one.before)} -> {shown(one.after)}" for one in written.changes]
    lines += [f"wrote {path}" for path in written.cards]
    lines += [f"left as it is: {path} is not from an import" for path in written.kept]
    lines += [f"ignore.list: {one}" for one in written.ignored]
    if not lines:
        return ["Nothing to change: everything is as it would be."]
    if written.backup:
        lines.append(f"To take the settings back:  durward profile restore {written.backup}")
    if checked is not None:
        lines += [inert(str(problem)) for problem in checked.problems] or ["The settings and cards are right."]
    lines += living(written.changes)
    if written.cards:
        lines.append("  New cards are read after a restart of durward. Try one:  durward scan LOG --service ID")
    lines.append("fail2ban still runs if it ran before: stop it once durward does what you want.")
    return lines


def _checked(home: "Home") -> "Checked":
    from durward.commands.check import examined

    return examined(home)[0]


def _entry(directory: Path, plan: "Plan", written: "Written | None", checked: "Checked | None") -> dict[str, Any]:
    entry: dict[str, Any] = {
        "directory": str(directory),
        "files": list(plan.files),
        "rows": [asdict(row) for row in plan.rows],
        "settings": {".".join(path): value for path, value in plan.settings.items()},
        "cards": [{"id": card.id, "text": card.text} for card in plan.cards],
        "ignored": plan.ignored,
        "written": written is not None,
    }
    if written is not None:
        entry["changes"] = [
            {"key": one.key, "before": one.before, "after": one.after, "file": str(one.file)} for one in written.changes
        ]
        entry |= {"cards_written": [str(path) for path in written.cards], "backup": written.backup or None}
    if checked is not None:
        entry["problems"] = [asdict(problem) for problem in checked.problems]
    return entry


command.add_command(fail2ban)
