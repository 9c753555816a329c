"""Lines that are JSON objects: a line to its fields, named by the path to them, such as `request.remote_ip`."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from durward.scan.envelope import readings

DEPTH_MAX = 6  # of objects within objects; what lies deeper is not looked at
FIELDS_MAX = 256  # of one line; further ones are not looked at
STAMPS = ("ts", "time", "timestamp", "@timestamp", "Timestamp", "datetime", "date", "t", "StartUTC", "asctime")
SPELT = {True: b"true", False: b"false", None: b""}


def json_fields(line: bytes) -> Mapping[str, bytes] | None:
    """The fields of a line; None where it is no JSON object, or where a key stands twice in it.

    Numbers and truth values are given as JSON writes them, nothing as "". The last text of a list is there under the
    number -1 too: where addresses are listed, it is the one that the service saw itself. `stamp` is the time, from
    whichever of the usual keys has it. What is empty is "" too. An object may also be the message of a syslog line.
    """
    start = _start(line)
    if start is None:
        return None
    try:
        read = json.loads(start, object_pairs_hook=_unique, parse_constant=_refuse)
        fields = _unique(list(_fields(read, "", DEPTH_MAX))) if isinstance(read, dict) else None
    except (ValueError, RecursionError):
        return None
    if fields is not None:
        fields.setdefault("stamp", next((fields[name] for name in STAMPS if name in fields), b""))
    return fields


def _start(line: bytes) -> bytes | None:
    if line[:1] == b"{":
        return line
    if b"{" not in line:
        return None
    return next((message.text for message in readings(line, "syslog") if message.text[:1] == b"{"), None)


def _fields(value: Any, path: str, depth: int) -> Iterator[tuple[str, bytes]]:
    pairs = value.items() if isinstance(value, dict) else _numbered(value)
    for count, (key, inner) in enumerate(pairs):
        if count >= FIELDS_MAX:
            return
        name = f"{path}.{key}" if path else str(key)
        if isinstance(inner, dict | list):
            if not inner:
                yield name, b""
            elif depth:
                yield from _fields(inner, name, depth - 1)
        elif isinstance(inner, str):
            yield name, inner.encode("utf-8", "replace")
        elif isinstance(inner, bool) or inner is None:
            yield name, SPELT[inner]
        else:
            yield name, str(inner).encode()


def _numbered(values: list[Any]) -> list[tuple[int, Any]]:
    return [*((-1, last) for last in values[-1:] if isinstance(last, str)), *enumerate(values)]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) != len(pairs):
        raise ValueError("a key stands twice: readers differ in which of the two they believe")
    return keys


def _refuse(constant: str) -> Any:
    raise ValueError(constant)
