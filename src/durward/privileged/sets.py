"""The sets of table `inet durward` in the kernel: elements are added, removed and read back by key, never listed."""

import errno
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Self, TypeVar

from durward.privileged.failure import KernelError
from durward.privileged.messages import (
    DELETE_ELEMENT,
    GET_ELEMENT,
    GET_GENERATION,
    INET_BODY,
    NEW_ELEMENT,
    Reading,
    batch,
    bodies,
    body_of,
    element_text,
    key_text,
    place_of,
    reading_of,
)
from durward.privileged.netlink import (
    ACKNOWLEDGE,
    CREATE,
    ERROR,
    EXCLUSIVE,
    NETFILTER,
    REQUEST,
    Netlink,
    Refusal,
    attributes,
    refusal_of,
    request,
)
from durward.ruleset.elements import Element, ElementKey

TRANSACTION_ELEMENTS_MAX = 10_000  # more become several transactions, so that nobody else waits long
READ_KEYS_MAX = 256  # keys asked for in one datagram
TRIES_MAX = 20  # an element may expire or come back between looking and acting
PASSING = frozenset({errno.EINTR, errno.EAGAIN, errno.ENOBUFS})
REASONS = {
    errno.ENOENT: "there is no such set in table inet durward",
    errno.ENFILE: "the set is full",
    errno.EPERM: "CAP_NET_ADMIN is missing",
}
Part = tuple[int, int, bytes]
Item = TypeVar("Item")


