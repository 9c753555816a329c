"""The import contracts hold, and each one is proven by a violation that it catches, alone."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
PURE = next(contract for contract in CONTRACTS if contract["id"] == "pure")
CLOSED = next(contract for contract in CONTRACTS if contract["id"] == "enforcer")

VIOLATIONS = {
    "a model that knows settings": ("layers", {"model/broken.py": "import durward.config"}),
    "a store that knows panels": ("layers", {"store/broken.py": "import durward.panels"}),
    "an engine that scans": ("layers", {"engine/broken.py": "import durward.scan"}),
    "a daemon that knows the web": ("layers", {"daemons/broken.py": "import durward.web"}),
    "a verb that knows the drop-in": ("layers", {"commands/broken.py": "import durward.csf"}),
    "a package without a place": ("layers", {"lodger/__init__.py": ""}),
    "a web page that holds the key": ("key", {"web/broken.py": "import durward.privileged"}),
    "a second daemon that holds the key": ("key", {"daemons/broken.py": "import durward.privileged"}),
    "a daemon with a command line": ("light", {"daemons/broken.py": "import click"}),
    "a daemon with a command line from afar": (
        "light",
        {"control/broken.py": "import click", "daemons/broken.py": "import durward.control.broken"},
    ),
    "a detector that asks its neighbour": (
        "shelves",
        {"detectors/first.py": "import durward.detectors.second", "detectors/second.py": ""},
    ),
    "two modules that need each other": (
        "acyclic",
        {"ruleset/first.py": "import durward.ruleset.second", "ruleset/second.py": "import durward.ruleset.first"},
    ),
}


def broken_in(directory: Path, violation: dict[str, str]) -> tuple[set[str], str]:
    """The ids of the contracts that a copy of the tree with these files in it breaks, and what the linter printed."""
    shutil.copytree(ROOT / "src", directory / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", directory)
    for name, statement in violation.items():
        path = directory / "src" / "durward" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'"""A violation on purpose."""\n\n{statement}\n')
    linter = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    done = subprocess.run(
        [sys.executable, "-c", linter, "--no-logo", "--no-cache"],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(directory / "src"), "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    verdicts = {
        contract["id"]: re.search(rf"^{re.escape(contract['name'])} (KEPT|BROKEN)", done.stdout, re.MULTILINE)
        for contract in CONTRACTS
    }
    assert all(verdicts.values()), done.stdout + done.stderr
    return {name for name, verdict in verdicts.items() if verdict and verdict[1] == "BROKEN"}, done.stdout


def test_the_tree_keeps_every_contract(tmp_path: Path) -> None:
    broken, printed = broken_in(tmp_path, {})
    assert broken == set(), printed


@pytest.mark.parametrize("title", VIOLATIONS)
def test_a_violation_breaks_its_contract_and_no_other(title: str, tmp_path: Path) -> None:
    contract, files = VIOLATIONS[title]
    broken, printed = broken_in(tmp_path, files)
    also = {"acyclic"} if contract == "layers" else set()  # to import upwards is often to close a circle
    assert contract in broken, printed
    assert broken <= {contract} | also, printed


def test_no_pure_package_may_import_anything_that_touches_the_world(tmp_path: Path) -> None:
    statement = "\n".join(f"import {module}" for module in PURE["forbidden_modules"])
    packages = [package.removeprefix("durward.") for package in PURE["source_modules"]]
    broken, printed = broken_in(tmp_path, {f"{package}/broken.py": statement for package in packages})
    assert broken == {"pure"}, printed
    for package in packages:
        for module in PURE["forbidden_modules"]:
            assert f"durward.{package}.broken -> {module} " in printed


@pytest.mark.parametrize("package", CLOSED["forbidden_modules"])
def test_the_enforcer_may_not_reach_what_reads_hostile_text(package: str, tmp_path: Path) -> None:
    broken, printed = broken_in(tmp_path, {"daemons/enforcer.py": f"import {package}"})
    assert "enforcer" in broken, printed


def test_the_enforcer_may_not_reach_it_by_detours_either(tmp_path: Path) -> None:
    files = {"privileged/broken.py": "import durward.engine"}
    assert broken_in(tmp_path, files)[0] == {"enforcer"}


def test_every_contract_is_proven() -> None:
    proven = {contract for contract, _ in VIOLATIONS.values()} | {"pure", "enforcer"}
    assert proven == {contract["id"] for contract in CONTRACTS}
