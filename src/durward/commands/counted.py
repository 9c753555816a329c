"""What detectors count, in the words of people: failures, probes, connections."""

FAILURES = frozenset(
    {"brute_force", "slow_guessing", "credential_stuffing", "distributed", "neighbourhood", "web_login_flood"}
)
COUNTED = {
    "port_scan": "probes",
    "connections": "connections",
    "http_not_found": "requests",
    "http_forbidden": "requests",
    "http_unauthorized": "requests",
    "http_limited": "requests",
    "web_attack": "requests",
    "web_attack_repeated": "requests",
    "web_application_firewall": "points",
    "pop3_logins": "logins",
    "imap_logins": "logins",
    "protocol_errors": "protocol errors",
    "mail_rejected": "refusals",
}


def counted_by(origin: str) -> str:
    """What so many of are too many for the detector that a decision came from: `detector:port_scan` counts probes."""
    detector = origin.removeprefix("detector:")
    return "failures" if detector in FAILURES else COUNTED.get(detector, "events")
