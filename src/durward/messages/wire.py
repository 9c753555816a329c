"""Alerts as JSON and back: what the outbox keeps, and what the engine hands to the process that sends."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from durward.messages.inert import line
from durward.model.alert import ALERT_KINDS, SEVERITIES, Alert, Message

EVIDENCE_LINES_MAX = 10  # of one alert: the last ones
TEXT_CHARACTERS_MAX = 1024  # of each text; the rest is cut off
PAYLOAD_CHARACTERS_MAX = 64 << 10  # of one alert; a longer one cannot be made from texts that short
TYPES: Mapping[str, type] = {
    field.name: {"at": float, "first_at": float, "last_at": float, "decision": int, "count": int}.get(field.name, str)
    for field in fields(Alert)
    if field.name not in {"until", "evidence", "files"}
}
LATER = frozenset({"account", "about"})  # fields that what was written by an earlier release does not have


class WireError(ValueError):
    """A text that is no alert or message of ours."""


def written(alert: Alert) -> str:
    """The alert as one line of JSON, its texts cut to what is kept."""
    values = asdict(alert)
    for name, value in values.items():
        if isinstance(value, str):
            values[name] = value[:TEXT_CHARACTERS_MAX]
    for name, texts in (("evidence", alert.evidence), ("files", alert.files)):
        values[name] = [text[:TEXT_CHARACTERS_MAX] for text in texts[-EVIDENCE_LINES_MAX:]]
    return json.dumps(values)


def read_alert(payload: str) -> Alert:
    """The alert that `written` wrote. Raises WireError."""
    try:
        values = json.loads(payload)
    except (ValueError, RecursionError):
        raise WireError("this is no JSON") from None
    return _alert(values)


def message_entry(message: Message) -> dict[str, Any]:
    """The message as the engine hands it over."""
    return asdict(message)


def read_message(entry: Any) -> Message:
    """What `message_entry` gave, after JSON. Raises WireError."""
    try:
        alerts = tuple(_alert(one) for one in entry["alerts"])
        return Message(
            key=str(entry["key"]),
            channel=str(entry["channel"]),
            made_at=float(entry["made_at"]),
            attempt=int(entry["attempt"]),
            alerts=alerts,
            held=str(entry["held"]),
            more=int(entry["more"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise WireError(f"this is no message: {line(str(error), 200)}") from None


def _alert(values: Any) -> Alert:
    if not isinstance(values, dict):
        raise WireError("an alert is a JSON object")
    known: dict[str, Any] = {}
    for name, kind in TYPES.items():
        value = values.get(name, "" if name in LATER else None)
        if not isinstance(value, kind) and not (kind is float and isinstance(value, int)):
            raise WireError(f"{name} of an alert should be of another type")
        known[name] = value
    if known["kind"] not in ALERT_KINDS or known["severity"] not in SEVERITIES:
        raise WireError("this kind of alert is not known")
    until = values.get("until")
    if not (until is None or isinstance(until, int | float)):
        raise WireError("until of an alert should be of another type")
    return Alert(**known, until=until, evidence=_texts(values, "evidence"), files=_texts(values, "files", []))


def _texts(values: Mapping[str, Any], name: str, default: Any = None) -> tuple[str, ...]:
    found = values.get(name, default)
    if not isinstance(found, list | tuple):
        raise WireError(f"{name} of an alert should be of another type")
    return tuple(str(one) for one in found[-EVIDENCE_LINES_MAX:])
