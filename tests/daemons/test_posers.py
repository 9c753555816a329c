"""Who wrote in a service's name is told by name and number; a service in an unusual unit is asked after."""

import pytest

from durward.daemons.posers import TOLD_SECONDS, findings
from durward.sources.posing import POSERS_MAX, SAMPLE_BYTES_MAX, Posing, Writer

NOW = 1_795_421_520.0


def told(writer: Writer, *, now: float = NOW, times: int = 2) -> list[tuple[str, str, str]]:
    posing = Posing()
    for _ in range(times):
        posing.note(writer, NOW, b"Failed \x1b[31mpassword for root from 203.0.113.9 port 40022 ssh2")
    return [(one.result, one.subject, one.detail) for one in findings(posing, now)]


def test_a_user_is_named_and_his_words_are_harmless() -> None:
    ((result, subject, detail),) = told(Writer(0, b"sshd", b"logger", b"", kindred=False))
    assert (result, subject) == ("fail", "user root (uid 0) as sshd")
    assert detail == (
        "user root (uid 0) wrote 2 lines that pose as sshd with logger; none counts. "
        "The last one: Failed ?[31mpassword for root from 203.0.113.9 port 40022 ssh2"
    )


def test_a_number_without_a_name_is_told_too() -> None:
    ((_, subject, detail),) = told(Writer(54_321, b"sshd", b"", b"cron.service", kindred=False), times=1)
    assert subject == "uid 54321 as sshd"
    assert "1 line that poses as sshd in cron.service" in detail
    assert told(Writer(-1, b"sshd", b"", b"", kindred=False))[0][1] == "somebody as sshd"


def test_a_service_in_a_unit_that_nobody_knows_is_not_accused() -> None:
    ((result, _, detail),) = told(Writer(113, b"dovecot", b"dovecot", b"mail.service", kindred=True))
    assert result == "unknown"
    assert "name mail.service in services.NAME.journal" in detail


@pytest.mark.parametrize("unit", [b"", b"session-3.scope", b"user.slice"])
def test_what_people_run_in_their_sessions_is_nothing_to_tell(unit: bytes) -> None:
    assert told(Writer(1001, b"su", b"su", unit, kindred=True)) == []


def test_after_a_day_it_is_told_no_more() -> None:
    assert told(Writer(0, b"sshd", b"logger", b"", kindred=False), now=NOW + TOLD_SECONDS + 1) == []


def test_what_is_remembered_is_bounded() -> None:
    posing = Posing()
    for number in range(POSERS_MAX + 1):
        posing.note(Writer(number, b"sshd", b"", b"", kindred=False), NOW, b"x" * 1000)
    poses = list(posing)
    assert (len(poses), poses[0].writer.uid, len(poses[0].sample)) == (POSERS_MAX, 1, SAMPLE_BYTES_MAX)
