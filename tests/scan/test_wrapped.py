"""Lines inside of what a container engine puts around them are read as if they stood alone."""

import json

from tests.scan.cards import card, records

from durward.scan.scanner import Scanner
from durward.scan.timestamps import Calendar
from durward.scan.wrapped import unwrapped

NOW = 1_795_430_000.0
DOOR = card("door shut to {ip}", envelope="plain")
DOCKER = [
    json.dumps(
        {"log": text + "\n", "stream": "stderr", "time": f"2026-11-23T08:10:0{number}.5Z"}, separators=(",", ":")
    )
    for number, text in enumerate(["hello", "door shut to 203.0.113.9", "a\nb"])
]
CRI = [
    "2026-11-23T08:10:01.500000000Z stdout F door shut to 203.0.113.9",
    "2026-11-23T08:10:02.500000000Z stdout F " + '203.0.113.8 - - [23/Nov/2026:08:10:00 +0000] "GET / HTTP/1.1" 401 5',
]


def test_docker_and_cri_are_taken_off() -> None:
    for lines, position in ((DOCKER, len(DOCKER[0]) + 1), (CRI, 0)):
        block = "\n".join(lines).encode() + b"\n"
        found = Scanner([DOOR]).events(
            block, source="file:c", position=1000, observed_at=NOW, calendar=Calendar(NOW), services=None
        )
        assert [(event.source_ip, event.position, event.at) for event in found] == [
            ("203.0.113.9", 1000 + position, 1_795_421_401.5)
        ]


def test_the_time_that_a_line_itself_carries_counts() -> None:
    block = CRI[1].encode() + b"\n"
    [found] = Scanner([records({"status": "401"})]).events(
        block, source="file:c", position=0, observed_at=NOW, calendar=Calendar(NOW), services=None
    )
    assert (found.at, found.line[:11]) == (1_795_421_400.0, b"203.0.113.8")


def test_other_lines_are_left_alone() -> None:
    assert unwrapped(b"Nov 23 08:10:00 web1 sshd[1]: x\n" + DOCKER[1].encode()) is None
    assert unwrapped(b'{"log":"x') is None
    assert unwrapped(b'{"log":1,"time":2}\n') is None
    assert unwrapped(b"") is None


def seen(scanner: Scanner, *lines: str) -> list[tuple[str | None, int | str]]:
    block = "".join(line + "\n" for line in lines).encode()
    found = scanner.events(block, source="file:c", position=0, observed_at=NOW, calendar=Calendar(NOW), services=None)
    return [(event.source_ip, event.position) for event in found]


def test_a_part_of_a_line_is_no_line() -> None:
    head = "2026-11-23T08:10:01.5Z stdout"
    begin, end = f"{head} P said {'y' * 9000}", f"{head} F door shut to 203.0.113.9"
    other = "2026-11-23T08:10:01.5Z stderr F door shut to 203.0.113.8"
    made = Scanner([DOOR])
    assert seen(made, begin, other, end) == [("203.0.113.8", len(begin) + 1)]
    assert seen(made, begin) == []
    assert seen(made, end, end) == [("203.0.113.9", len(end) + 1)]  # the first one ends what the block before began
    docker = [
        json.dumps({"log": text, "stream": "stdout", "time": "2026-11-23T08:10:01Z"}, separators=(",", ":"))
        for text in ("said y", "door shut to 203.0.113.9\n", "door shut", " to 203.0.113.7\n")
    ]
    assert seen(made, *docker) == [("203.0.113.7", len(docker[0]) + len(docker[1]) + 2)]


def test_no_other_sign_than_the_end_of_a_line_ends_it() -> None:
    forged = "2026-11-23T08:10:01.5Z stdout F door shut to 203.0.113.9"
    for sign in ("\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028"):
        assert seen(Scanner([DOOR]), f"2026-11-23T08:10:01.5Z stdout F said {sign}{forged}") == []


def test_a_line_of_endless_parts_is_left_out() -> None:
    part = "2026-11-23T08:10:01.5Z stdout P " + "y" * 16_000
    end = "2026-11-23T08:10:01.5Z stdout F door shut to 203.0.113.9"
    assert seen(Scanner([DOOR]), *[part] * 6, end, end) == [("203.0.113.9", 6 * (len(part) + 1) + len(end) + 1)]
