"""Writes what an import came to: cards first, then settings, then the ignore list; a mistake takes the cards back."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from durward.catalog.document import Problem, ProblemsError
from durward.config.backups import back_up
from durward.config.changes import Change, Ground, write_changes
from durward.config.home import Home
from durward.config.list_edits import append_entry
from durward.config.replacing import locked, replace_file
from durward.fail2ban.cards import ORIGIN, Made
from durward.fail2ban.plan import Plan
from durward.model import Subject

MODE = 0o640
IGNORE_LIST = "ignore.list"
BACKUP_SUFFIX = ".before-import"


@dataclass(slots=True)
class Written:
    """What was written. `backup` is what `durward profile restore` takes; `kept` are cards that are somebody's own."""

    changes: list[Change] = field(default_factory=list)
    cards: list[Path] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    backup: str = ""
    kept: list[Path] = field(default_factory=list)


def is_imported(path: Path) -> bool:
    """Whether an earlier import wrote this card: then it may be written again."""
    try:
        with path.open("rb") as file:
            return file.read(len(ORIGIN.encode())) == ORIGIN.encode()
    except OSError:
        return False


def write_plan(home: Home, plan: Plan, now: datetime) -> Written:
    """Write everything that is not so already. Raises ProblemsError; then no card and no setting was written."""
    written = Written()
    before = _write_cards(home, plan.cards, written)
    try:
        _write_settings(home, plan, now, written)
        _write_ignored(home, plan, now, written)
    except ProblemsError:
        _take_back(before)
        raise
    return written


def _write_cards(home: Home, cards: list[Made], written: Written) -> dict[Path, bytes | None]:
    """Write the cards; gives what stood there before, None for nothing."""
    folder = home.etc / "services"
    before: dict[Path, bytes | None] = {}
    try:
        for card in cards:
            path = folder / f"{card.id}.toml"
            raw = card.text.encode()
            old = path.read_bytes() if path.exists() else None
            if old is not None and not is_imported(path):
                written.kept.append(path)
            elif old != raw:
                folder.mkdir(mode=0o750, parents=True, exist_ok=True)
                with locked(folder):
                    if old is not None:
                        replace_file(path.with_name(path.name + BACKUP_SUFFIX), old, mode=MODE)
                    replace_file(path, raw, mode=MODE)
                before[path] = old
                written.cards.append(path)
    except OSError as error:
        _take_back(before)
        raise ProblemsError([Problem(str(folder), 1, "", error.strerror or "cannot be written")]) from None
    return before


def _take_back(before: dict[Path, bytes | None]) -> None:
    for path, old in before.items():
        if old is None:
            path.unlink(missing_ok=True)
        else:
            replace_file(path, old, mode=MODE)


def _write_settings(home: Home, plan: Plan, now: datetime, written: Written) -> None:
    ground = Ground.of(home)
    changes = [ground.change(path, value) for path, value in plan.settings.items() if ground.setting(path)]
    written.changes = [change for change in changes if change.before != change.after]
    write_changes(ground, written.changes, dry_run=True)  # a mistake ends here, before a copy is made
    if written.changes:
        made = back_up(home.etc, "before-fail2ban", now)
        written.backup = made.id if made else ""
        write_changes(ground, written.changes)


def _write_ignored(home: Home, plan: Plan, now: datetime, written: Written) -> None:
    for text in plan.ignored:
        path = home.etc / IGNORE_LIST
        if append_entry(path, Subject.parse(text), "fail2ban's ignoreip", f"{now:%a %b %d %Y}"):
            written.ignored.append(text)
