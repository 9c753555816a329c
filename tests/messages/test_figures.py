"""Figures are in the format that Prometheus reads, whatever a source is called."""

import re

from durward.messages.figures import exposition

STATUS = {
    "protecting": True,
    "since": "2026-11-23T08:10:00.000+00:00",
    "degraded": [],
    "blocks": 3,
    "throttles": 2,
    "allows": 1,
    "sources": [
        {"name": 'file:/var/log/a"b\\\n.log', "lag_seconds": 0.25, "lines": 12345678, "events": 7},
        {"name": "file:/none", "lag_seconds": 0.0, "lines": 0, "events": 0, "absent": True},
    ],
    "processes": [{"name": "engine", "pid": 7, "rss_kib": 1024}, {"name": "enforcer", "pid": 8, "rss_kib": None}],
}
LINE = re.compile(r'(?:# (?:HELP|TYPE) durward_\w+ .+|durward_\w+(?:\{\w+="(?:[^"\\\n]|\\.)*"\})? [0-9.e+-]+)')


def test_every_line_is_one_that_prometheus_reads() -> None:
    text = exposition(STATUS, [{"channel": "mail", "waiting": 2, "unsent": 0, "sent": 5, "failed": 1}])
    assert text.endswith("\n")
    assert [line for line in text.splitlines() if not LINE.fullmatch(line)] == []
    assert 'durward_entries{list="block"} 3\n' in text
    assert 'durward_entries{list="throttle"} 2\n' in text
    assert "durward_protecting 1\n" in text
    assert 'durward_source_lines_total{source="file:/var/log/a\\"b\\\\\\\\x0a.log"} 12345678\n' in text
    assert 'durward_alert_messages_sent{channel="mail"} 5\n' in text
    assert "/none" not in text


def test_without_channels_there_are_no_figures_of_them() -> None:
    assert "alert" not in exposition(STATUS, [])
