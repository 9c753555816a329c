"""Whatever is wrong with settings and lists is said with file, line and reason before anything else happens."""

from pathlib import Path

import pytest
from tests.commands.typed import settings, typed
from tests.commands.wrong_input import WRONG, Wrong, write

from durward.commands.verb import Exit

SHOWN_MAX = 2000  # characters of all messages about one mistake


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong.file}: {wrong.name}".replace(" ", "-"))
def test_it_is_said_where_and_what(tmp_path: Path, wrong: Wrong) -> None:
    named = write(settings(tmp_path, ""), wrong)
    done = typed("apply", home=tmp_path)
    assert (done.status, done.out) == (Exit.WRONG, ""), done.errors[:SHOWN_MAX]
    assert f"{named}:{wrong.line}: " in done.errors, done.errors[:SHOWN_MAX]
    assert wrong.says in done.errors, done.errors[:SHOWN_MAX]
    assert len(done.errors) < SHOWN_MAX
    assert all(line.isprintable() for line in done.errors.splitlines())
