"""The firewall in the kernel: applied on trial, confirmed, rolled back; what was confirmed is kept for the boot."""

import json
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from durward.privileged.failure import KernelError
from durward.privileged.loading import run_nft, table_state
from durward.privileged.names import present
from durward.ruleset.elements import Element
from durward.ruleset.filling import filling
from durward.ruleset.skeleton import mending, replacement, set_names
from durward.ruleset.switch import Firewall, Generation, Present, other, switch

CONFIRMED, TRIAL = "confirmed.nft", "trial.json"
HEAD = re.compile(r"# durward firewall, generation ([ab])\n")
BOOT_PATH = Path("/proc/sys/kernel/random/boot_id")
TEXT_BYTES_MAX = 8 << 20  # of a stored rule set
State = Literal["off", "trial", "confirmed"]
Contents = Callable[[Firewall, Present], str]  # what leads a firewall's merged lists to the sets that are there
Elements = Callable[[], Iterable[Element]]  # asked for only where they are needed


class FirewallError(KernelError):
    """What was asked cannot be done with the firewall as it is now; the message says why."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A firewall that was applied and not confirmed yet. `connection` is who applied it.

    `ends_at` is in seconds of the monotonic clock, by which the kernel too counts: a clock that is set changes nothing.
    `older` are the connections that were there before, which the new firewall had no say in: they confirm nothing.
    """

    firewall: Firewall
    ends_at: float
    connection: str
    older: frozenset[str] = frozenset()


