"""What people are told of strangers who wrote to the journal in a service's name."""

import pwd
from collections.abc import Iterable

from durward.model import Finding
from durward.sources.posing import Pose

TOLD_SECONDS = 86400.0  # for so long after the last line
SAMPLE_CHARACTERS_MAX = 160
CHECK = "forged"


def findings(poses: Iterable[Pose], now: float) -> list[Finding]:
    """One for each who did of late. A service that runs in an unusual way is asked after, not accused."""
    found = []
    for pose in poses:
        if now - pose.last_at > TOLD_SECONDS:
            continue
        if not pose.writer.kindred:
            found.append(Finding(CHECK, f"{_who(pose)} as {_text(pose.writer.name)}", "fail", _forged(pose)))
        elif pose.writer.unit and not pose.writer.unit.endswith(SCOPES):
            subject = f"{_text(pose.writer.name)} in {_text(pose.writer.unit)}"
            found.append(Finding(CHECK, subject, "unknown", _odd(pose)))
    return found


SCOPES = (b".scope", b".slice")  # what people do in a session, as with su and sudo


def _who(pose: Pose) -> str:
    uid = pose.writer.uid
    try:
        return f"user {pwd.getpwuid(uid).pw_name} (uid {uid})"
    except (KeyError, OverflowError):
        return f"uid {uid}" if uid >= 0 else "somebody"


def _forged(pose: Pose) -> str:
    count = "1 line that poses" if pose.lines == 1 else f"{pose.lines} lines that pose"
    by = f" with {_text(pose.writer.program)}" if pose.writer.program else ""
    where = f" in {_text(pose.writer.unit)}" if pose.writer.unit else ""
    name, sample = _text(pose.writer.name), _sample(pose)
    return f"{_who(pose)} wrote {count} as {name}{by}{where}; none counts. The last one: {sample}"


def _odd(pose: Pose) -> str:
    unit, name = _text(pose.writer.unit), _text(pose.writer.name)
    return (
        f"{pose.lines} lines of {name} come from {unit} ({_who(pose)}), which no service names, and do not count; "
        f"if that is the service: name {unit} in services.NAME.journal. The last one: {_sample(pose)}"
    )


def _sample(pose: Pose) -> str:
    return _text(pose.sample)[:SAMPLE_CHARACTERS_MAX]


def _text(words: bytes) -> str:
    text = words.decode("utf-8", "backslashreplace")
    return "".join(letter if letter.isprintable() else "?" for letter in text)
