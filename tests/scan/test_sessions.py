"""One attempt counts once, whatever the service wrote about it: dialogues as sshd logs them."""

from pathlib import Path

import durward.services
from durward.catalog.service_card import HITS_MAX, PENDING, load_services
from durward.model import Event
from durward.scan.scanner import Scanner
from durward.scan.sessions import SESSION_SECONDS, SESSIONS_MAX, SILENCE_SECONDS, SILENT_MAX, Sessions
from durward.scan.timestamps import Calendar

NOW = 1_795_430_000.0
CARDS = load_services([Path(path) for path in durward.services.__path__])
SSHD = Scanner([one for one in CARDS if one.id == "sshd"])
PAM = "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.9 "
WRONG = "Failed password for root from 203.0.113.9 port 40022 ssh2"


def dialogue(*messages: str, pid: str = "4242", sessions: Sessions | None = None) -> list[tuple[str | None, int]]:
    """The source and the hits of each line of a session."""
    lines = "".join(f"Nov 23 08:10:00 web1 sshd[{pid}]: {message}\n" for message in messages)
    events = SSHD.events(
        lines.encode(), source="log", position=0, observed_at=NOW, calendar=Calendar(NOW), services=None
    )
    assert len(events) == len(messages)
    return [(event.source_ip, event.hits) for event in (sessions or Sessions()).settle(events)]


def test_pam_and_sshd_speak_of_the_same_attempt() -> None:
    closed = "Connection closed by authenticating user root 203.0.113.9 port 40022 [preauth]"
    assert dialogue(PAM + " user=root", WRONG, closed) == [("203.0.113.9", 0), ("203.0.113.9", 1), ("203.0.113.9", 0)]


def test_an_unknown_user_with_three_passwords_counts_three_times() -> None:
    wrong = "Failed password for invalid user bob from 203.0.113.9 port 40022 ssh2"
    given = dialogue(
        "Invalid user bob from 203.0.113.9 port 40022",
        *(PAM, wrong, wrong, wrong),
        "error: maximum authentication attempts exceeded for bob from 203.0.113.9 port 40022 ssh2 [preauth]",
        "Disconnecting invalid user bob 203.0.113.9 port 40022: Too many authentication failures [preauth]",
    )
    assert [hits for _, hits in given] == [1, 0, 0, 1, 1, 0, 0]


def test_shortened_lines_count_as_often_as_they_happened() -> None:
    repeated = f"message repeated 3 times: [ {WRONG}]"
    assert [hits for _, hits in dialogue(WRONG, repeated)] == [1, 3]
    assert [hits for _, hits in dialogue("Invalid user bob from 203.0.113.9 port 40022", repeated)] == [1, 2]


def test_a_connection_that_is_only_looked_at_counts_once() -> None:
    given = dialogue(
        "Connection from 203.0.113.9 port 40022 on 192.0.2.1 port 22",
        "error: kex_exchange_identification: banner line contains invalid characters",
        "banner exchange: Connection from 203.0.113.9 port 40022: invalid format",
    )
    assert given == [("203.0.113.9", 0), ("203.0.113.9", 1), ("203.0.113.9", 0)]


STEPPED = Scanner([one for one in CARDS if one.id == "dovecot"])
SAID = "imap-login: Disconnected (auth failed, {} attempts in 12 secs): user=<bob>, rip=203.0.113.9, session=<x>"


def steps(*lines: tuple[int, str]) -> list[int]:
    """The hits of Dovecot's lines, each with the second at which it was written."""
    text = "".join(f"Nov 23 08:10:{at:02} mx dovecot: {said}\n" for at, said in lines)
    events = STEPPED.events(
        text.encode(), source="log", position=0, observed_at=NOW, calendar=Calendar(NOW), services=None
    )
    assert len(events) == len(lines)
    return [event.hits for event in Sessions().settle(events)]


def stepped(driver: str, *, session: str = "x") -> str:
    return f"auth: {driver}(bob,203.0.113.9,<{session}>): unknown user"


