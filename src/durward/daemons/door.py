"""The engine's side of the enforcer: what must be true in the kernel is said here, and what is there is read here."""

from dataclasses import dataclass
from pathlib import Path

from durward.control.channel import Channel, ChannelError
from durward.control.words import Entry, parts


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
        refusals = []
        for part in parts(entries):
            answer = self.channel.ask("block", entries=part)
            refusals += [Refusal(part[index], reason) for index, reason in answer["refused"]]
        return refusals

    def allow(self, entries: list[Entry]) -> None:
        """Let entries pass in the kernel, blocks around them notwithstanding."""
        for part in parts(entries):
            self.channel.ask("allow", entries=part)

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

    def state(self) -> tuple[str, list[str]]:
        """What the firewall is (off, trial, confirmed, stopped), and who changed our table, in plain words."""
        answer = self.channel.ask("state", listing="block", entries=[])
        return str(answer["firewall"]), [str(line) for line in answer["reports"]]
