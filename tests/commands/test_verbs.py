"""What all verbs share: they help, they say clearly when nobody answers or a word is wrong, and they start quickly."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from tests.commands.typed import typed

from durward.commands import (  # noqa: F401  # noqa: F401
    allow,
    block,
    disallow,
    doctor,
    ignore,
    list_,
    listing,
    log,
    run,
    status,
    unblock,
    undo,
    unignore,
    verb,
    why,
)
from durward.commands.main import durward
from durward.commands.verb import Exit

CONTEXT = click.Context(durward)
VERBS = durward.list_commands(CONTEXT)


def with_subcommands(name: str) -> list[tuple[str, ...]]:
    """The verb, and each verb below it where it is a group like `config`."""
    found = durward.get_command(CONTEXT, name)
    return [(name, inner) for inner in found.list_commands(CONTEXT)] if isinstance(found, click.Group) else [(name,)]


PAGES = [words for name in VERBS for words in with_subcommands(name)]
ASKING = [
    *(("status",), ("why", "203.0.113.9"), ("list",), ("list", "allowed"), ("log",), ("doctor",), ("undo", "17")),
    *(("block", "203.0.113.9"), ("allow", "203.0.113.9"), ("ignore", "203.0.113.9"), ("unblock", "203.0.113.9")),
    *(("disallow", "203.0.113.9"), ("unignore", "203.0.113.9"), ("block", "2001:db8::/64", "--for", "1h")),
]
ADDRESSED = ("block", "allow", "ignore", "disallow", "unignore")
HEAVY = ("asyncio", "sqlite3", "ssl", "http", "email", "multiprocessing", "durward.store", "durward.privileged")


def test_the_verbs_that_were_promised_are_there() -> None:
    promised = "run status check block unblock allow disallow ignore unignore why list log undo scan replay doctor"
    assert set(promised.split()) <= set(VERBS)


@pytest.mark.parametrize("words", PAGES, ids=" ".join)
def test_every_verb_says_what_it_is_for(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = typed(*words, "--help", home=tmp_path)
    assert done.status == 0
    assert f"Usage: durward {' '.join(words)} " in done.out
    purpose = done.out.split("\n\n")[1]
    assert len(purpose.strip()) > 20, "one sentence at least"
    assert "--json" in done.out
    assert done.out == typed(*words, "-h", home=tmp_path).out


def test_the_page_of_all_verbs_names_each_with_its_purpose(tmp_path: Path) -> None:
    page = typed("--help", home=tmp_path).out
    lines = [line.split(maxsplit=1) for line in page.partition("Commands:\n")[2].splitlines()]
    assert [line[0] for line in lines] == VERBS
    assert all(len(line) == 2 for line in lines)


@pytest.mark.parametrize("words", ASKING, ids=" ".join)
def test_without_an_engine_it_says_so_and_how_to_start_one(tmp_path: Path, words: tuple[str, ...]) -> None:
    for json_too in ((), ("--json",)):
        done = typed(*words, *json_too, home=tmp_path)
        assert (done.status, done.out) == (Exit.NO_ANSWER, "")
        assert f"durward: the engine does not answer at {tmp_path / 'run' / 'engine.sock'}" in done.errors
        assert "`durward run` starts it" in done.errors


@pytest.mark.parametrize("name", ADDRESSED)
@pytest.mark.parametrize("text", ["", "nonsense", "203.0.113.256", "203.0.113.9/24", "fe80::1%eth0", "203.0.113.0/33"])
def test_a_wrong_address_is_wrong_usage(tmp_path: Path, name: str, text: str) -> None:
    done = typed(name, text, home=tmp_path)
    assert (done.status, done.out) == (Exit.WRONG, "")
    assert done.errors.startswith("durward: ")
    assert done.errors.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        *(("--for", "soon"), ("--for", "-1h"), ("--for", "9" * 5000 + "s"), ("--port", "ssh"), ("--port", "0")),
        *(("--port", "22,"), ("--port", "22/sctp"), ("--port", ",".join(map(str, range(1, 1000)))), ("--nonsense",)),
        ("another",),
    ],
    ids=lambda words: " ".join(words)[:30],
)
def test_wrong_options_are_wrong_usage(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = typed("block", "203.0.113.9", *words, home=tmp_path)
    assert (done.status, done.out) == (Exit.WRONG, "")


def test_an_unknown_verb_is_wrong_usage(tmp_path: Path) -> None:
    for name in ("no-such-verb", "verb", "main", "terminal", "listing", "reading", "../main", "list_", "__init__"):
        done = typed(name, home=tmp_path)
        assert done.status == Exit.WRONG, name
        assert "No such command" in done.errors


def test_what_an_error_says_is_inert(tmp_path: Path) -> None:
    for words in (("scan", "\x1b[31m.log"), ("scan", "x", "--service", "\x1b]0;x\x07"), ("block", "\x1b[2J")):
        done = typed(*words, home=tmp_path)
        assert done.status == Exit.WRONG
        assert not {"\x1b", "\x07"} & set(done.errors)


def imported(tmp_path: Path, *words: str) -> set[str]:
    """The modules that a verb has imported when it is done."""
    program = (
        "import sys; from durward.commands.main import durward\n"
        "try:\n    durward(sys.argv[1:], prog_name='durward')\n"
        "except SystemExit:\n    pass\n"
        "finally:\n    print('\\nMODULES', *sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--home", str(tmp_path), *words],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return set(done.stderr.rpartition("MODULES ")[2].split())


@pytest.mark.parametrize(
    "words", [("--help",), ("status",), ("why", "203.0.113.9"), ("list",), ("scan", "-"), ("check",)]
)
def test_nothing_heavy_is_imported(tmp_path: Path, words: tuple[str, ...]) -> None:
    modules = imported(tmp_path, *words)
    assert "click" in modules
    found = {name for name in modules if any(name == heavy or name.startswith(f"{heavy}.") for heavy in HEAVY)}
    assert found == set()


def test_asking_loads_neither_cards_nor_the_scanner(tmp_path: Path) -> None:
    modules = imported(tmp_path, "status")
    assert not {"durward.scan.scanner", "durward.config.settings", "durward.engine.engine"} & modules


def test_a_reader_that_stops_reading_is_no_error(tmp_path: Path) -> None:
    """As in `durward --help | head -1`."""
    reading = "import sys; from durward.commands.main import main; sys.argv = ['durward', '--help']; main()"
    with subprocess.Popen(
        [sys.executable, "-c", reading], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        said = running.stderr.read()
    assert said == ""