def test_steps_count_at_once_and_the_sum_at_the_end_counts_what_is_more() -> None:
    tried = [(at, stepped("passwd-file")) for at in (0, 2, 4)]
    assert steps(*tried, (6, SAID.format(3))) == [1, 1, 1, 0]
    assert steps(*tried, (6, SAID.format(5))) == [1, 1, 1, 2]
    assert steps(*tried, (6, SAID.format(2))) == [1, 1, 1, 0]
    assert steps((6, SAID.format(3))) == [3]


def test_several_lines_of_one_step_count_once() -> None:
    both = [(at, stepped(driver)) for at in (0, 2) for driver in ("pam", "passwd-file")]
    assert steps(*both, (4, SAID.format(2))) == [1, 0, 1, 0, 0]
    a_second_turned = [(0, stepped("pam")), (1, stepped("passwd-file"))]
    assert steps(*a_second_turned, (4, SAID.format(1))) == [1, 0, 0]


def test_steps_of_two_connections_are_apart() -> None:
    assert steps((0, stepped("pam")), (0, stepped("pam", session="y")), (4, SAID.format(1))) == [1, 1, 0]


def test_without_an_address_nobody_is_counted_until_one_is_known() -> None:
    given = dialogue(
        "error: kex_exchange_identification: Connection closed by remote host",
        "Connection reset by 203.0.113.9 port 40022 [preauth]",
    )
    assert given == [(None, 0), ("203.0.113.9", 1)]


def test_a_host_name_counts_for_itself_and_gives_the_address_no_credit() -> None:
    named = "User root from dialup7.example.net not allowed because not listed in AllowUsers"
    assert dialogue(named, WRONG, WRONG) == [(None, 1), ("203.0.113.9", 1), ("203.0.113.9", 1)]


def test_a_success_counts_nothing() -> None:
    accepted = "Accepted password for root from 203.0.113.9 port 40022 ssh2"
    opened = "pam_unix(sshd:session): session opened for user root(uid=0) by (uid=0)"
    assert dialogue(accepted, opened) == [("203.0.113.9", 0), ("203.0.113.9", 0)]


def test_another_address_is_another_session() -> None:
    other = "Invalid user bob from 203.0.113.10 port 40022"
    assert dialogue("Invalid user bob from 203.0.113.9 port 40022", other) == [("203.0.113.9", 1), ("203.0.113.10", 1)]


def test_the_listening_process_speaks_of_many_connections() -> None:
    drop = "drop connection #1 from [203.0.113.9]:{} on [192.0.2.1]:22 past MaxStartups"
    assert [hits for _, hits in dialogue(*(drop.format(port) for port in (1024, 1025, 1026)))] == [1, 1, 1]


def test_sessions_of_other_processes_and_sources_are_apart() -> None:
    sessions = Sessions()
    hint = "Invalid user bob from 203.0.113.9 port 40022"
    assert dialogue(hint, pid="1", sessions=sessions) == [("203.0.113.9", 1)]
    assert dialogue(hint, pid="2", sessions=sessions) == [("203.0.113.9", 1)]
    assert dialogue(hint, pid="1", sessions=sessions) == [("203.0.113.9", 0)]


def event(at: float, hits: int = -1, session: str | None = "1", source_ip: str | None = "203.0.113.9") -> Event:
    return Event("auth.failure", at, at, "sshd", "log", 0, b"", source_ip, session=session, hits=hits)


def test_after_a_while_a_process_id_is_another_session() -> None:
    sessions = Sessions()
    given = sessions.settle([event(0.0), event(SESSION_SECONDS), event(2 * SESSION_SECONDS + 1), event(0.0)])
    assert [one.hits for one in given] == [1, 0, 1, 1]
    assert sessions.settle([event(0.0 - SESSION_SECONDS * 3, source_ip=None)])[0].source_ip is None


def test_lines_that_name_no_session_count_as_they_are() -> None:
    given = Sessions().settle(
        [event(0.0, -1, None), event(0.0, 2, None), event(0.0, -1, None, None), event(0.0, 0, None)]
    )
    assert [one.hits for one in given] == [1, 2, 0, 0]


