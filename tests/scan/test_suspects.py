"""Lines that look like failures and that no pattern takes: of the service's programs, with an address, not harmless."""

import pytest

from durward.catalog.service_card import load_services
from durward.catalog.shelf import directories_of
from durward.scan.suspects import LINES_MAX, SHARED_LINES_MAX, WRITERS_MAX, Suspects

CARDS = [card for card in load_services(directories_of("services")) if card.id in ("sshd", "nginx", "web")]
SUSPECTS = Suspects(CARDS)
SSHD = "Nov 23 08:10:00 web1 sshd[42]: "


def found(*lines: str, services: tuple[str, ...] = ("sshd", "web")) -> list[str]:
    return [line.decode() for line, _ in SUSPECTS.among("\n".join(lines).encode(), services)]


@pytest.mark.parametrize(
    "line",
    [
        SSHD + "Password failure: account root, peer 203.0.113.9",
        "2026-11-23T08:10:00.123456+00:00 web1 sshd-session[42]: access DENIED to peer [2001:db8::7]",
        SSHD + "rejected key of bob@203.0.113.9",
    ],
)
def test_a_failure_in_words_that_nobody_knows(line: str) -> None:
    assert found("nothing", line, "") == [line]
    assert [services for _, services in SUSPECTS.among(line.encode(), ["sshd"])] == [["sshd"]]


@pytest.mark.parametrize(
    "line",
    [
        "Nov 23 08:10:00 web1 CRON[42]: something failed for 203.0.113.9",
        SSHD + "Password failure: account root",
        SSHD + "session of 203.0.113.9 at 08:10:00",
        SSHD + "refused at 08:10:00 by 127.0.0.1",
        SSHD + "it failed at 08:10:00",
        '203.0.113.9 - - [23/Nov/2026:08:10:00 +0000] "GET /failed HTTP/1.1" 200 1 "-" "-"',
    ],
)
def test_no_suspect(line: str) -> None:
    assert found(line) == []


def test_what_a_card_knows_to_be_harmless_is_none() -> None:
    for card in CARDS:
        for one in card.ignored:
            line = one.line if one.line.startswith("Nov") else SSHD + one.line
            assert found(line, services=(card.id,)) == []


def test_services_whose_lines_are_records_are_not_looked_at() -> None:
    assert found(SSHD + "Password failure: account root, peer 203.0.113.9", services=("web",)) == []


def test_only_so_many_lines_are_looked_at() -> None:
    line = SSHD + "Password failure: account root, peer 203.0.113.9"
    assert len(found(*[line] * (LINES_MAX + 5))) == LINES_MAX


def test_whose_the_lines_are() -> None:
    cron, other = "Nov 23 08:10:00 web1 CRON[42]: session opened for user root\n", "it went on\n"
    block = (f"{SSHD}Server listening on :: port 22.\n" * 2 + cron * 2).encode()
    assert SUSPECTS.shares(block, ["sshd", "nginx", "nobody"]) == {"sshd": 0.5}
    assert SUSPECTS.shares(block, ["nginx"]) == {}
    assert SUSPECTS.shares(block + (other * 4).encode(), ["sshd", "nginx"]) == {"sshd": 0.75, "nginx": 0.5}
    assert SUSPECTS.shares(b"", ["sshd"]) == {}


def test_only_the_first_lines_tell_whose_all_are() -> None:
    theirs = ("Nov 23 08:10:00 web1 CRON[42]: session opened\n" * SHARED_LINES_MAX).encode()
    assert SUSPECTS.shares(theirs + f"{SSHD}Server listening\n".encode(), ["sshd"]) == {}
    many = "".join(f"Nov 23 08:10:00 web1 p{number}[42]: x\n" for number in range(3000)).encode()
    for start in range(0, len(many), 1024):
        SUSPECTS.shares(many[many.find(b"\n", start) + 1 :], ["sshd"])
    assert len(SUSPECTS._whose) <= WRITERS_MAX
