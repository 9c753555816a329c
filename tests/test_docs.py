"""The documentation tells the truth: what it names exists, and what exists is named."""

import importlib.util
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import click
import pytest

from durward.catalog.detector_card import COMMON
from durward.catalog.service_card import load_services
from durward.catalog.shelf import directories_of, load_detectors
from durward.commands.main import durward
from durward.config.schema import schema_of

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "docs" / "reference"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(?:sh|console|bash)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
PLACE = re.compile(r"`((?:src|tests|docs|packaging|arena|bench|\.ci)/[\w./-]+)`")


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = generator()
VERBS: dict[str, click.Command] = GENERATOR.verbs()


def test_there_are_verbs() -> None:
    assert {"run", "check", "block", "unblock"} <= set(VERBS)


@pytest.mark.parametrize("path", GENERATOR.PAGES, ids=lambda path: path.name)
def test_reference_pages_are_what_the_program_says(path: Path) -> None:
    assert path.read_text() == GENERATOR.PAGES[path](), "run `.venv/bin/python docs/generate.py`"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_documented_with_every_option(verb: str) -> None:
    page = (REFERENCE / "commands.md").read_text()
    section = re.search(rf"^## durward {re.escape(verb)}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert section is not None
    options = {name for parameter in VERBS[verb].params for name in parameter.opts if name.startswith("--")}
    assert {name for name in options if name not in section[1]} == set()


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_and_option_says_what_it_does(verb: str) -> None:
    command = VERBS[verb]
    assert command.help
    silent = [option.name for option in command.params if isinstance(option, click.Option) and not option.help]
    assert silent == []


@cache
def section(page: str, table: str) -> str:
    """What a page says under the heading of a table of settings, as far as the next heading of its rank."""
    found = re.search(rf"^(###?) \[{re.escape(table)}\]\n((?:(?!^##? |^\1 ).*\n)*)", page, re.MULTILINE)
    return found[2] if found else ""


def test_every_setting_is_documented() -> None:
    page = (REFERENCE / "settings.md").read_text()
    shelf = load_detectors(directories_of("detectors"))
    keys = set(schema_of(load_services(directories_of("services")), shelf).root.all_keys())
    assert len(keys) > 20
    common = set(tomllib.loads(COMMON.read_text()))
    missing = []
    for key in keys:
        general = re.sub(r"^(detectors\.\w+)\.services\.[^.]+\.", r"\1.", key)
        general = re.sub(r"^services\.[^.]+\.", "services.NAME.", general).replace("*", "NAME")
        detector, _, name = general.rpartition(".")
        if detector.startswith("detectors.") and name in common and f"| `{name}` |" not in section(page, detector):
            general = f"detectors.NAME.{name}"  # as every detector has it
        depth = 2 if general.startswith(("detectors.", "services.")) else 1
        table, name = ".".join(general.split(".")[:depth]), ".".join(general.split(".")[depth:])
        if f"| `{name}` |" not in section(page, table):
            missing.append(key)
    assert missing == []


def test_every_service_is_documented() -> None:
    page = (REFERENCE / "services.md").read_text()
    assert [card.id for card in load_services(directories_of("services")) if f"| `{card.id}` |" not in page] == []


def commands_in(path: Path) -> Iterator[list[str]]:
    """The commands of ours in a page's blocks, as argument lists, without prompts, sudo and comments."""
    for block in BLOCK.findall(path.read_text()):
        for line in block.splitlines():
            for part in re.split(r"\s(?:\||&&|;)\s", line):
                try:
                    words = shlex.split(part, comments=True)
                except ValueError:
                    continue
                while words and (words[0] in ("$", "#", "sudo") or re.fullmatch(r"[A-Z_]+=\S*", words[0])):
                    words = words[1:]
                if words and words[0] in ("durward", "./start", "./test", "just"):
                    yield words


def complaint(words: list[str]) -> str:
    """What is wrong with a command that a page names; empty where nothing is."""
    if words[0] in ("./start", "./test"):
        script = (ROOT / words[0]).read_text()
        return "".join(word for word in words[1:] if word.startswith("--") and word not in script)
    if words[0] == "just":
        recipes = set(re.findall(r"^([a-z]+)(?: \*\w+)?:", (ROOT / "justfile").read_text(), re.MULTILINE))
        return "" if len(words) == 1 or words[1] in recipes else f"no recipe {words[1]}"
    rest = [word for word in words[1:] if not word.startswith("-")]
    if not rest:
        return ""
    name = " ".join(rest[:2]) if " ".join(rest[:2]) in VERBS else rest[0]
    if name not in VERBS:
        return f"no verb {name}"
    known = {
        one
        for parameter in (*durward.params, *VERBS[name].params)
        for one in (*parameter.opts, *parameter.secondary_opts)
    }
    unknown = [
        word for word in words if word.startswith("--") and word.partition("=")[0] not in {*known, "--help", "--"}
    ]
    return f"no option {unknown}" if unknown else ""


@pytest.mark.parametrize("path", PAGES, ids=shown)
def test_commands_in_the_pages_exist(path: Path) -> None:
    assert {shlex.join(words): wrong for words in commands_in(path) if (wrong := complaint(words))} == {}


def test_the_readme_has_commands_and_wrong_ones_are_seen() -> None:
    assert len(list(commands_in(ROOT / "README.md"))) >= 5
    assert complaint(["durward", "frobnicate"]) == "no verb frobnicate"
    assert complaint(["durward", "block", "--frobnicate"])
    assert complaint(["./start", "--frobnicate"])


@pytest.mark.parametrize("path", PAGES, ids=shown)
def test_links_and_places_in_the_pages_exist(path: Path) -> None:
    text = path.read_text()
    local = [target for target in LINK.findall(text) if "://" not in target and not target.startswith("mailto:")]
    gone = [target for target in local if not (path.parent / target).exists()]
    named = [place for place in PLACE.findall(text) if not re.search(r"NAME|FOLDER|[A-Z]", place)]
    assert gone + [place for place in named if not (ROOT / place).exists()] == []


def test_the_changelog_names_the_version() -> None:
    from durward import __version__

    text = (ROOT / "CHANGELOG.md").read_text()
    assert "## Unreleased" in text or f"## {__version__}" in text
