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
    "ssh_logins": "sshalert.txt",
    "su_use": "sualert.txt",
    "sudo_use": "sudoalert.txt",
    "console_logins": "consolealert.txt",
    "webmin_logins": "webminalert.txt",
    "panel_logins": "cpanelalert.txt",
    "outbound_probing": "uidscan.txt",
    "port_knock": "portknocking.txt",
    "script_mail": "scriptalert.txt",
    "mail_queue": "queuealert.txt",
    "pop3_logins": "tracking.txt",
    "imap_logins": "tracking.txt",
}
# By what an alert is about, where several detectors tell of it: classes of relayed mail; and by what was found amiss.
RELAYS = frozenset({"relay", "authrelay", "poprelay", "localrelay", "localhostrelay"})
FINDINGS: Mapping[str, str] = {"finding:syslog": "syslogalert.txt"}
USUAL, RELAYED, LASTING = "alert.txt", "relayalert.txt", "permblock.txt"
CLASSES = {"8": "A", "16": "B", "24": "C"}


def filled(alert: Alert, host: str, templates: Mapping[str, str]) -> tuple[str, str] | None:
    """The subject and text of a mail, by the template that is for it; None where there is none.

    The headers From and To are the settings' business and are passed over.
    """
    text = next((templates[name] for name in names_for(alert) if name in templates), None)
    if text is None:
        return None
    head, blank, rest = text.replace("\r\n", "\n").partition("\n\n")
    if not blank or not SUBJECT.search(head):
        head, rest = "", text
    subject = SUBJECT.search(head)
    tags = tags_of(alert, host)
    written = _fill(subject[1] if subject else "durward on [hostname]: [what]", tags, "; ")
    return inert.line(written, 160), cut(_fill(rest, tags, "\n"))


def names_for(alert: Alert) -> list[str]:
    """The files of CSF's that an alert would be written by, the one that is made for it first."""
    if alert.kind == "finding":
        return [FINDINGS[alert.gathering]] if alert.gathering in FINDINGS else []
    if alert.kind not in {"block", "alert"}:
        return []
    names = [FILES[alert.detector]] if alert.detector in FILES else []
    if alert.about in RELAYS:
        names.append(RELAYED)
    if alert.kind != "block":
        return names
    return [*names, *([LASTING] if alert.until is None and not names else []), USUAL]


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
        "logins": str(alert.count),
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
        "what": alert.what,
        "account": alert.account,
        "user": alert.account,
        "uid": alert.account,
        "from": alert.account,
        "to": alert.about,
        "method": alert.about,
        "port": alert.about,
        "check": alert.about.upper(),
        "path": alert.subject,
        "log": alert.why,
        "status": "Failed login" if alert.severity == "warning" else "Successful login",
        "line": alert.evidence[-1] if alert.evidence else "",
    }
    if alert.detector == "neighbourhood":
        single |= {"block": alert.subject, "class": CLASSES.get(alert.subject.rpartition("/")[2], "")}
    tags = {name: (inert.line(value),) for name, value in single.items()}
    many = tuple(inert.lines(alert.evidence))
    files = tuple(inert.lines(alert.files))
    return tags | {"text": many, "iptext": many, "emails": many, "ips": many, "scripts": files}


def _fill(text: str, tags: Mapping[str, tuple[str, ...]], joint: str) -> str:
    """Fill in what is known, once: a tag within a value stays as it is. Unknown tags stay too."""

    def value(found: re.Match[str]) -> str:
        return joint.join(tags[found[1].lower()]) if found[1].lower() in tags else found[0]

    return TAG.sub(value, text)
