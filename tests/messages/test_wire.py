"""An alert survives the way to whoever sends it; what is no alert of ours is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some
from tests.messages.samples import ALERT, HOSTILE, hostile, message

from durward.messages.wire import (
    EVIDENCE_LINES_MAX,
    PAYLOAD_CHARACTERS_MAX,
    WireError,
    message_entry,
    read_alert,
    read_message,
    written,
)


def test_what_was_written_is_read() -> None:
    assert read_alert(written(ALERT)) == ALERT
    assert read_message(json.loads(json.dumps(message_entry(message(more=3, held="why"))))) == message(
        more=3, held="why"
    )


@given(HOSTILE)
def test_any_text_is_kept_within_bounds(text: str) -> None:
    payload = written(hostile(text))
    assert len(payload) <= PAYLOAD_CHARACTERS_MAX * 2
    assert payload.isascii()
    alert = read_alert(payload)
    assert alert.why == text[:1024]
    assert len(alert.evidence) <= EVIDENCE_LINES_MAX


@pytest.mark.parametrize("payload", ["", "[]", "{}", "{", "[" * 100_000, '{"kind": "block"}', "null"])
def test_what_is_no_alert_is_refused(payload: str) -> None:
    with pytest.raises(WireError):
        read_alert(payload)


@given(
    some.dictionaries(
        some.sampled_from(["key", "channel", "made_at", "attempt", "alerts", "held", "more"]),
        some.none() | some.text() | some.lists(some.text()),
    )
)
def test_what_is_no_message_is_refused(entry: dict[str, object]) -> None:
    with pytest.raises(WireError):
        read_message(entry)


@pytest.mark.parametrize(
    ("name", "value"), [("kind", "x"), ("severity", 1), ("until", "x"), ("evidence", "x"), ("at", "x")]
)
def test_a_field_of_another_type_is_refused(name: str, value: object) -> None:
    with pytest.raises(WireError):
        read_alert(json.dumps(json.loads(written(ALERT)) | {name: value}))


def test_what_an_earlier_release_wrote_is_read() -> None:
    """Alerts wait in the database while durward is upgraded."""
    earlier = {name: value for name, value in json.loads(written(ALERT)).items() if name not in {"account", "about"}}
    assert read_alert(json.dumps(earlier)) == ALERT