def test_an_attempt_by_nobody_known_keeps_its_hits() -> None:
    assert [one.hits for one in Sessions().settle([event(0.0, 1, source_ip=None), event(0.0, 1, source_ip=None)])] == [
        1,
        1,
    ]


def test_attempts_whose_address_comes_a_moment_late_count_for_it() -> None:
    """Daemons with many threads swap lines; later than that, another connection may go by the same name."""
    opened = event(1.0, 0)._replace(kind="connection.opened")
    early = [event(0.0, 1, source_ip=None), event(0.1, 1, source_ip=None)]
    given = Sessions().settle([*early, opened])
    assert [(one.kind, one.source_ip, one.hits) for one in given[2:]] == [
        ("auth.failure", "203.0.113.9", 2),
        ("connection.opened", "203.0.113.9", 0),
    ]
    assert Sessions().settle([*early, opened._replace(at=9.0)])[2:] == [opened._replace(at=9.0)]


def test_an_attempt_on_an_account_counts_for_it_at_once_and_only_then() -> None:
    named = event(0.0, 1, source_ip=None)._replace(user_name="bob")
    assert [one.hits for one in Sessions().settle([named, event(0.1, 0)])] == [1, 0]


def test_what_is_remembered_is_bounded() -> None:
    sessions = Sessions()
    sessions.settle([event(0.0, session=str(number)) for number in range(SESSIONS_MAX * 3)])
    assert len(sessions._young) + len(sessions._old) <= 2 * SESSIONS_MAX
    assert sessions.settle([event(1.0, session=str(SESSIONS_MAX * 3 - 1))])[0].hits == 0


KEY = "Failed publickey for root from 203.0.113.9 port 40022 ssh2: ED25519 SHA256:3Qw9ZkYVbR0f"
ACCEPTED = "Accepted publickey for root from 203.0.113.9 port 40022 ssh2: ED25519 SHA256:8TzP0aXe"
CLOSED = "Connection closed by authenticating user root 203.0.113.9 port 40022 [preauth]"
BYE = "Received disconnect from 203.0.113.9 port 40022:11: Bye Bye [preauth]"


def hits(*messages: str, pid: str = "4242", sessions: Sessions | None = None) -> list[int]:
    return [counts for _, counts in dialogue(*messages, pid=pid, sessions=sessions)]


def test_keys_that_were_offered_before_the_right_one_count_nothing() -> None:
    assert hits(KEY, KEY, KEY, KEY, KEY, ACCEPTED) == [0] * 6


def test_keys_of_which_none_opens_are_one_attempt() -> None:
    assert hits(KEY, KEY, KEY, CLOSED) == [0, 0, 0, 1]
    assert hits(KEY, BYE, CLOSED) == [0, 1, 0]


def test_of_several_modules_of_pam_one_has_to_know_the_account() -> None:
    other = PAM.replace("pam_unix", "pam_sss")
    assert hits(PAM + " user=root", other + " user=root", WRONG) == [0, 0, 1]
    assert hits(PAM + " user=root", "Accepted password for root from 203.0.113.9 port 40022 ssh2") == [0, 0]


def test_a_dialogue_that_another_process_leads_counts_each_wrong_answer_once() -> None:
    """PAM writes under a process id of its own each time, as OpenSSH's keyboard-interactive login has it."""
    sessions, wrong = Sessions(), "error: PAM: Authentication failure for root from 203.0.113.9"
    given = []
    for number in range(3):
        given += hits(PAM + " user=root", pid=f"5{number}", sessions=sessions)
        given += hits(wrong, sessions=sessions)
    assert given + hits(CLOSED, sessions=sessions) == [0, 1, 0, 1, 0, 1, 0]


def test_an_answer_that_is_told_twice_counts_once() -> None:
    given = hits(
        "Invalid user guest from 203.0.113.9 port 40022",
        "error: PAM: Authentication failure for illegal user guest from 203.0.113.9",
        "Failed keyboard-interactive/pam for invalid user guest from 203.0.113.9 port 40022 ssh2",
        "Connection closed by invalid user guest 203.0.113.9 port 40022 [preauth]",
    )
    assert given == [1, 0, 0, 0]


