"""Where keys stand in a TOML text, whatever is around them."""

import pytest

from durward.config.toml_layout import end_of_value, layout_of

TEXT = '''# [not.a] = "header"
root = 1 # one
[firewall] # all of it
tcp_in   =   "22,#80"   # not = a key
"quoted key" = 'C:\\dir'
list = [ # first
    "a]", # ] is inside
    "b",
] # last
long = """
[not.a.header]
key = "no"
""" # over
braces = { eth1 = "tru#sted", "eth0.5" = "x" }
a.b.c = 3
[[repeated]]
key = 1
[ detectors . "x.y" ]
date = 2026-11-23T08:00:00Z
'''


def test_every_key_its_table_and_its_value() -> None:
    layout = layout_of(TEXT)
    found = {one.path: (one.table, TEXT[one.value_start : one.value_end]) for one in layout.assignments}
    firewall = ("firewall",)
    assert found["root",] == ((), "1")
    assert found["firewall", "tcp_in"] == (firewall, '"22,#80"')
    assert found["firewall", "quoted key"] == (firewall, "'C:\\dir'")
    assert found["firewall", "list"][1].endswith('"b",\n]')
    assert found["firewall", "long"][1].startswith('"""\n[not')
    assert found["firewall", "braces"] == (firewall, '{ eth1 = "tru#sted", "eth0.5" = "x" }')
    assert found["firewall", "a", "b", "c"] == (firewall, "3")
    assert found["detectors", "x.y", "date"][1] == "2026-11-23T08:00:00Z"
    assert len(found) == 8
    assert set(layout.headers) == {("firewall",), ("detectors", "x.y")}


def test_lines_end_where_the_next_begins() -> None:
    ends = [one.line_end for one in layout_of(TEXT).assignments]
    assert all(TEXT[end - 1] == "\n" for end in ends)
    assert ends == sorted(ends)


@pytest.mark.parametrize(
    "value",
    ['"a\\"b#"', "'#'", '""', "''", "-1.5e3", "true", "[[1, 2], ['#']]", "{ a = [1, 2] }", '"""a"b""c"""', '"""x"""""'],
)
@pytest.mark.parametrize("rest", ["", " # note", "\n", "\r\nnext = 1", "   \nx"])
def test_ends_of_values(value: str, rest: str) -> None:
    assert end_of_value(f"key = {value}{rest}", 6) == 6 + len(value)
