"""Merged lists on their way into the kernel: texts are read, elements written in bulk, and sets changed or replaced.

What takes long comes in steps, so that whoever carries them out can block somebody between two of them.
"""

import errno
import socket
import sys
import time
from array import array
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice

from durward.model.address import MAPPED_BITS
from durward.privileged.failure import KernelError
from durward.privileged.loading import run_nft
from durward.privileged.messages import (
    DELETE_ELEMENT,
    INET_BODY,
    NESTED_BYTES_MAX,
    NEW_ELEMENT,
    SUBSYSTEM,
    body_of,
    key_text,
)
from durward.privileged.netlink import CREATE, EXCLUSIVE, REQUEST, attribute
from durward.privileged.sets import PASSING, TRANSACTION_ELEMENTS_MAX, TRIES_MAX, Part, Sets
from durward.ruleset.levels import TABLE
from durward.ruleset.matching import Version
from durward.ruleset.merged import Filling, MergedList, Room, contents, removal, rooms
from durward.ruleset.prefixes import HALF, SHORTEST, Piece, Prefixes

STEP_TEXTS = 4_000  # read in one step, which takes a few milliseconds
NETWORKS_MAX = 3_000_000  # in one list; what is beyond is left out, and said
ELEMENTS_MAX = 10_000_000  # of one filling, about a gigabyte of the kernel's memory; more are refused
CHANGES_MAX = 100_000  # elements; more are not worth a change in place
STEP_SECONDS = 0.003  # that a transaction may take, and all others wait
FIRST_ELEMENTS, ELEMENTS_MIN = 1_000, 200  # of a transaction
NEW_SET, DELETE_SET = SUBSYSTEM | 9, SUBSYSTEM | 11
SET_TABLE, SET_NAME, SET_KEY_KIND, SET_KEY_BYTES, SET_ID = 1, 2, 4, 5, 10
KEY_KINDS: dict[Version, tuple[int, int]] = {4: (7, 4), 6: (8, 16)}  # nft's numbers of its types, and their bytes
SAMPLES_MAX = 5  # of refused texts that are told
SAMPLE_CHARACTERS_MAX = 80
KEY_PLACE = 12  # where in the text of an element its key begins
LENGTHS_V4 = {str(length): length for length in range(33)}
LENGTHS_V6 = {str(length): length for length in range(129)}
MASKS_V4 = [0xFFFFFFFF << (32 - length) & 0xFFFFFFFF for length in range(33)]
MASKS_V6 = [((1 << 128) - 1) << (128 - length) & (1 << 128) - 1 for length in range(129)]
MAPPED_V6 = 0xFFFF  # the first 96 bits of IPv4 within IPv6


@dataclass(slots=True)
class Refused:
    """Texts that were left out: how many for which reason, and a few of them."""

    counts: dict[str, int] = field(default_factory=dict)
    samples: list[str] = field(default_factory=list)

    def add(self, text: str, reason: str) -> None:
        """Note one."""
        self.counts[reason] = self.counts.get(reason, 0) + 1
        if len(self.samples) < SAMPLES_MAX:
            self.samples.append(f"{text[:SAMPLE_CHARACTERS_MAX]!r}: {reason}")


def reading(texts: Iterable[str], prefixes: Prefixes, refused: Refused) -> Iterator[int]:
    """Put networks, one in each text, into `prefixes`, and give after each step how many there are by now.

    An empty text says nothing. Bits behind a prefix are masked; what is no network, or far too wide, goes to `refused`.
    """
    remaining, count = iter(texts), len(prefixes)
    while step := list(islice(remaining, STEP_TEXTS)):
        for text in step:
            if not text:
                continue
            if count >= NETWORKS_MAX:
                refused.add(text, f"there are {NETWORKS_MAX} already")
            elif reason := _read(text.strip(), prefixes):
                refused.add(text, reason)
            else:
                count += 1
        yield count