def test_an_unknown_user_who_goes_before_the_answer_counts_once() -> None:
    closed = "Connection closed by invalid user bob 203.0.113.9 port 40022 [preauth]"
    assert hits("Invalid user bob from 203.0.113.9 port 40022", PAM, closed) == [1, 0, 0]


def test_a_success_forgives_nothing_of_another_account() -> None:
    """Who has one account may not try others before it."""
    lines = [PAM.replace("ruser=", f"ruser={name}") for name in ("root", "admin")]
    accepted = "Accepted password for bob from 203.0.113.9 port 40022 ssh2"
    text = "".join(f"Nov 23 08:10:00 web1 sshd[4242]: {message}\n" for message in (*lines, accepted))
    read = SSHD.events(text.encode(), source="log", position=0, observed_at=NOW, calendar=Calendar(NOW), services=None)
    assert [(one.kind, one.user_name, one.hits) for one in Sessions().settle(read)] == [
        ("auth.failure", "root", 0),
        ("auth.failure", "admin", 1),
        ("auth.failure", "admin", 1),
        ("auth.success", "bob", 0),
    ]


def test_parting_counts_only_what_was_tried() -> None:
    assert hits(BYE) == [0]
    locked = ("User root not allowed because account is locked", "input_userauth_request: invalid user root [preauth]")
    assert dialogue(*locked, BYE) == [(None, 0), (None, 0), ("203.0.113.9", 1)]


def nobodys(at: float = 0.0) -> Event:
    """Something pending without an address."""
    return event(at, PENDING, source_ip=None)


def test_attempts_of_nobody_are_owed_by_whom_a_later_line_names() -> None:
    given = Sessions().settle([*(nobodys() for _ in range(3)), event(1.0, 0)._replace(kind="connection.closed")])
    assert [(one.kind, one.source_ip, one.hits) for one in given] == [
        *[("auth.failure", None, 0)] * 3,
        ("auth.failure", "203.0.113.9", 3),
    ]


def test_attempts_count_at_once_where_an_earlier_line_names_whose_they_are() -> None:
    given = Sessions().settle([event(0.0, 0), nobodys(1.0), nobodys(2.0), event(3.0, 0)])
    assert [one.hits for one in given] == [0, 1, 1, 0]
    assert {one.source_ip for one in given} == {"203.0.113.9"}


def test_what_is_owed_is_bounded() -> None:
    given = Sessions().settle([*(nobodys() for _ in range(HITS_MAX + 9)), event(1.0, 0)])
    assert given[-1].hits == HITS_MAX


def test_a_service_that_leaves_it_all_to_pam_is_heard_nevertheless() -> None:
    """As OpenSSH does with `LogLevel ERROR`: nothing else is written of an attempt."""
    sessions, every_seconds = Sessions(), SILENCE_SECONDS / 4
    pending = [event(number * every_seconds, PENDING, str(number)) for number in range(9)]
    assert [one.hits for one in sessions.settle(pending)] == [0, 0, 0, 0, 4, 0, 0, 0, 4]


def test_a_service_that_tells_in_its_own_words_is_not_counted_twice() -> None:
    sessions, told = Sessions(), []
    for number in range(40):
        told += [event(number * 10.0, PENDING, f"child {number}"), event(number * 10.0 + 2, 1, f"{number}")]
    assert [one.hits for one in sessions.settle(told)] == [0, 1] * 40


def test_silent_sources_are_bounded() -> None:
    sessions = Sessions()
    sessions.settle(
        [event(0.0, PENDING, "1", f"2001:db8::{number:x}") for number in range(1, SILENT_MAX + 10)],
    )
    assert len(sessions._silent) == SILENT_MAX


def test_what_is_pending_in_no_session_counts() -> None:
    assert [one.hits for one in Sessions().settle([event(0.0, PENDING, None)])] == [1]
