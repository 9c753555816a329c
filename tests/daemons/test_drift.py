"""A service that falls silent while its programs go on to complain is reported; one that is not attacked is not."""

import pytest
from tests.engine.samples import event

from durward.catalog.service_card import load_services
from durward.catalog.shelf import directories_of
from durward.daemons.drift import SAMPLE_CHARACTERS_MAX, SOURCES_MAX, SUSPECTS_MAX, Drift
from durward.scan.scanner import Scanner
from durward.scan.timestamps import Calendar

LOG = "file:/var/log/auth.log"
NOW = 1_795_421_500.0
CARDS = [card for card in load_services(directories_of("services")) if card.id in ("sshd", "dovecot")]
SCANNER = Scanner(CARDS)
KNOWN = "Nov 23 08:10:00 web1 sshd[42]: Failed password for root from 203.0.113.9 port 40022 ssh2"
CRON = "Nov 23 08:10:00 web1 CRON[42]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)"
CHANGED = "Nov 23 08:10:00 web1 sshd[42]: Password failure: account root, peer 203.0.113.9"


class Host:
    """A source over days: what is written to it, a block at a time."""

    def __init__(self) -> None:
        self.drift, self.now = Drift(CARDS), NOW

    def writes(
        self, line: str, times: int, *, every: float = 60.0, services: tuple[str, ...] = ("sshd", "dovecot")
    ) -> None:
        for _ in range(times):
            self.now += every
            data = f"{line}\n".encode()
            calendar = Calendar(self.now)
            events = SCANNER.events(data, source=LOG, position=0, observed_at=self.now, calendar=calendar)
            self.drift.heard(LOG, data, events, lines=1, services=services, now=self.now)

    def restarts(self) -> None:
        habits = self.drift.habits()
        self.drift = Drift(CARDS)
        self.drift.restore(habits)

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(one.subject, one.detail) for one in self.drift.findings()]


@pytest.fixture
def attacked() -> Host:
    """A host that is tried often enough."""
    host = Host()
    for _ in range(20):
        host.writes(KNOWN, 1)
        host.writes(CRON, 4)
    return host


def test_other_words_are_noticed(attacked: Host) -> None:
    attacked.writes(CHANGED, 300)
    [(subject, detail)] = attacked.told
    assert subject == f"sshd in {LOG}"
    assert "none was an event, after 20 that were" in detail
    assert detail.endswith(f": {CHANGED}")


def test_no_more_attacks_are_no_drift(attacked: Host) -> None:
    attacked.writes(CRON, 5000)
    attacked.writes("Nov 23 08:10:00 web1 sshd[42]: Connection closed by 203.0.113.9 port 40022", 500)
    assert attacked.told == []


def test_a_short_quiet_is_none(attacked: Host) -> None:
    attacked.writes(CHANGED, 90)
    attacked.writes(CHANGED, 5000, every=0.01)
    assert attacked.told == []


def test_an_event_of_the_service_ends_it_and_one_of_another_does_not(attacked: Host) -> None:
    attacked.writes(CHANGED, 300)
    other = event(source=LOG, service="dovecot", hits=1)
    attacked.drift.heard(LOG, b"x\n", [other], lines=1, services=("sshd", "dovecot"), now=attacked.now)
    assert len(attacked.told) == 1
    attacked.writes(KNOWN, 1)
    assert attacked.told == []


def test_what_others_write_hides_nothing() -> None:
    """Most lines were others' while attacks were understood, and those fell silent since."""
    host = Host()
    for _ in range(20):
        host.writes(KNOWN, 1)
        host.writes(CRON, 60)
    host.writes(CHANGED, 300, every=600.0)
    [(subject, _)] = host.told
    assert subject == f"sshd in {LOG}"


def test_what_others_write_makes_nobody_quiet(attacked: Host) -> None:
    """A few odd lines among many of others' are no change of words."""
    for _ in range(18):
        attacked.writes(CRON, 100)
        attacked.writes(CHANGED, 1)
    assert attacked.told == []


def test_the_lines_of_one_second_are_shared_out_by_a_sample() -> None:
    drift = Drift(CARDS)
    ours, theirs = f"{CHANGED}\n".encode(), f"{CRON}\n".encode()
    for second in range(4000):
        for part, data in enumerate((ours + 3 * theirs, 4 * theirs, 4 * theirs)):
            drift.heard(LOG, data, [], lines=4, services=("sshd",), now=NOW + second + part / 4)
    own = drift._sources[LOG].services["sshd"].own
    assert own == pytest.approx(4000 * 12 / 4, rel=0.01)


def test_it_is_known_after_a_restart(attacked: Host) -> None:
    attacked.writes(CHANGED, 150)
    attacked.restarts()
    attacked.writes(CHANGED, 150)
    before = attacked.told
    attacked.restarts()
    assert attacked.told == before != []


def test_a_log_that_never_gave_an_event() -> None:
    host = Host()
    host.writes(CHANGED, 2000)
    assert "and none was before" in host.told[0][1]


def test_the_samples_are_few_short_and_inert(attacked: Host) -> None:
    for number in range(300):
        attacked.writes(f"{CHANGED} \x1b[31m{number % 7}" + "x" * 500, 1)
    [(_, detail)] = attacked.told
    assert detail.count(" | ") == 2
    assert "\x1b" not in detail
    assert len(detail) < 4 * SAMPLE_CHARACTERS_MAX


def test_what_is_kept_is_bounded(attacked: Host) -> None:
    attacked.writes(CHANGED, SUSPECTS_MAX + 400)
    assert f"{SUSPECTS_MAX} or more" in attacked.told[0][1]
    for number in range(SOURCES_MAX + 1):
        attacked.drift.heard(f"file:/{number}", b"", [], lines=1, services=(), now=NOW)
    assert len(attacked.drift._sources) == SOURCES_MAX


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"began_at": 1, "lines": "x", "services": {}}',
        '{"began_at": 1, "lines": 1, "services": {"a": 1}}',
    ],
)
def test_what_is_damaged_is_left_out(text: str) -> None:
    drift = Drift(CARDS)
    drift.restore({LOG: text})
    assert drift.findings() == []
    assert drift.habits() == {}
