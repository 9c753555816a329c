"""Lines of JSON: fields by their paths; what readers could disagree on is no record."""

import json

from hypothesis import given
from hypothesis import strategies as st

from durward.scan.json_lines import json_fields


def test_fields_have_the_names_of_their_paths() -> None:
    line = b'{"ts":1795430000.5,"request":{"remote_ip":"203.0.113.9","headers":{"X":["a","b"]}},"status":401,"ok":false'
    found = json_fields(line + b',"u":null}') or {}
    assert found["request.remote_ip"] == b"203.0.113.9"
    assert found["request.headers.X.1"] == b"b"
    assert (found["status"], found["ok"], found["u"], found["stamp"]) == (b"401", b"false", b"", b"1795430000.5")


def test_the_message_of_a_syslog_line_may_be_an_object() -> None:
    found = json_fields(b'Nov 23 08:10:00 web1 caddy[42]: {"status":401}') or {}
    assert found["status"] == b"401"


def test_what_could_be_read_in_two_ways_is_not_read() -> None:
    assert json_fields(b'{"ip":"198.51.100.7","ip":"203.0.113.9"}') is None
    assert json_fields(b'{"a.b":"198.51.100.7","a":{"b":"203.0.113.9"}}') is None
    for line in (b"", b"{", b"[1]", b'{"a":NaN}', b'{"a":1} {"a":2}', b"{" * 5000, b"x {"):
        assert json_fields(line) is None


@given(st.dictionaries(st.text(max_size=8), st.recursive(st.none() | st.booleans() | st.text(max_size=9), st.lists)))
def test_any_object_is_read_without_an_error(read: dict[str, object]) -> None:
    line = json.dumps(read).encode()
    found = json_fields(line)
    assert found is None or all(isinstance(value, bytes) for value in found.values())


def test_the_last_text_of_a_list_is_there_by_the_number_minus_one_too() -> None:
    found = json_fields(b'{"from":["198.51.100.7","203.0.113.9"],"none":[],"more":[{"a":1}]}') or {}
    assert found["from.-1"] == b"203.0.113.9"
    assert not [name for name in found if name.startswith(("none.-1", "more.-1"))]
