"""Edits of TOML: the value is set, everything else stays to the byte, and what cannot be done is refused."""

import tomllib
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durward.config.toml_edits import EditError, paths_of, set_value, set_values, toml_of, unset_value

TEXT = """\
# Kept.

[firewall]
tcp_in     = "22,80"   # the web
interfaces = { eth1 = "trusted" }  # mine
# tcp_out = "80"

# about the detectors
[detectors.brute_force]
mode = "enforce"
services.dovecot.count = 10 # phones

[alerts.mail]
to = [
    "root", # me
]
"""


def edited(path: str, value: Any, text: str = TEXT) -> tuple[list[str], list[str]]:
    """The lines that went, and those that came."""
    result = set_value(text, tuple(path.split(".")), value)
    before, after = text.splitlines(), result.splitlines()
    return list((Counter(before) - Counter(after)).elements()), list((Counter(after) - Counter(before)).elements())


@pytest.mark.parametrize(
    ("path", "value", "went", "came"),
    [
        ("firewall.tcp_in", "443", ['tcp_in     = "22,80"   # the web'], ['tcp_in     = "443"   # the web']),
        (
            "firewall.interfaces.docker0",
            "ignored",
            ['interfaces = { eth1 = "trusted" }  # mine'],
            ['interfaces = { eth1 = "trusted", docker0 = "ignored" }  # mine'],
        ),
        ("firewall.syn_flood", "off", [], ['syn_flood = "off"']),
        (
            "detectors.brute_force.services.dovecot.count",
            3,
            ["services.dovecot.count = 10 # phones"],
            ["services.dovecot.count = 3 # phones"],
        ),
        ("detectors.brute_force.services.dovecot.within", "2h", [], ['services.dovecot.within = "2h"']),
        ("detectors.brute_force.services.sshd.count", 3, [], ["services.sshd.count = 3"]),
        ("alerts.mail.to", ["bob"], ["to = [", '    "root", # me', "]"], ['to = ["bob"]']),
        ("ipv6.block_prefix", 56, [], ["", "[ipv6]", "block_prefix = 56"]),
        ("root", True, [], ["root = true"]),
    ],
)
def test_one_value_changes_and_nothing_else(path: str, value: Any, went: list[str], came: list[str]) -> None:
    assert edited(path, value) == (went, came)


def test_a_new_key_stands_in_its_table_and_not_behind_the_next_ones_comment() -> None:
    lines = set_value(TEXT, ("firewall", "ping"), "off").splitlines()
    assert lines[lines.index('ping = "off"') - 1].startswith("interfaces")


def test_nothing_to_do_changes_nothing() -> None:
    assert set_value(TEXT, ("firewall", "tcp_in"), "22,80") == TEXT


def test_an_empty_text_and_one_without_a_last_line_end() -> None:
    assert set_value("", ("a", "b"), 1) == "[a]\nb = 1\n"
    assert set_value("[a]\nb = 1", ("a", "c"), 2) == "[a]\nb = 1\nc = 2\n"
    assert set_value("[a]\nb = 1", ("d", "c"), 2) == "[a]\nb = 1\n\n[d]\nc = 2\n"
    assert set_value("[a]\r\nb = 1\r\n", ("a", "c"), 2) == "[a]\r\nb = 1\r\nc = 2\r\n"
    assert set_value("a.b = 1\n", ("a", "c"), 2) == "a.b = 1\na.c = 2\n"


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [("a = 1", ("a", "b"), 2), ("[a.b]\nc = 1", ("a", "b"), 2), ("", ("a",), object()), ("", ("a",), "\udcff")],
)
def test_what_cannot_be_done_is_refused(text: str, path: tuple[str, ...], value: Any) -> None:
    with pytest.raises(EditError):
        set_value(text, path, value)


NAMES = st.text(st.sampled_from("ab-_1. \"'#=[]é"), min_size=1, max_size=4)
PLAIN = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.one_of(PLAIN, st.integers(-(10**9), 10**9), st.booleans(), st.lists(PLAIN, max_size=3))
TABLES = st.recursive(
    st.dictionaries(NAMES, VALUES, max_size=3), lambda inner: st.dictionaries(NAMES, inner, max_size=3)
)


def written(data: dict[str, Any], at: tuple[str, ...] = ()) -> str:
    """A TOML text of the data, with comments that have to stay."""
    lines = [
        f"{toml_of(name)} = {toml_of(value)} # about" for name, value in data.items() if not isinstance(value, dict)
    ]
    head = [f"# before\n[{'.'.join(map(toml_of, at))}]"] if at else []
    inner = [written(value, (*at, name)) for name, value in data.items() if isinstance(value, dict)]
    return "\n".join([*head, *lines, *inner])


@given(TABLES, st.lists(NAMES, min_size=1, max_size=3), VALUES)
def test_the_text_then_says_what_was_meant_or_is_refused(data: dict[str, Any], path: list[str], value: Any) -> None:
    text = written(data)
    assert tomllib.loads(text) == data
    try:
        result = set_value(text, tuple(path), value)
    except EditError:
        return
    found = dict(paths_of(tomllib.loads(result)))
    assert found.pop(tuple(path)) == value
    was = dict(paths_of(data))
    was.pop(tuple(path), None)
    assert found == was
    assert result.count("# before") == text.count("# before")


def test_ordinary_settings_are_never_refused() -> None:
    values = {("firewall", "tcp_in"): "1", ("a", "b", "c"): 2, ("a", "d"): 3, ("firewall", "interfaces", "eth0.5"): "x"}
    assert dict(paths_of(tomllib.loads(set_values(TEXT, values)))).items() >= values.items()


@pytest.mark.parametrize(
    ("path", "went", "came"),
    [
        ("firewall.tcp_in", ['tcp_in     = "22,80"   # the web'], ["# the web"]),
        (
            "firewall.interfaces.eth1",
            ['interfaces = { eth1 = "trusted" }  # mine'],
            ["interfaces = {}  # mine"],
        ),
        ("detectors.brute_force.mode", ['mode = "enforce"'], []),
        ("detectors.brute_force.services.dovecot.count", ["services.dovecot.count = 10 # phones"], ["# phones"]),
        ("alerts.mail.to", ["to = [", '    "root", # me', "]"], []),
        ("firewall.tcp_out", [], []),
    ],
)
def test_a_value_is_taken_out_and_all_else_stays(path: str, went: list[str], came: list[str]) -> None:
    result = unset_value(TEXT, tuple(path.split(".")))
    before, after = TEXT.splitlines(), result.splitlines()
    assert list((Counter(before) - Counter(after)).elements()) == went
    assert list((Counter(after) - Counter(before)).elements()) == came


@given(TABLES, st.data())
def test_the_text_then_says_all_but_what_was_taken_out(data: dict[str, Any], chosen: st.DataObject) -> None:
    text, known = written(data), dict(paths_of(data))
    if not known:
        return
    path = chosen.draw(st.sampled_from(sorted(known)))
    try:
        result = unset_value(text, path)
    except EditError:
        return
    del known[path]
    assert dict(paths_of(tomllib.loads(result))) == known
    assert (result.count("# before"), result.count("# about")) == (text.count("# before"), text.count("# about"))


def test_what_is_set_can_always_be_taken_out_again() -> None:
    values = {("firewall", "syn_flood"): "1", ("a", "b", "c"): 2, ("firewall", "interfaces", "eth0.5"): "x"}
    text = set_values(TEXT, values)
    for path in values:
        text = unset_value(text, path)
    assert dict(paths_of(tomllib.loads(text))) == dict(paths_of(tomllib.loads(TEXT)))
