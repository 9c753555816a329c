"""A message as people read it: a title of one line, and a page of plain text."""

from collections.abc import Callable
from datetime import UTC, datetime

from durward.messages import inert
from durward.model.alert import SEVERITIES, Alert, Message, Severity
from durward.model.duration import text_of

TITLE_CHARACTERS_MAX = 160
BODY_CHARACTERS_MAX = 32 << 10  # a longer page ends there, and says so
TOO_LONG = "\n… the rest is left out: durward log"
FIRST_AT, LAST_AT = 0.0, 253_402_214_400.0  # a forged time outside the years 1970 to 9999 is shown as one of these
DIGEST_EVIDENCE_MAX = 1  # lines of each alert of several
Line = Callable[[str, int], str]  # makes one line harmless


def title(message: Message, host: str, line: Line = inert.line) -> str:
    """What it is about, in one line."""
    alerts, place = message.alerts, f"[durward {host}] "
    number = len(alerts) + message.more
    if number == 1:
        return line(place + alerts[0].what, TITLE_CHARACTERS_MAX)
    gatherings = {alert.gathering for alert in alerts}
    about = f"{number} alerts"
    if len(gatherings) == 1 and alerts[0].kind == "block":
        about = f"{number} addresses blocked: {alerts[0].service or alerts[0].detector}"
    return line(f"{place}{about}{f' ({message.held})' if message.held else ''}", TITLE_CHARACTERS_MAX)


def body(message: Message, host: str, line: Line = inert.line) -> str:
    """Everything about it, as plain text. Each line is harmless by `line`; none is longer than it allows."""
    if len(message.alerts) == 1 and not message.more:
        rows = details(message.alerts[0], line)
    else:
        rows = _several(message, line)
    rows += ["", line(f"-- durward on {host}. What happened lately: durward log", inert.LINE_CHARACTERS_MAX)]
    return cut("\n".join(rows) + "\n")


def cut(text: str) -> str:
    """A page that is not too long."""
    return text if len(text) <= BODY_CHARACTERS_MAX else text[:BODY_CHARACTERS_MAX] + TOO_LONG


def details(alert: Alert, line: Line = inert.line) -> list[str]:
    """One alert, with all its evidence."""
    rows = [_labelled(label, text, line) for label, text in _facts(alert)]
    for title, texts in (("Lines", alert.evidence), ("Files that may have done it", alert.files)):
        if texts:
            rows += ["", title] + [f"  {line(text, inert.LINE_CHARACTERS_MAX)}" for text in texts]
    return rows


def moment(at: float) -> str:
    """A time in UTC; whatever a log claimed, this is one."""
    return f"{datetime.fromtimestamp(min(max(at, FIRST_AT), LAST_AT), UTC):%Y-%m-%d %H:%M:%S} UTC"


def _several(message: Message, line: Line) -> list[str]:
    number = len(message.alerts) + message.more
    rows = [f"{number} alerts" + (f", in one message because {message.held}." if message.held else ".")]
    if message.more:
        rows.append(f"{message.more} of them are not spelt out here: durward log")
    for alert in message.alerts:
        rows += ["", line(f"* {moment(alert.at)}  {alert.what}", inert.LINE_CHARACTERS_MAX)]
        rows += [f"  {_labelled(label, text, line)}" for label, text in _facts(alert)[2:]]
        rows += [f"    {line(text, inert.LINE_CHARACTERS_MAX)}" for text in alert.evidence[-DIGEST_EVIDENCE_MAX:]]
    return rows


def _facts(alert: Alert) -> list[tuple[str, str]]:
    facts = [("What", alert.what), ("When", moment(alert.at)), ("Why", alert.why)]
    if alert.account:
        facts.append(("Whose", alert.account))
    if alert.count == 1:
        facts.append(("Seen", f"once, by {_by(alert)}"))
    elif alert.count:
        over = text_of(max(1.0, min(alert.last_at - alert.first_at, LAST_AT)))
        facts.append(("Seen", f"{alert.count} times in {over}, from {moment(alert.first_at)}; {_by(alert)}"))
    facts += [("Done", alert.done), ("Help" if alert.kind == "alert" else "Undo", alert.undo)]
    if alert.receipt:
        facts.append(("More", f"durward why {alert.receipt}"))
    return facts


def _by(alert: Alert) -> str:
    return " at ".join(filter(None, (alert.detector, alert.service)))


def _labelled(label: str, text: str, line: Line) -> str:
    return line(f"{label:<5} {text}", inert.LINE_CHARACTERS_MAX)


def grave(severity: Severity) -> int:
    """How grave it is, from 0."""
    return SEVERITIES.index(severity)


def iso(at: float) -> str:
    """A time as programs read it, in UTC."""
    return datetime.fromtimestamp(min(max(at, FIRST_AT), LAST_AT), UTC).isoformat(timespec="seconds")