def _read(text: str, prefixes: Prefixes) -> str:
    """Add one network; give why it was not, or nothing."""
    base, slash, length_text = text.partition("/")
    try:
        if ":" in base:
            return _read_v6(base, LENGTHS_V6[length_text] if slash else 128, prefixes)
        length = LENGTHS_V4[length_text] if slash else 32
        value = int.from_bytes(socket.inet_pton(socket.AF_INET, base))
    except (KeyError, OSError, ValueError):
        return "no network"
    if length < SHORTEST[4]:
        return "too wide"
    prefixes.add_v4(value & MASKS_V4[length], length)
    return ""


def _read_v6(base: str, length: int, prefixes: Prefixes) -> str:
    value = int.from_bytes(socket.inet_pton(socket.AF_INET6, base))
    mapped = value >> 32 == MAPPED_V6 and length >= MAPPED_BITS
    if length < (MAPPED_BITS + SHORTEST[4] if mapped else SHORTEST[6]):
        return "too wide"
    if mapped:
        prefixes.add_v4(value & MASKS_V4[length - MAPPED_BITS], length - MAPPED_BITS)
        return ""
    prefixes.add_v6(value & MASKS_V6[length], length)
    return ""


class MergedSets(Sets):
    """The sets of merged lists in the kernel. `port` is what the kernel knows its socket by."""

    @property
    def port(self) -> int:
        """What the kernel tells others of our elements carries this number."""
        return self._netlink.port

    def fill(self, name: str, filling: Filling, prefixes: Prefixes) -> Iterator[int]:
        """Make the sets of a filling, which no rule knows yet, and fill them; give after each step how many there are.

        Raises KernelError; then what was made is gone again.
        """
        if sum(prefixes.sizes(filling).values()) > ELEMENTS_MAX:
            raise KernelError(f"the networks of {name} would need more than {ELEMENTS_MAX} elements", errno.E2BIG)
        count = 0
        try:
            for room in rooms(name, filling):
                self._make(room)
                yield count
            pace = _Pace()
            for parts in _transactions(name, filling, prefixes.pieces(filling), pace):
                count += self._commit(NEW_ELEMENT, parts, pace)
                yield count
        except BaseException:
            for set_name in filling.set_names(name):
                with suppress(KernelError):  # not all may be there, and why this failed is what matters
                    self.remove_set(set_name)
            raise

    def remove_set(self, set_name: str) -> None:
        """Take a set away, to which no chain may lead. Raises KernelError."""
        # On a socket that stays open: when one is closed, all others wait for the kernel to give back what was removed.
        body = INET_BODY + attribute(SET_TABLE, f"{TABLE}\0".encode()) + attribute(SET_NAME, f"{set_name}\0".encode())
        self._insist([(DELETE_SET, REQUEST, body)], f"did not take {set_name} away")

    def _make(self, room: Room) -> None:
        kind, key_bytes = KEY_KINDS[room.version]
        numbers = ((SET_KEY_KIND, kind), (SET_KEY_BYTES, key_bytes), (SET_ID, 1))
        body = INET_BODY + attribute(SET_TABLE, f"{TABLE}\0".encode())
        body += attribute(SET_NAME, f"{room.set_name}\0".encode())
        body += b"".join(attribute(kind, number.to_bytes(4)) for kind, number in numbers)
        self._insist([(NEW_SET, REQUEST | CREATE | EXCLUSIVE, body)], f"did not make {room.set_name}")

    def swap(
        self, merged: MergedList, filling: Filling | None, generations: Iterable[str], retired: Filling | None = None
    ) -> None:
        """Lead the chains of a list to another filling and take the old one away, at once. Raises KernelError."""
        run_nft(contents(merged, filling, generations) + (removal(merged.name, retired) if retired else ""))

    def change(self, name: str, filling: Filling, old: Prefixes, new: Prefixes) -> int | None:
        """All steps of `changing` at once."""
        steps = self.changing(name, filling, old, new)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]

    def changing(self, name: str, filling: Filling, old: Prefixes, new: Prefixes) -> Generator[None, None, int | None]:
        """Make the sets of a filling that has `old` have `new`, in steps; give how many elements were changed.

        None where they had better be filled anew: too much is different. Raises KernelError where the kernel refused,
        which it does when it has not exactly what `old` says, or no room; then too, fill anew.
        """
        if not new.fits(filling):
            return None
        added, removed, count = [], [], 0
        for more, less in new.differences(old, filling):
            yield
            count += len(more.values) + len(less.values)
            if count > CHANGES_MAX:
                return None
            added.append(more)
            removed.append(less)
        # What is new comes first: for a moment there is too much, never too little.
        for kind, pieces in ((NEW_ELEMENT, added), (DELETE_ELEMENT, removed)):
            pace = _Pace()
            for parts in _transactions(name, filling, pieces, pace):
                self._commit(kind, parts, pace)
                yield
        return count

    def _commit(self, kind: int, bodies: list[tuple[int, bytes]], pace: "_Pace") -> int:
        if not bodies:
            return 0
        flags = REQUEST | CREATE if kind == NEW_ELEMENT else REQUEST
        began, count = time.perf_counter(), sum(count for count, _ in bodies)
        self._insist([(kind, flags, body) for _, body in bodies], "did not take the elements of a merged list")
        pace.note(count, time.perf_counter() - began)
        return count

    def _insist(self, parts: list[Part], failure: str) -> None:
        """Do all of `parts`, again where the kernel was only busy. Raises KernelError."""
        refusal = None
        for _ in range(TRIES_MAX):
            refusal, _place = self._transact(list(parts))
            if refusal is None:
                return
            if refusal.number not in PASSING:
                break
        number, text = (refusal.number, refusal.text) if refusal else (errno.EIO, "no answer")
        raise KernelError(f"the kernel {failure}: {text}", number)


