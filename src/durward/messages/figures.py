"""Figures for Prometheus, in its text format: what `durward status` says, and how the alerts go."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from durward.messages import inert

SERIES_MAX = 10_000  # lines of one figure; more sources than that are not written
UNSAFE = re.compile(r'[\\"]')
Labels = Mapping[str, str]
Series = Iterable[tuple[Labels, float]]


def exposition(status: Mapping[str, Any], channels: Sequence[Mapping[str, Any]]) -> str:
    """All figures. `status` and `channels` are the engine's answers."""
    sources = [one for one in status["sources"] if not one.get("absent")]
    since = datetime.fromisoformat(status["since"]).timestamp()
    parts = [
        _figure("protecting", "gauge", "1 while this host is protected.", [({}, float(status["protecting"]))]),
        _figure("start_time_seconds", "gauge", "When the engine began.", [({}, since)]),
        _figure("degraded", "gauge", "How many things are not as they should be.", [({}, len(status["degraded"]))]),
        _figure("entries", "gauge", "What stands on each list.", _entries(status)),
        _figure("source_lag_seconds", "gauge", "How long lines wait to be read.", _each(sources, "lag_seconds")),
        _figure("source_lines_total", "counter", "Lines that were read.", _each(sources, "lines")),
        _figure("source_events_total", "counter", "Lines that were events.", _each(sources, "events")),
        _figure("process_resident_bytes", "gauge", "Memory of each process.", _memory(status["processes"])),
        _figure("alerts_waiting", "gauge", "Alerts that wait to be sent.", _by_channel(channels, "waiting")),
        _figure("alert_messages_unsent", "gauge", "Messages that failed so far.", _by_channel(channels, "unsent")),
        _figure("alert_messages_sent", "gauge", "Messages sent, in the last weeks.", _by_channel(channels, "sent")),
        _figure(
            "alert_messages_failed", "gauge", "Messages given up, in the last weeks.", _by_channel(channels, "failed")
        ),
    ]
    return "".join(parts)


def _figure(name: str, kind: str, what: str, series: Series) -> str:
    lines = [f"durward_{name}{_labels(labels)} {value:.16g}" for labels, value in list(series)[:SERIES_MAX]]
    if not lines:
        return ""
    return "\n".join([f"# HELP durward_{name} {what}", f"# TYPE durward_{name} {kind}", *lines]) + "\n"


def _labels(labels: Labels) -> str:
    written = [f'{name}="{_escaped(value)}"' for name, value in labels.items()]
    return "{" + ",".join(written) + "}" if written else ""


def _escaped(value: str) -> str:
    return UNSAFE.sub(lambda found: "\\" + found[0], inert.line(value))


def _entries(status: Mapping[str, Any]) -> Series:
    lists = (("block", "blocks"), ("throttle", "throttles"), ("allow", "allows"))
    return [({"list": name}, float(status[key])) for name, key in lists]


def _each(sources: Sequence[Mapping[str, Any]], key: str) -> Series:
    return [({"source": str(source["name"])}, float(source[key])) for source in sources]


def _memory(processes: Sequence[Mapping[str, Any]]) -> Series:
    return [({"process": str(one["name"])}, one["rss_kib"] * 1024.0) for one in processes if one["rss_kib"]]


def _by_channel(channels: Sequence[Mapping[str, Any]], key: str) -> Series:
    return [({"channel": str(one["channel"])}, float(one[key])) for one in channels]
