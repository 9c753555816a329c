"""How settings write port knocking: `22/tcp 20s 7000 8000 9000`, and CSF's `22;TCP;20;7000;8000;9000`."""

import re
from dataclasses import dataclass
from itertools import pairwise

from durward.catalog.traffic import PORT_MAX
from durward.model import InvalidDurationError, Port, parse_duration

KNOCKS_MAX = 100  # doors; a longer list is refused
STEPS_MIN, STEPS_MAX = 3, 16  # fewer are guessed by a scan; more nobody types
SECONDS_MAX = 3600  # between two steps
WANTED = 'knocks like ["22/tcp 20s 7000 8000 9000"] or "22;TCP;20;7000;8000;9000"'
KNOCK = re.compile(r"(\d{1,5})/(tcp|udp)\s+(\d{1,5}[smh])((?:\s+\d{1,5})+)", re.ASCII)
CSF_KNOCK = re.compile(r"(\d{1,5});(tcp|udp);(\d{1,5})((?:;\d{1,5})+)", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class KnockSequence:
    """`port` opens for a source that sends to `steps` in order, each within `within_seconds` of the one before."""

    port: Port
    within_seconds: int
    steps: tuple[int, ...]

    def __str__(self) -> str:
        protocol = self.port.protocol
        return f"{self.port.number}/{protocol} {self.within_seconds}s {' '.join(map(str, self.steps))}"


def parse_knocks(value: object) -> tuple[KnockSequence, ...]:
    """Read a list of knocks in our spelling, or CSF's PORTKNOCKING. Raises ValueError."""
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list) or len(items) > KNOCKS_MAX or not all(isinstance(item, str) for item in items):
        raise ValueError(f"{WANTED} were expected, {KNOCKS_MAX} at most")
    knocks = tuple(_knock(item.strip()) for item in items if item.strip())
    if len({knock.port for knock in knocks}) < len(knocks):
        raise ValueError("each port was expected to have one sequence of knocks")
    return knocks


def _knock(text: str) -> KnockSequence:
    found, old = KNOCK.fullmatch(text), CSF_KNOCK.fullmatch(text)
    match = found or old
    if not match:
        raise ValueError(f"{WANTED} was expected, not {text!r}")
    port, protocol, within, steps = match.groups()
    numbers = tuple(int(step) for step in steps.replace(";", " ").split())
    if not STEPS_MIN <= len(numbers) <= STEPS_MAX:
        raise ValueError(f"{STEPS_MIN} to {STEPS_MAX} steps were expected, not {len(numbers)}, in {text!r}")
    if not all(1 <= number <= PORT_MAX for number in (int(port), *numbers)):
        raise ValueError(f"ports from 1 to {PORT_MAX} were expected in {text!r}")
    if int(port) in numbers or any(one == next_one for one, next_one in pairwise(numbers)):
        raise ValueError(f"steps that differ from the port and from the step before were expected in {text!r}")
    seconds = _seconds(within + ("s" if old else ""), text)
    return KnockSequence(Port(int(port), "udp" if protocol.lower() == "udp" else "tcp"), seconds, numbers)


def _seconds(within: str, text: str) -> int:
    try:
        seconds = int(parse_duration(within))
    except InvalidDurationError as error:
        raise ValueError(str(error)) from None
    if not 1 <= seconds <= SECONDS_MAX:
        raise ValueError(f"a time from 1s to 1h was expected in {text!r}")
    return seconds
