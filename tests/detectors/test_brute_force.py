"""Guessing passwords: what the reason says, which failures belong together, and what is let go."""

from collections.abc import Sequence

import pytest
from tests.engine.samples import NOW, SUBJECT, event, policy, threshold

from durward.detectors.brute_force import Detector
from durward.engine.room import Room
from durward.model import Incident


def detector(**services: object) -> Detector:
    return Detector("brute_force", policy(services=services), Room())  # type: ignore[arg-type]


def feed(to: Detector, count: int, every: float = 1.0, service: str = "sshd") -> Incident | None:
    incidents: Sequence[Incident] = ()
    for turn in range(count):
        one = event(turn * every, service=service)
        incidents = to.feed(one, SUBJECT, one.at)
    return incidents[0] if incidents else None


@pytest.mark.parametrize(
    ("every", "span"),
    [(0.0, "1 s"), (0.1, "1 s"), (10.0, "40 s"), (29.75, "119 s"), (30.0, "2 min"), (600.0, "40 min"), (1800.0, "2 h")],
)
def test_the_reason_says_how_many_and_how_fast(every: float, span: str) -> None:
    incident = feed(detector(sshd=threshold(within=86400.0, name="OpenSSH server")), 5, every)
    assert incident is not None
    assert incident.reason == f"5 failed OpenSSH server logins in {span}"


def test_an_incident_says_by_which_measure() -> None:
    incident = feed(detector(exim=threshold(count=2, within=60.0)), 2, service="exim")
    assert incident is not None
    assert (incident.service, incident.threshold, incident.within_seconds, incident.count) == ("exim", 2, 60.0, 2)
    assert (incident.detector, incident.subject, incident.first_at) == ("brute_force", SUBJECT, NOW)


def test_failures_of_different_services_do_not_add_up() -> None:
    counting = detector()
    for service in ("sshd", "dovecot", "exim", "nginx"):
        assert feed(counting, 4, service=service) is None
    assert counting.nearest(SUBJECT) == (4, 5)


def test_after_an_incident_counting_begins_at_nothing() -> None:
    counting = detector()
    assert feed(counting, 5) is not None
    assert counting.nearest(SUBJECT) == (0, 5)
    assert feed(counting, 4) is None


def test_forgetting_holds_for_every_service() -> None:
    counting = detector()
    feed(counting, 4)
    feed(counting, 4, service="dovecot")
    counting.forget(SUBJECT)
    assert counting.nearest(SUBJECT) == (0, 5)


def test_what_is_too_old_is_let_go() -> None:
    counting = detector()
    feed(counting, 4)
    counting.tick(NOW + 3602)
    assert counting.nearest(SUBJECT)[0] == 4
    counting.tick(NOW + 3603)
    assert counting.nearest(SUBJECT)[0] == 0