class _Pace:
    """How many elements one transaction has: as many as take STEP_SECONDS, for nobody can be blocked meanwhile.

    How long that is depends on the memory that the kernel finds: the first use of some costs a virtual machine much.
    """

    def __init__(self) -> None:
        self.count = FIRST_ELEMENTS

    def note(self, count: int, seconds: float) -> None:
        """Learn from a transaction: slower at once, faster by and by."""
        fitting = int(count * STEP_SECONDS / max(seconds, 1e-6))
        self.count = min(max(fitting, ELEMENTS_MIN), self.count * 5 // 4, TRANSACTION_ELEMENTS_MAX)


def _transactions(
    name: str, filling: Filling, pieces: Iterable[Piece], pace: _Pace
) -> Iterator[list[tuple[int, bytes]]]:
    """Message bodies, each with its number of elements, as many together as `pace` says; nothing after a long look."""
    gathered: list[tuple[int, bytes]] = []
    count = 0
    for piece in pieces:
        key_bytes = 4 if piece.version == 4 else 16
        set_name = filling.set_name(name, piece.version, piece.level)
        most = NESTED_BYTES_MAX // len(key_text(bytes(key_bytes)))
        values, begin = list(piece.values), 0
        if not values:
            yield []
        while begin < len(values):
            some = values[begin : begin + min(most, max(pace.count - count, 1))]
            gathered.append((len(some), body_of(set_name, _texts(_keys(piece, some), key_bytes))))
            count, begin = count + len(some), begin + len(some)
            if count >= pace.count:
                yield gathered
                gathered, count = [], 0
    if gathered:
        yield gathered


def _keys(piece: Piece, values: list[int]) -> bytes:
    """The keys of some elements, one behind the other, as the kernel stores them."""
    if piece.level > HALF:
        return b"".join(value.to_bytes(16) for value in values)
    packed = array("I" if piece.version == 4 else "Q", values)
    if sys.byteorder == "little":
        packed.byteswap()
    if piece.version == 4:
        return packed.tobytes()
    keys = array("Q", bytes(16 * len(values)))
    keys[::2] = packed
    return keys.tobytes()


def _texts(keys: bytes, key_bytes: int) -> bytes:
    """Elements as the kernel reads them: all are alike but for the key, so its bytes are put in column by column."""
    template = key_text(bytes(key_bytes))
    texts = bytearray(template * (len(keys) // key_bytes))
    for place in range(key_bytes):
        texts[KEY_PLACE + place :: len(template)] = keys[place::key_bytes]
    return bytes(texts)