class Sets:
    """The elements in the kernel of the network namespace in which this was made."""

    def __init__(self) -> None:
        self._netlink = Netlink(NETFILTER)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the socket back."""
        self._netlink.close()

    def add(self, elements: Iterable[Element]) -> None:
        """Make elements be there, with exactly these timeouts and comments; one that is there already is replaced.

        All or nothing for each TRANSACTION_ELEMENTS_MAX of them; packets see them when this returns. A replaced
        element counts from 0 again. Raises KernelError, which names the element where the kernel tells.
        """
        unique = {element.identity: element for element in elements}
        for chunk in _chunks(unique.values(), TRANSACTION_ELEMENTS_MAX):
            self._add(chunk)

    def _add(self, chunk: list[Element]) -> None:
        texts = [(element.set_name, element_text(element)) for element in chunk]
        additions: list[Part] = [(NEW_ELEMENT, REQUEST | CREATE | EXCLUSIVE, body) for body in bodies(texts)]
        # Older kernels keep the old timeout when an element is added again, and none changes its comment: so an
        # element that is there is removed in the same transaction. Most are new: that is tried first.
        present: list[ElementKey] = []
        refusal = place = None
        for _ in range(TRIES_MAX):
            refusal, place = self._transact(_deletions(present) + additions)
            if refusal is None:
                return
            if refusal.number == errno.EEXIST or (refusal.number == errno.ENOENT and present):
                present = self._present([element.identity for element in chunk])
            elif refusal.number not in PASSING:
                break
        raise _failure("add", refusal, place or chunk[0].identity, len(chunk))

    def remove(self, keys: Iterable[ElementKey]) -> None:
        """Make elements be gone; one that is gone already is fine, and so is a missing set. Raises KernelError."""
        for chunk in _chunks(dict.fromkeys(keys), TRANSACTION_ELEMENTS_MAX):
            self._remove(chunk)

    def _remove(self, chunk: list[ElementKey]) -> None:
        refusal = place = None
        for _ in range(TRIES_MAX):
            refusal, place = self._transact(_deletions(chunk))
            if refusal is None:
                return
            if refusal.number == errno.ENOENT:
                chunk = self._present(chunk) if len(chunk) > 1 else []
                if not chunk:
                    return
            elif refusal.number not in PASSING:
                break
        raise _failure("remove", refusal, place or chunk[0], len(chunk))

    def read(self, keys: Iterable[ElementKey]) -> list[Reading | None]:
        """What the kernel has for each key, in their order; None where it has nothing. Raises KernelError."""
        return [reading for chunk in _chunks(keys, READ_KEYS_MAX) for reading in self._read(chunk)]

    def _read(self, chunk: list[ElementKey]) -> list[Reading | None]:
        for _ in range(TRIES_MAX):
            try:
                return self._read_once(chunk)
            except KernelError as error:
                if error.number not in PASSING:
                    raise
        raise KernelError("the kernel's answers about elements were lost again and again", errno.ENOBUFS)

    def _read_once(self, chunk: list[ElementKey]) -> list[Reading | None]:
        # One message for each key: the kernel gives exactly one answer to each, a missing one included.
        first = self._netlink.numbers(len(chunk))
        asked = (body_of(key.set_name, key_text(key.key)) for key in chunk)
        self._netlink.send(b"".join(request(GET_ELEMENT, 0, first + index, body) for index, body in enumerate(asked)))
        readings: list[Reading | None] = [None] * len(chunk)
        waiting = set(range(first, first + len(chunk)))
        while waiting:
            for message in self._netlink.receive():
                if message.sequence not in waiting:
                    continue
                waiting.remove(message.sequence)
                if message.type != ERROR:
                    readings[message.sequence - first] = reading_of(message.body)
                elif (refusal := refusal_of(message)).number != errno.ENOENT:
                    raise _failure("read", refusal, chunk[message.sequence - first], 1)
        return readings

    def generation(self) -> int:
        """The number of this namespace's rule set; it grows with each transaction of anybody. Raises KernelError."""
        sequence = self._netlink.numbers()
        self._netlink.send(request(GET_GENERATION, 0, sequence, INET_BODY))
        while True:
            for message in self._netlink.receive():
                if message.sequence != sequence:
                    continue
                if message.type == ERROR:
                    raise KernelError(f"the kernel did not tell its generation: {refusal_of(message).text}")
                return int.from_bytes(attributes(message.body[4:]).get(1, b""))

    def _present(self, keys: list[ElementKey]) -> list[ElementKey]:
        return [key for key, reading in zip(keys, self.read(keys), strict=True) if reading is not None]

    def _transact(self, parts: list[Part]) -> tuple[Refusal | None, ElementKey | None]:
        """Do all of `parts` or nothing; give what the kernel refused first and of which element, or twice None."""
        kind, flags, body = parts[-1]
        parts[-1] = kind, flags | ACKNOWLEDGE, body
        first = self._netlink.numbers(len(parts) + 2)
        self._netlink.send(batch(parts, first))
        refusal = self._refused(first, first + len(parts))
        if refusal is None or refusal.sequence == first:
            return refusal, None
        return refusal, place_of(parts[refusal.sequence - first - 1][2], refusal.offset)

    def _refused(self, first: int, last: int) -> Refusal | None:
        """Wait for the end of the transaction numbered so; give the first refusal in it."""
        refused: Refusal | None = None
        while True:
            try:
                received = self._netlink.receive()
            except KernelError as error:
                if error.number in PASSING:
                    return Refusal(first, error.number, str(error), 0)
                raise
            for message in received:
                if message.type != ERROR or not first <= message.sequence <= last:
                    continue
                refusal = refusal_of(message)
                refused = refused or (refusal if refusal.number else None)
                # The kernel answers the beginning only when it gave up the whole, and the last part always.
                if message.sequence in (first, last):
                    return refused


def _deletions(keys: Sequence[ElementKey]) -> list[Part]:
    return [(DELETE_ELEMENT, REQUEST, body) for body in bodies((key.set_name, key_text(key.key)) for key in keys)]


def _chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    remaining = iter(items)
    while chunk := list(islice(remaining, size)):
        yield chunk


def _failure(act: str, refusal: Refusal | None, key: ElementKey, count: int) -> KernelError:
    number, text = (refusal.number, refusal.text) if refusal else (0, "no answer")
    more = f" and {count - 1} more" if count > 1 else ""
    reason = REASONS.get(number, text)
    return KernelError(f"could not {act} {key.key.hex()} in set {key.set_name}{more}: {reason}", number)
