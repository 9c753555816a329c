"""Block: whole lines of one source. Position: where reading goes on after a restart."""

import json
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any, Literal

from durward.sources.opening import SourceError

BLOCK_BYTES_MAX = 256 * 1024  # a block holds no more; longer stretches come as several blocks
FINGERPRINT_BYTES_MAX = 32  # of the bytes before an offset are kept, to tell whether the file is still the same
MARKS_MAX = 64  # beyond it the older half is thinned: marks get coarser, their span longer
OLDER_MAX = 16  # rotated files still being drained that a stored position may name; others are left out
TEXT_BYTES_MAX = 64 * 1024  # a stored position longer than this is refused

Kind = Literal["live", "backlog", "memory"]


@dataclass(frozen=True, slots=True)
class Position:
    """How far one path was read: the file (device, inode), the byte offset, and the bytes just before it.

    `marks` are (epoch seconds, offset): what lies before the offset was read before that time. `older` are rotated
    files of the same path which were still being drained; they carry no marks and nothing older.
    """

    device: int
    inode: int
    offset: int
    before: bytes = b""
    marks: tuple[tuple[float, int], ...] = ()
    older: tuple["Position", ...] = ()

    def to_text(self) -> str:
        """Write the position as JSON, for the store."""
        return json.dumps(_fields(self), separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> "Position":
        """Read what `to_text` wrote. Raises SourceError for anything else."""
        try:
            return _position(json.loads(text[:TEXT_BYTES_MAX]), depth=0)
        except (ValueError, TypeError, KeyError, RecursionError):
            raise SourceError(f"not a position: {text[:80]!r}") from None


@dataclass(frozen=True, slots=True)
class Block:
    r"""Whole lines, at most BLOCK_BYTES_MAX, the last one ended by `\n` too.

    `kind` says how to take them: "live" was written while we watched; "backlog" was already there when the engine
    (re)started, and is new to it; "memory" was acted on by an earlier engine and only rebuilds counters.

    `position` is the byte offset of the block in its file. A source whose records are not found by offsets gives
    position 0 and `places`: for each line its offset in `data` and its own position; `place_of` hides the difference.
    """

    source: str
    position: int
    data: bytes
    kind: Kind
    places: tuple[tuple[int, str], ...] = ()

    def place_of(self, position: int) -> int | str:
        """Give the lasting position of the line at `position` (an offset in the file, as events carry it)."""
        if not self.places:
            return position
        return self.places[max(0, bisect_right(self.places, position, key=lambda place: place[0]) - 1)][1]


def _fields(position: Position) -> dict[str, Any]:
    return {
        "device": position.device,
        "inode": position.inode,
        "offset": position.offset,
        "before": position.before.hex(),
        "marks": [[at, offset] for at, offset in position.marks],
        "older": [_fields(older) for older in position.older],
    }


def _position(fields: dict[str, Any], depth: int) -> Position:
    if depth > 1:
        raise ValueError(depth)
    marks = tuple((float(at), _natural(offset)) for at, offset in fields["marks"][:MARKS_MAX])
    older = tuple(_position(inner, depth + 1) for inner in fields["older"][:OLDER_MAX])
    before = bytes.fromhex(fields["before"])[:FINGERPRINT_BYTES_MAX]
    return Position(
        _natural(fields["device"]), _natural(fields["inode"]), _natural(fields["offset"]), before, marks, older
    )


def _natural(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(value)
    return value
