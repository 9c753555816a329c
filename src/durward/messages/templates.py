"""CSF's mail templates: headers, a blank line, and text with tags in brackets, which are filled in once."""

import re
from collections.abc import Mapping

from durward.messages import inert
from durward.messages.page import cut, moment
from durward.model.alert import Alert

TEMPLATE_CHARACTERS_MAX = 64 << 10  # a longer one is not used
TAG = re.compile(r"\[([a-z0-9_]{1,40})\]", re.IGNORECASE | re.ASCII)
SUBJECT = re.compile(r"(?im)^subject:[ \t]*(.*)$")
# CSF's files by our detectors; all other blocks use alert.txt.
FILES: Mapping[str, str] = {
    "port_scan": "portscan.txt",
    "connections": "connectiontracking.txt",
    "user_probing": "uidscan.txt",
    "neighbourhood": "netblock.txt",
    "mail_relay": "relayalert.txt",
    "mail_script": "scriptalert.txt",
    "login_rate": "tracking.txt",
}
USUAL = "alert.txt"


def filled(alert: Alert, host: str, templates: Mapping[str, str]) -> tuple[str, str] | None:
    """The subject and text of a mail about a block, by the template that is for it; None where there is none.

    The headers From and To are the settings' business and are passed over.
    """
    if alert.kind != "block":
        return None
    text = templates.get(FILES.get(alert.detector, USUAL)) or templates.get(USUAL)
    if text is None:
        return None
    head, blank, rest = text.replace("\r\n", "\n").partition("\n\n")
    if not blank or not SUBJECT.search(head):
        head, rest = "", text
    subject = SUBJECT.search(head)
    tags = tags_of(alert, host)
    written = _fill(subject[1] if subject else "durward on [hostname]: [ip] is blocked", tags, "; ")
    return inert.line(written, 160), cut(_fill(rest, tags, "\n"))


def tags_of(alert: Alert, host: str) -> Mapping[str, tuple[str, ...]]:
    """The values of tags, each as its lines, every one harmless."""
    lasting = "Permanent Block" if alert.until is None else f"Temporary Block until {moment(alert.until)}"
    ports = alert.ports or "*"
    single = {
        "ip": alert.subject,
        "tip": alert.subject,
        "hostname": host,
        "time": moment(alert.at),
        "ipcount": str(alert.count),
        "count": str(alert.count),
        "iptick": str(round(max(0.0, min(alert.last_at - alert.first_at, 1e9)))),
        "block": lasting,
        "blocks": f"{lasting}, ports {ports}",
        "temp": lasting,
        "app": alert.service,
        "service": alert.service,
        "type": alert.detector,
        "ports": ports,
        "why": alert.why,
        "done": alert.done,
        "undo": alert.undo,
        "receipt": alert.receipt,
    }
    tags = {name: (inert.line(value),) for name, value in single.items()}
    many = tuple(inert.lines(alert.evidence))
    return tags | {"text": many, "iptext": many, "emails": many, "ips": many}


def _fill(text: str, tags: Mapping[str, tuple[str, ...]], joint: str) -> str:
    """Fill in what is known, once: a tag within a value stays as it is. Unknown tags stay too."""

    def value(found: re.Match[str]) -> str:
        return joint.join(tags[found[1].lower()]) if found[1].lower() in tags else found[0]

    return TAG.sub(value, text)
