"""Who logged in well of late, and to which accounts: whoever did is not treated like a stranger at once.

Accounts are kept as keyed hashes with their source, so that the database does not tell who works from where.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

from durward.engine.networks import network_around
from durward.engine.oldest import forget_oldest
from durward.model import Subject

FAMILIAR_SECONDS = 7 * 86400.0  # a successful login counts for this long
NETWORK_SECONDS = 90 * 86400.0  # a login from a network is known for this long: nobody is at every place each week
OF_NETWORK = "network:"  # what the name of one begins with, beside the sources themselves
NOTE_SECONDS = 3600.0  # a pair that is known is noted again at most this often: phones log in every few minutes
PAIRS_MAX = 200_000  # of source and account; beyond it those that were noted longest ago are forgotten
HASH_BYTES = 8


class Login(NamedTuple):
    """The last successful login that was noted of a source to an account, which is a keyed hash. Epoch seconds."""

    source: str
    account: bytes
    at: float


class Familiar:
    """Sources and the accounts that they logged in to. `key` is this host's own secret."""

    def __init__(self, key: bytes = b"", known: Iterable[Login] = ()) -> None:
        self._key = key
        self._pairs: dict[tuple[str, bytes], float] = {}
        self._sources: dict[str, dict[bytes, float]] = {}
        self._changed: dict[tuple[str, bytes], float] = {}
        for login in sorted(known, key=lambda one: one.at):
            self._note(login.source, login.account, login.at)

    def note(self, subject: Subject, account: str | None, at: float) -> None:
        """`subject` logged in to `account` at `at` (epoch seconds)."""
        name = self.name_of(subject, account)
        before = self._pairs.get((subject.value, name))
        if before is None or at - before >= NOTE_SECONDS:
            self._note(subject.value, name, at)
            self._changed[subject.value, name] = at

    def arrive(self, subject: Subject, account: str, at: float) -> bool:
        """Somebody logged in to `account` from the network around `subject`; give whether that happened before."""
        source = OF_NETWORK + network_around(subject).value
        name = self._hashed(source, account)
        before = self._pairs.get((source, name))
        if before is None or at - before >= NOTE_SECONDS:
            self._note(source, name, at)
            self._changed[source, name] = at
        return before is not None and at - before <= NETWORK_SECONDS

    def is_familiar(self, subject: Subject, at: float) -> bool:
        """Whether `subject` has logged in to anything of late."""
        return any(at - last <= FAMILIAR_SECONDS for last in self._sources.get(subject.value, {}).values())

    def knows(self, subject: Subject, account: str | None, at: float) -> bool:
        """Whether `subject` has logged in to this very account of late."""
        if account is None or subject.value not in self._sources:
            return False
        last = self._sources[subject.value].get(self.name_of(subject, account))
        return last is not None and at - last <= FAMILIAR_SECONDS

    def accounts(self, subject: Subject, at: float) -> int:
        """To how many accounts `subject` has logged in of late."""
        return sum(at - last <= FAMILIAR_SECONDS for last in self._sources.get(subject.value, {}).values())

    def changed(self) -> list[Login]:
        """What is to be kept for the next engine, since this was last asked."""
        changed = [Login(source, account, at) for (source, account), at in self._changed.items()]
        self._changed.clear()
        return changed

    def name_of(self, subject: Subject, account: str | None) -> bytes:
        """The keyed hash that stands for an account as it is used from `subject`."""
        return self._hashed(subject.value, account or "")

    def __len__(self) -> int:
        return len(self._pairs)

    def _hashed(self, source: str, account: str) -> bytes:
        text = f"{source}\0{account.casefold()}"
        return blake2b(text.encode("utf-8", "backslashreplace"), key=self._key, digest_size=HASH_BYTES).digest()

    def _note(self, source: str, account: bytes, at: float) -> None:
        self._pairs.pop((source, account), None)
        self._pairs[source, account] = at
        self._sources.setdefault(source, {})[account] = at
        if len(self._pairs) > PAIRS_MAX:
            for (one, name), _ in forget_oldest(self._pairs):
                self._forget(one, name)

    def _forget(self, source: str, account: bytes) -> None:
        self._changed.pop((source, account), None)
        del self._sources[source][account]
        if not self._sources[source]:
            del self._sources[source]
