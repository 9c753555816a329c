"""Finding: how the host or durward itself is. Unknown is a value of its own, never a pass."""

from dataclasses import dataclass
from typing import Literal

Result = Literal["pass", "fail", "unknown", "not_applicable", "error"]
ABSENT = "is not there (yet)"  # said of a log that a service would write


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check of one subject; `detail` says what was seen and what to do."""

    check: str
    subject: str
    result: Result
    detail: str
