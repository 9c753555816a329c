"""Merged lists on their way into the kernel: texts are read, elements written in bulk, and sets changed or replaced.

What takes long comes in steps, so that whoever carries them out can block somebody between two of them.
"""

import errno
import socket
import sys
from array import array
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice

from durward.model.address import MAPPED_BITS
from durward.privileged.failure import KernelError
from durward.privileged.loading import run_nft
from durward.privileged.messages import DELETE_ELEMENT, NESTED_BYTES_MAX, NEW_ELEMENT, body_of, key_text
from durward.privileged.netlink import CREATE, REQUEST
from durward.privileged.sets import PASSING, TRANSACTION_ELEMENTS_MAX, TRIES_MAX, Part, Sets
from durward.ruleset.merged import Filling, MergedList, contents, declarations, removal
from durward.ruleset.prefixes import HALF, SHORTEST, Piece, Prefixes

STEP_TEXTS = 4_000  # read in one step, which takes a few milliseconds
NETWORKS_MAX = 3_000_000  # in one list; what is beyond is left out, and said
ELEMENTS_MAX = 10_000_000  # of one filling, about a gigabyte of the kernel's memory; more are refused
CHANGES_MAX = 100_000  # elements; more are not worth a change in place
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

    Bits behind a prefix are masked; what is no network, or far too wide, goes to `refused`.
    """
    remaining, count = iter(texts), len(prefixes)
    while step := list(islice(remaining, STEP_TEXTS)):
        for text in step:
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
    """The sets of merged lists in the kernel."""

    def fill(self, name: str, filling: Filling, prefixes: Prefixes) -> Iterator[int]:
        """Make the sets of a filling, which no rule knows yet, and fill them; give after each step how many there are.

        Raises KernelError; then what was made is gone again.
        """
        sizes = prefixes.sizes(filling)
        if sum(sizes.values()) > ELEMENTS_MAX:
            raise KernelError(f"the networks of {name} would need more than {ELEMENTS_MAX} elements", errno.E2BIG)
        count = 0
        try:
            for command in declarations(name, filling, sizes):
                run_nft(command)
                yield count
            for parts in _transactions(name, filling, prefixes.pieces(filling)):
                count += self._commit(NEW_ELEMENT, parts)
                yield count
        except BaseException:
            for command in removal(name, filling).splitlines():
                with suppress(KernelError):  # not all may be there, and why this failed is what matters
                    run_nft(command)
            raise

    def swap(
        self, merged: MergedList, filling: Filling | None, generations: Iterable[str], retired: Filling | None = None
    ) -> None:
        """Lead the chains of a list to another filling and take the old one away, at once. Raises KernelError."""
        run_nft(contents(merged, filling, generations) + (removal(merged.name, retired) if retired else ""))

    def change(self, name: str, filling: Filling, old: Prefixes, new: Prefixes) -> int | None:
        """Make the sets of a filling that has `old` have `new`; give how many elements were changed.

        None where they had better be filled anew: too much is different. Raises KernelError where the kernel refused,
        which it does when it has not exactly what `old` says, or no room; then too, fill anew.
        """
        if not new.fits(filling):
            return None
        added, removed, count = [], [], 0
        for more, less in new.differences(old, filling):
            count += len(more.values) + len(less.values)
            if count > CHANGES_MAX:
                return None
            added.append(more)
            removed.append(less)
        # What is new comes first: for a moment there is too much, never too little.
        for kind, pieces in ((NEW_ELEMENT, added), (DELETE_ELEMENT, removed)):
            for parts in _transactions(name, filling, pieces):
                self._commit(kind, parts)
        return count

    def _commit(self, kind: int, bodies: list[tuple[int, bytes]]) -> int:
        flags = REQUEST | CREATE if kind == NEW_ELEMENT else REQUEST
        refusal = None
        for _ in range(TRIES_MAX):
            parts: list[Part] = [(kind, flags, body) for _, body in bodies]
            refusal, _place = self._transact(parts)
            if refusal is None:
                return sum(count for count, _ in bodies)
            if refusal.number not in PASSING:
                break
        number, text = (refusal.number, refusal.text) if refusal else (errno.EIO, "no answer")
        raise KernelError(f"the kernel did not take the elements of a merged list: {text}", number)


def _transactions(name: str, filling: Filling, pieces: Iterable[Piece]) -> Iterator[list[tuple[int, bytes]]]:
    """Message bodies, each with its number of elements, TRANSACTION_ELEMENTS_MAX of them together."""
    gathered: list[tuple[int, bytes]] = []
    count = 0
    for piece in pieces:
        key_bytes = 4 if piece.version == 4 else 16
        set_name = filling.set_name(name, piece.version, piece.level)
        most = NESTED_BYTES_MAX // len(key_text(bytes(key_bytes)))
        values = sorted(piece.values)
        while values:
            room = min(most, TRANSACTION_ELEMENTS_MAX - count)
            some, values = values[:room], values[room:]
            gathered.append((len(some), body_of(set_name, _texts(_keys(piece, some), key_bytes))))
            count += len(some)
            if count == TRANSACTION_ELEMENTS_MAX:
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