class KernelFirewall:
    """Every method raises KernelError where the kernel refuses; what decided before decides on then.

    `now` is in seconds of the monotonic clock.
    """

    def __init__(self, directory: Path, skeleton: str, contents: Contents = lambda _firewall, _present: "") -> None:
        self._directory = directory
        self._contents = contents
        self._skeleton = skeleton
        self._kept = self._read_confirmed()
        self._trial = self._read_trial()

    def state(self, now: float) -> State:
        """Whether a firewall decides, and whether it was confirmed."""
        if self._trial is not None and now < self._trial.ends_at:
            return "trial"
        return "off" if self._kept is None else "confirmed"

    def trial_seconds(self, now: float) -> float:
        """How long the trial goes on, in seconds; 0 when there is none."""
        return max(0.0, self._trial.ends_at - now) if self._trial is not None else 0.0

    def tried_by(self, now: float) -> str | None:
        """The connection that put a firewall on trial; None where there is no trial."""
        return self._trial.connection if self._trial is not None and self.state(now) == "trial" else None

    def firewalls(self) -> tuple[Firewall, ...]:
        """What is kept and what is on trial."""
        trial = self._trial.firewall if self._trial is not None else None
        return tuple(one for one in (self._kept, trial) if one is not None)

    def next_generation(self) -> Generation:
        """The generation to compile for."""
        return other(self._kept.generation) if self._kept is not None else "a"

    def restore(self, now: float, elements: Elements = tuple, *, reload: bool = False, anew: bool = False) -> None:
        """Have the sets, what was confirmed, and a trial that is still on be there, all in one transaction.

        A table with wrong rules gets the right ones, and its sets stay. Where that will not do it is made anew, and
        holds `elements` from its first moment. With `reload` all rules are put there again, whatever the kernel seems
        to have; with `anew` nothing stays.
        """
        if self._trial is None or now >= self._trial.ends_at:
            self._forget_trial()
        state = "missing" if anew else table_state(self._skeleton)
        mends = reload or state == "different"
        if state == "missing" or (mends and not self._mend(now)):
            self._make(tuple(elements()), now)
        elif not mends and (self._kept or self._trial or _has_firewall(present())):
            run_nft(self._switching(present(), now, reload=False))

    def _mend(self, now: float) -> bool:
        """Put all rules there again and leave the sets; gives whether all is well then."""
        found = present()
        if not found.sets.issuperset(set_names(self._skeleton)):
            return False  # what was in a set that is gone would be missing
        try:
            run_nft(mending(self._skeleton, found.chains, self._switching(found, now, reload=True)))
        except KernelError:
            return False
        return table_state(self._skeleton) == "current"

    def _make(self, elements: Sequence[Element], now: float) -> None:
        """Make the table anew. Elements that the kernel does not take shall not keep away all the rest."""
        table = replacement(self._skeleton)
        nothing = Present(frozenset(), frozenset())
        rules = self._switching(nothing, now, reload=True) if self._kept or self._trial else ""
        try:
            run_nft(table + filling(elements) + rules)
        except KernelError:
            if not elements:
                raise
            run_nft(table + rules)

    def _switching(self, found: Present, now: float, *, reload: bool) -> str:
        seconds = max(1, round(self.trial_seconds(now)))
        trial = self._trial.firewall if self._trial else None
        return self._switched(found, self._kept, trial, seconds, reload=reload)

    def _switched(
        self,
        found: Present,
        kept: Firewall | None,
        trial: Firewall | None = None,
        seconds: int = 0,
        *,
        reload: bool = False,
    ) -> str:
        """The commands of `switch`; whatever comes anew comes with its lists."""
        text = switch(found, kept, trial, seconds, reload=reload)
        anew = [one for one in (kept, trial) if one is not None and one.text in text]
        return text + "".join(self._contents(one, found) for one in anew)

    def apply(
        self, firewall: Firewall, seconds: int, connection: str, now: float, older: frozenset[str] = frozenset()
    ) -> None:
        """Let `firewall` decide for `seconds`; `confirm` keeps it, from a connection that is not one of `older`."""
        trial = Trial(firewall, now + seconds, connection, older)
        stored = [_boot(), firewall.generation, firewall.text, trial.ends_at, connection, sorted(older)]
        with self._writing(TRIAL, json.dumps(stored)):
            run_nft(self._switched(present(), self._kept, firewall, seconds))
        self._trial = trial

    def confirm(self, connection: str, now: float) -> None:
        """Keep the firewall that is on trial. Raises FirewallError where there is none, or from the same connection."""
        trial = self._trial
        if trial is None or now >= trial.ends_at:
            self._forget_trial()
            raise FirewallError("there is no firewall on trial; it may have been rolled back: durward apply")
        if connection and (connection == trial.connection or connection in trial.older):
            raise FirewallError(
                "confirm from a new connection: only that proves that you still get in; this one is from before"
            )
        with self._writing(CONFIRMED, self._boot_text(trial.firewall)):
            run_nft(self._switched(present(), trial.firewall))
        self._kept = trial.firewall
        self._forget_trial()

    def rollback(self) -> None:
        """End the trial: what was kept before decides again. Raises FirewallError where there is no trial."""
        if self._trial is None:
            raise FirewallError("there is no firewall on trial, so there is nothing to roll back")
        run_nft(self._switched(present(), self._kept))
        self._forget_trial()

    def tick(self, now: float) -> bool:
        """Clear away a trial that nobody confirmed; gives whether there was one. The kernel let go of it already."""
        if self._trial is None or now < self._trial.ends_at:
            return False
        run_nft(self._switched(present(), self._kept))
        self._forget_trial()
        return True

    def off(self) -> None:
        """Take the firewall away, now and for the next boot; blocks stay."""
        run_nft(switch(present(), None))
        self._kept = None
        (self._directory / CONFIRMED).unlink(missing_ok=True)
        self._forget_trial()

    def _boot_text(self, firewall: Firewall) -> str:
        """What the boot unit loads before the network is up, without Python: the sets, and this firewall."""
        nothing = Present(frozenset(), frozenset())
        return f"# durward firewall, generation {firewall.generation}\n{self._skeleton}{switch(nothing, firewall)}"

    def _read_confirmed(self) -> Firewall | None:
        text = self._read(CONFIRMED)
        head = HEAD.match(text)
        if head is None:
            return None
        generation: Generation = "a" if head[1] == "a" else "b"
        found = re.search(rf"^# begin {generation}\n.*?^# end {generation}\n", text, re.MULTILINE | re.DOTALL)
        return Firewall(generation, found[0]) if found else None

    def _read_trial(self) -> Trial | None:
        try:
            boot, generation, text, ends_at, connection, older = json.loads(self._read(TRIAL))
            trial = Trial(
                Firewall("a" if generation == "a" else "b", str(text)),
                float(ends_at),
                str(connection),
                frozenset(map(str, older)),
            )
        except (ValueError, TypeError):
            return None
        if boot != _boot():
            return None  # the kernel that had it is gone
        return trial

    def _forget_trial(self) -> None:
        self._trial = None
        (self._directory / TRIAL).unlink(missing_ok=True)

    def _read(self, name: str) -> str:
        """A file of ours; empty where it is missing, or not ours alone to write."""
        try:
            descriptor = os.open(self._directory / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            return ""
        with os.fdopen(descriptor, errors="replace") as file:
            return file.read(TEXT_BYTES_MAX) if os.fstat(descriptor).st_uid == os.geteuid() else ""

    @contextmanager
    def _writing(self, name: str, text: str) -> Iterator[None]:
        """Write a file of ours, which is put in its place once the kernel has done what it says."""
        temporary = self._directory / f".{name}.{secrets.token_hex(4)}"
        try:
            with temporary.open("x") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            yield
            temporary.rename(self._directory / name)
        except OSError as error:
            raise KernelError(
                f"{self._directory / name} cannot be written: {error.strerror}", error.errno or 0
            ) from None
        finally:
            temporary.unlink(missing_ok=True)


def _boot() -> str:
    """What tells this boot from others."""
    return BOOT_PATH.read_text(encoding="ascii").strip()


def _has_firewall(found: Present) -> bool:
    return any(chain[-2:] in ("_a", "_b") for chain in found.chains)
