"""Incident: what somebody did. Decision: what is done about it. Standing: what must be true in the kernel now."""

from dataclasses import dataclass
from typing import Literal

from durward.model.alert import Severity
from durward.model.event import Evidence
from durward.model.subject import Subject

Verdict = Literal["block", "throttle", "unblock", "allow", "disallow", "ignore", "unignore", "alert"]
Direction = Literal["in", "out"]
Listing = Literal["block", "throttle", "allow", "ignore"]
Protocol = Literal["tcp", "udp"]

PORTS_MAX = 100  # of one scope; more are refused, because an entry with its scope has to fit into one message


@dataclass(frozen=True, slots=True)
class Port:
    """One port of one transport protocol."""

    number: int
    protocol: Protocol = "tcp"

    def __post_init__(self) -> None:
        if not 1 <= self.number <= 65535:
            raise ValueError(f"{self.number} is not a port; 1 to 65535 was expected")

    def __str__(self) -> str:
        return str(self.number) if self.protocol == "tcp" else f"{self.number}/{self.protocol}"

    @classmethod
    def parse(cls, text: str) -> "Port":
        """Read `22`, `22/tcp` or `53/udp`. Raises ValueError."""
        number, slash, protocol = text.strip().partition("/")
        if not (number.isascii() and number.isdigit()) or (slash and protocol not in ("tcp", "udp")):
            raise ValueError(f"{text!r} is not a port; 22, 22/tcp or 53/udp was expected")
        return cls(int(number), "udp" if protocol == "udp" else "tcp")


@dataclass(frozen=True, slots=True)
class Scope:
    """What of the subject's traffic is meant: all of it, or some ports; coming in, or going out to it."""

    ports: tuple[Port, ...] = ()
    direction: Direction = "in"

    def __post_init__(self) -> None:
        if len(self.ports) > PORTS_MAX:
            raise ValueError(f"{len(self.ports)} ports were given; at most {PORTS_MAX} were expected")

    def __str__(self) -> str:
        return f"{self.direction}:{','.join(str(port) for port in self.ports)}"

    @classmethod
    def parse(cls, text: str) -> "Scope":
        """Read what `str` wrote: `in:` or `out:22,53/udp`. Raises ValueError."""
        direction, colon, ports = text.partition(":")
        if not colon or direction not in ("in", "out"):
            raise ValueError(f"{text!r} is not a scope; in:22,53/udp was expected")
        parsed = tuple(Port.parse(port) for port in ports.split(",") if port)
        return cls(parsed, "out" if direction == "out" else "in")


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True)
class Incident:
    """What somebody did, by one detector's measure. `evidence` holds the lines that counted, oldest first.

    `account` is the one that it is about, where it is about one. `familiar`: the source has logged in well of late.
    `severity` is how grave it is for people, where a detector tells of what is allowed, like a login. `about` is what
    it concerns beside source and account.
    """

    detector: str
    service: str
    subject: Subject
    first_at: float
    last_at: float
    count: int
    threshold: int
    within_seconds: float
    evidence: tuple[Evidence, ...]
    reason: str
    account: str | None = None
    familiar: bool = False
    severity: Severity | None = None
    about: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, by whom, why, and until when (epoch seconds; None is for ever). `id` is 0 until stored.

    `held` says why the engine did not let it happen, as a guard's refusal does: it is written down, and that is all.
    """

    verdict: Verdict
    subject: Subject
    made_at: float
    until: float | None
    reason: str
    origin: str
    scope: Scope = EVERYTHING
    incident: Incident | None = None
    simulated: bool = False
    id: int = 0
    receipt: str = ""
    held: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """One entry of a list as it must be in the kernel now."""

    listing: Listing
    subject: Subject
    scope: Scope
    until: float | None
    decision: int
