"""What an entry cannot mean where it stands is a problem with its line, never silence."""

from pathlib import Path

import pytest

from durward.config import list_checks
from durward.config.home import Home
from durward.config.list_checks import left_out
from durward.config.lists import read_list
from durward.config.loading import Lists, load_lists


def lists(tmp_path: Path, **texts: str) -> Lists:
    home = Home.below(tmp_path)
    home.etc.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (home.etc / f"{name}.list").write_text(text)
    return load_lists(home)


def places(found: Lists) -> list[tuple[str, int, str]]:
    return [(Path(one.file).name, one.line, one.message) for one in found.problems]


def test_what_is_too_wide_for_the_sets_is_named(tmp_path: Path) -> None:
    found = lists(
        tmp_path,
        deny="10.0.0.0/8\n10.0.0.0/7\n2001:db8::/33\n2001:db8::/32\ntcp|in|d=80|s=10.0.0.0/7\n",
        allow="::/0\n",
    )
    assert [(file, line) for file, line, _ in places(found)] == [("allow.list", 1), ("deny.list", 2), ("deny.list", 3)]
    assert "it would take 512 entries of the kernel's sets, and 256 is most" in found.problems[1].message
    assert [entry.line for entry in found.deny.entries] == [1, 4, 5]
    assert found.deny.entries[-1].scope is None, "a filter becomes a rule, which may be as wide as it wants"


def test_an_interval_with_a_part_that_is_too_wide_is_one_problem(tmp_path: Path) -> None:
    found = lists(tmp_path, deny="2001:db8::-2001:db8:8000::\n192.0.2.1\n")
    assert [(file, line) for file, line, _ in places(found)] == [("deny.list", 1)]
    assert [entry.network for entry in found.deny.entries] == ["192.0.2.1"]


@pytest.mark.parametrize("kind", ["neighbour-solicitation", "packet-too-big", "135", "143/0", "router-advertisement"])
def test_what_ipv6_needs_cannot_be_denied_alone(tmp_path: Path, kind: str) -> None:
    line = f"icmpv6|in|d={kind}|s=2001:db8::/32\n"
    found = lists(tmp_path, deny=line + "icmpv6|in|d=any|s=2001:db8::/32\nicmp|in|d=ping|s=2001:db8::4\n", allow=line)
    ((file, number, message),) = places(found)
    assert (file, number) == ("deny.list", 1)
    assert f"IPv6 does not work without {kind}" in message
    assert [entry.line for entry in found.deny.entries] == [2, 3]


def test_a_filter_has_no_effect_on_what_is_ignored(tmp_path: Path) -> None:
    found = lists(tmp_path, ignore="10.0.0.0/7\ntcp|in|d=22|s=192.0.2.4\n")
    ((file, line, message),) = places(found)
    assert (file, line) == ("ignore.list", 2)
    assert "a filter has no effect here" in message


def test_what_is_left_out_for_being_too_many_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_checks, "ENTRIES_IN_FORCE_MAX", 2)
    path = tmp_path / "allow.list"
    path.write_text("192.0.2.1\n192.0.2.2\nicmp|in|d=ping|s=192.0.2.3\n192.0.2.4\n192.0.2.5\n")
    (problem,) = left_out(read_list(path))
    assert (problem.line, problem.message) == (4, "more than 2 entries; this one and 1 behind it are not in force")
    path.write_text("192.0.2.1\n192.0.2.2\nicmp|in|d=ping|s=192.0.2.3\n")
    assert left_out(read_list(path)) == []
