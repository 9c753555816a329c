"""A message as a mail: headers that no text from outside can add to, and plain text."""

import base64
import hashlib
import json
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from durward.messages import inert, page, templates
from durward.messages.channel import Place, UndeliveredError
from durward.messages.wire import EVIDENCE_LINES_MAX
from durward.model.alert import Alert, Message

# Nothing that a header, an envelope or a command line could take for more than one address.
LOCAL_PART, LABEL = r"[A-Za-z0-9._%+=/#-]{1,64}", r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
LOCAL_PART, LABEL = r"[A-Za-z0-9._%+=/#-]{1,64}", r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
ADDRESS = re.compile(rf"{LOCAL_PART}(?:@{LABEL}(?:\.{LABEL}){{0,20}})?", re.ASCII)
HOST_CHARACTERS = re.compile(r"[^A-Za-z0-9.-]", re.ASCII)


def addresses(texts: tuple[str, ...]) -> list[str]:
    """Mail addresses, or names of users of this host. Raises UndeliveredError for what is neither."""
    for text in texts:
        if not ADDRESS.fullmatch(text) or text.startswith("-"):
            raise UndeliveredError(f"{inert.line(text, 80)!r} is no mail address", lasting=True)
    if not texts:
        raise UndeliveredError("nobody is named in `to`", lasting=True)
    return list(dict.fromkeys(texts))


def domain_of(host: str) -> str:
    """The host's name as it may stand behind an @."""
    return HOST_CHARACTERS.sub("", host).strip(".-") or "localhost"


def mail(message: Message, place: Place, sender: str, receivers: list[str]) -> EmailMessage:
    """The mail for people, by a template of CSF's where there is one for it."""
    used = None
    if len(message.alerts) == 1 and not message.more:
        used = templates.filled(message.alerts[0], place.host, place.templates)
    subject, text = used or (page.title(message, place.host), page.body(message, place.host))
    made = _headed(message, place, sender, receivers, subject)
    made.set_content(text, cte="quoted-printable")
    return made


def report(message: Message, place: Place, sender: str, receivers: list[str]) -> EmailMessage:
    """The mail for machines: a report in XARF, with a few words for people before it."""
    alert = message.alerts[0]
    subject = inert.line(f"abuse report about {alert.subject}: {alert.why}", page.TITLE_CHARACTERS_MAX)
    made = _headed(message, place, sender, receivers, subject)
    made["X-XARF"] = "PLAIN"
    words = [f"From {alert.subject}, which you are responsible for, came what is described here and in the attachment."]
    made.set_content("\n".join([*words, "", *page.details(alert)]) + "\n", cte="quoted-printable")
    attached = json.dumps(xarf(message, alert, place.host, sender), indent=2).encode()
    made.add_attachment(attached, maintype="application", subtype="json", filename="xarf.json")
    return made


def xarf(message: Message, alert: Alert, host: str, sender: str) -> dict[str, object]:
    """The report itself: XARF version 4, category connection. Its id is that of the message, whenever it is sent."""
    digest = hashlib.sha256(f"{host}\n{message.key}".encode()).hexdigest()
    number = f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"  # as a UUID, by our names
    reporter = {"org": domain_of(host), "contact": sender, "domain": domain_of(host)}
    evidence = "\n".join(inert.lines(alert.evidence[-EVIDENCE_LINES_MAX:]))
    attached = {"content_type": "text/plain", "description": "lines of the log", "payload": _base64(evidence)}
    return {
        "xarf_version": "4.0.0",
        "report_id": number,
        "timestamp": page.iso(alert.at),
        "reporter": reporter,
        "sender": reporter,
        "source_identifier": alert.subject,
        "category": "connection",
        "type": "port_scan" if alert.detector == "port_scan" else "login_attack",
        "protocol": "tcp",
        "first_seen": page.iso(alert.first_at),
        "last_seen": page.iso(alert.last_at),
        "attempt_count": alert.count,
        "description": inert.line(alert.why),
        "target_service": inert.line(alert.service),
        "evidence_source": "server_logs",
        "evidence": [attached],
    }


def _headed(message: Message, place: Place, sender: str, receivers: list[str], subject: str) -> EmailMessage:
    made = EmailMessage(policy=SMTP)
    made["From"] = sender
    made["To"] = ", ".join(receivers)
    # An encoded word of an attacker's would be decoded: by mail programs, and by the email package itself.
    made["Subject"] = subject.replace("=?", "= ?")
    made["Date"] = format_datetime(datetime.fromtimestamp(message.made_at, UTC))
    made["Message-ID"] = f"<durward.{message.key}@{domain_of(place.host)}>"
    made["Auto-Submitted"] = "auto-generated"
    made["X-Auto-Response-Suppress"] = "All"
    made["X-Durward-Severity"] = max((alert.severity for alert in message.alerts), key=page.grave)
    return made


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
