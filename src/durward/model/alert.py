"""Alert: one thing that people are told. Message: alerts that go out together, by one channel, under one key."""

from dataclasses import dataclass
from typing import Literal, get_args

AlertKind = Literal["block", "unblock", "allow", "alert", "refused", "finding", "account", "login", "test"]
Severity = Literal["info", "notice", "warning", "critical"]
ALERT_KINDS: tuple[AlertKind, ...] = get_args(AlertKind)
SEVERITIES: tuple[Severity, ...] = get_args(Severity)  # the least first


@dataclass(frozen=True, slots=True)
class Alert:
    """What happened, why, what was done and how it is taken back. No two have the same `key`.

    Texts are as they came: a channel makes them harmless in its own way. `gathering` names the incident, whose
    alerts go out together. Times are epoch seconds; `until` is None for ever, or where nothing lasts. `service` and
    `detector` are ids, empty for none; `evidence` holds the last lines that counted, `files` tells of files that may
    have done it. `account` is the one that it is about, and `about` what else: a key, a directory, whom somebody
    became. Alerts of the kinds `account` and `login` are for programs: one stands for all decisions that an accusation
    of an account led to, or for a login.
    """

    key: str
    kind: AlertKind
    severity: Severity
    at: float
    what: str
    why: str
    done: str
    undo: str
    gathering: str = ""
    subject: str = ""
    ports: str = ""
    direction: str = "in"
    until: float | None = None
    decision: int = 0
    receipt: str = ""
    detector: str = ""
    service: str = ""
    count: int = 0
    first_at: float = 0.0
    last_at: float = 0.0
    evidence: tuple[str, ...] = ()
    account: str = ""
    about: str = ""
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """What one channel sends at once. `held` says why it is a digest, if it is one; `more` counts alerts left out.

    `key` is the same however often it is tried; `attempt` counts from 1.
    """

    key: str
    channel: str
    made_at: float
    attempt: int
    alerts: tuple[Alert, ...]
    held: str = ""
    more: int = 0
