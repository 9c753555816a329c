"""The engine's side of the enforcer: what must be true in the kernel is said here, and what is there is read here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from durward.control.channel import Channel, ChannelError
from durward.control.words import Entry, parts
from durward.model import Subject

METERS_AT_ONCE = 40  # names in one word, which is at most 4 KiB


@dataclass(frozen=True, slots=True)
class Refusal:
    """A guard of the enforcer said no to an entry, for a reason in plain words."""

    entry: Entry
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What the kernel has for an entry: packets and bytes refused since it was made, seconds to its end (0: none)."""

    packets: int
    bytes: int
    expires_in_seconds: float


@dataclass(frozen=True, slots=True)
class Counted:
    """What one kind of rule has counted, and each of its parts: name, packets, bytes."""

    what: str
    packets: int
    bytes: int
    parts: list[tuple[str, int, int]]

    def entry(self) -> dict[str, Any]:
        """The same as JSON gives it."""
        parts = [{"of": name, "packets": packets, "bytes": size} for name, packets, size in self.parts]
        return {"what": self.what, "packets": self.packets, "bytes": self.bytes} | ({"parts": parts} if parts else {})


class Door:
    """Asks the enforcer. Every method raises ChannelError when it does not answer; `degraded` says so meanwhile."""

    def __init__(self, path: Path) -> None:
        self.channel = Channel(path)
        self.degraded = "the enforcer is not connected yet"

    def connect(self) -> bool:
        """Connect if need be; give whether there is a connection."""
        if self.channel.connected:
            return True
        try:
            self.channel.connect()
        except ChannelError as error:
            self.degraded = str(error)
            return False
        self.degraded = ""
        return True

    def block(self, entries: list[Entry]) -> list[Refusal]:
        """Put blocks into the kernel; give those that a guard refused."""
        return self._put("block", entries)

    def throttle(self, entries: list[Entry]) -> list[Refusal]:
        """Have the kernel limit what entries begin anew; give those that a guard refused."""
        return self._put("throttle", entries)

    def allow(self, entries: list[Entry]) -> list[Refusal]:
        """Let entries pass in the kernel, blocks around them notwithstanding; give those that it cannot carry."""
        return self._put("allow", entries)

    def unblock(self, listing: str, entries: list[Entry]) -> None:
        """Take entries of `listing` out of the kernel. Those that are not there are fine."""
        for part in parts(entries):
            self.channel.ask("unblock", listing=listing, entries=part)

    def replace(self, listing: str, entries: list[Entry], *, last: bool) -> list[Refusal]:
        """Make the kernel's `listing` hold these entries, by difference; give those that a guard refused.

        With the `last` of a list, what was named since the conversation began is all that stays.
        """
        cut = parts(entries) or [[]]
        refusals = []
        for number, part in enumerate(cut, 1):
            answer = self.channel.ask("replace", listing=listing, entries=part, last=last and number == len(cut))
            refusals += [Refusal(part[index], reason) for index, reason in answer["refused"]]
        return refusals

    def readings(self, entries: list[Entry], listing: str = "block") -> list[Reading | None]:
        """What the kernel has for each entry of `listing`; None where it has nothing."""
        readings: list[Reading | None] = []
        for part in parts(entries):
            answer = self.channel.ask("state", listing=listing, entries=part)
            readings += [None if reading is None else Reading(*reading) for reading in answer["readings"]]
        return readings

    def ssh_ports(self) -> list[int]:
        """Where SSH is, by the settings or by sshd's own files."""
        return [int(port) for port in self.channel.ask("ssh ports")["ports"]]

    def state(self) -> tuple[str, list[str]]:
        """What the firewall is (off, trial, confirmed, stopped), and who changed our table, in plain words."""
        answer = self.channel.ask("state", listing="block", entries=[])
        return str(answer["firewall"]), [str(line) for line in answer["reports"]]

    def full(self) -> list[str]:
        """The kernel's sets that had no room of late, in plain words."""
        return [str(line) for line in self.channel.ask("state", listing="block", entries=[])["full"]]

    def counters(self) -> tuple[list[Counted], list[Counted]]:
        """What our rules refused since they were loaded, and what else they counted."""
        answer = self.channel.ask("look counters")
        refused, counted = ([Counted(*one) for one in answer[name]] for name in ("refused", "counted"))
        return refused, counted

    def meters(self, names: list[str], subject: Subject) -> list[Reading | bool]:
        """What each of these sets has for `subject`: a reading, or whether there is such a set at all."""
        found: list[Reading | bool] = []
        for first in range(0, len(names), METERS_AT_ONCE):
            answer = self.channel.ask("look meters", subject=subject.value, names=names[first : first + METERS_AT_ONCE])
            found += [one if isinstance(one, bool) else Reading(*one) for one in answer["readings"]]
        return found

    def bans(self, *, ports: bool = False) -> dict[str, list[tuple[int, int]]]:
        """Whom the kernel bans by itself for scanning, at present: addresses and IPv6 networks.

        With the `ports` that it remembers of each, beside their protocols' numbers, if they are wanted.
        """
        banned: dict[str, list[tuple[int, int]]] = {}
        more, after = True, ""
        while more:
            answer = self.channel.ask("look bans", after=after, ports=ports)
            banned |= {str(text): [(int(one), int(two)) for one, two in known] for text, known in answer["banned"]}
            more, after = answer["more"] and bool(answer["banned"]), max(banned, default="")
        return banned

    def others(self, subject: Subject | None = None) -> tuple[list[dict[str, Any]], list[str]]:
        """The filtering base chains of other tables, and the tables of the older iptables.

        With a subject, each says as well which sets of its table hold it.
        """
        answer = self.channel.ask("look others", subject=subject.value if subject else "")
        return answer["chains"], answer["legacy"]

    def _put(self, word: str, entries: list[Entry]) -> list[Refusal]:
        refusals = []
        for part in parts(entries):
            answer = self.channel.ask(word, entries=part)
            refusals += [Refusal(part[index], reason) for index, reason in answer["refused"]]
        return refusals
