"""The lock files: every requirement of pyproject.toml is pinned with hashes, and both locks agree."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
BLOCK = re.compile(r"^([a-z0-9-]+)==(\S+)[^\n]*\n((?:    [^\n]*\n)*)", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    """The versions that a lock pins; a pin without hashes is no pin."""
    found = BLOCK.findall((ROOT / name).read_text())
    assert all("--hash=sha256:" in rest for _, _, rest in found)
    return {package: version for package, version, _ in found}


def wanted(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~;\s\[]", text)[0] for text in requirements}


def test_the_runtime_lock_holds_what_running_and_building_need() -> None:
    groups = PROJECT["dependency-groups"]
    needed = wanted(PROJECT["project"]["dependencies"]) | wanted(groups["build"])
    assert needed <= set(pins("requirements.lock"))
    assert not wanted(groups["test"]) & set(pins("requirements.lock"))


def test_the_test_lock_adds_the_tests_needs_and_changes_no_version() -> None:
    runtime, test = pins("requirements.lock"), pins("requirements-test.lock")
    assert wanted(PROJECT["dependency-groups"]["test"]) <= set(test)
    assert {package: test.get(package) for package in runtime} == runtime


def test_the_build_backend_is_the_locked_one() -> None:
    assert PROJECT["build-system"]["requires"] == [f"hatchling=={pins('requirements.lock')['hatchling']}"]


def test_nothing_names_where_packages_come_from() -> None:
    for name in ("requirements.lock", "requirements-test.lock", "start", "test", "packaging/prepare.sh"):
        assert not re.search(r"https?://|--(extra-)?index-url|--find-links", (ROOT / name).read_text())
