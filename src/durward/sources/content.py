"""The bytes behind a descriptor by their offset: plain ones, or those inside a compressed copy."""

import bz2
import lzma
import os
import zlib
from collections.abc import Callable
from typing import Protocol

PACKED_BYTES = 64 * 1024  # read of a compressed copy at a time
UNPACKED_BYTES = 256 * 1024  # taken out of it at a time: memory stays bounded whatever the copy says
XZ_MEMORY_BYTES_MAX = 128 << 20  # an .xz that needs a larger dictionary is not read


class Content(Protocol):
    """Bytes by their offset."""

    descriptor: int
    broken: bool  # it ended early, because it is damaged

    def window(self, start: int, length: int) -> bytes:
        """Give up to `length` bytes from `start` on; fewer only at the end. Raises OSError."""
        ...

    def twin(self) -> "Content":
        """Give the same bytes from the start, on a descriptor of their own. Raises OSError."""
        ...


class Plain:
    """A file as it is."""

    broken = False

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def window(self, start: int, length: int) -> bytes:
        """Give up to `length` bytes from `start` on. Raises OSError."""
        return os.pread(self.descriptor, length, start)

    def twin(self) -> "Plain":
        """Give the same bytes on a descriptor of their own. Raises OSError."""
        return Plain(os.dup(self.descriptor))

    def data_after(self, start: int) -> int:
        """Give the offset of the first byte from `start` on that is in no hole; the size when there is none."""
        try:
            return os.lseek(self.descriptor, start, os.SEEK_DATA)
        except OSError:
            return os.fstat(self.descriptor).st_size


class _Stream(Protocol):
    """What zlib, bz2 and lzma streams are made to have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def take(self, packed: bytes) -> bytes: ...


class _Gzip:
    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def take(self, packed: bytes) -> bytes:
        return self._stream.decompress(self._stream.unconsumed_tail + packed, UNPACKED_BYTES)


class _Other:
    def __init__(self, stream: bz2.BZ2Decompressor | lzma.LZMADecompressor) -> None:
        self._stream = stream

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def take(self, packed: bytes) -> bytes:
        return self._stream.decompress(packed, UNPACKED_BYTES)


def _xz() -> _Other:
    return _Other(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY_BYTES_MAX))


STREAMS: dict[str, Callable[[], _Stream]] = {
    ".gz": _Gzip,
    ".bz2": lambda: _Other(bz2.BZ2Decompressor()),
    ".xz": _xz,
}
UNREADABLE = (".zst", ".zip", ".lz4", ".lzma", ".Z", ".lzo", ".br")  # the standard library has no streams for these


class Unpacked:
    """What a compressed copy holds. Going back costs unpacking it anew from its start, so it is read forwards."""

    def __init__(self, descriptor: int, suffix: str) -> None:
        self.descriptor = descriptor
        self._suffix = suffix
        self._rewind()

    def _rewind(self) -> None:
        self.broken = False
        self._stream = STREAMS[self._suffix]()
        self._packed_offset = 0
        self._start = 0  # of `_held` in the unpacked bytes
        self._held = bytearray()
        self._ended = False

    def window(self, start: int, length: int) -> bytes:
        """Give up to `length` bytes from `start` on. A damaged copy ends where it is damaged. Raises OSError."""
        if start < self._start:
            self._rewind()
        while self._start + len(self._held) < start + length and not self._ended:
            self._pass(start)
            self._held += self._more()
        self._pass(start)
        return bytes(self._held[:length])

    def twin(self) -> "Unpacked":
        """Give the same bytes from the start, on a descriptor of their own. Raises OSError."""
        return Unpacked(os.dup(self.descriptor), self._suffix)

    def _pass(self, start: int) -> None:
        """Let go of what lies before `start`."""
        count = min(start - self._start, len(self._held))
        del self._held[:count]
        self._start += count

    def _more(self) -> bytes:
        """Unpack a little more. Raises OSError."""
        try:
            if self._stream.eof:
                return self._next_stream()
            return self._stream.take(b"") or self._stream.take(self._packed())
        except (zlib.error, lzma.LZMAError, EOFError, ValueError):
            self.broken = self._ended = True
        except OSError as error:
            if error.errno is not None:  # bz2 says "damaged" by an OSError without a number
                raise
            self.broken = self._ended = True
        return b""

    def _packed(self) -> bytes:
        packed = os.pread(self.descriptor, PACKED_BYTES, self._packed_offset)
        self._packed_offset += len(packed)
        if not packed:
            raise EOFError
        return packed

    def _next_stream(self) -> bytes:
        """Go on with the next member: several may stand behind each other, with zeros between them."""
        rest = self._stream.unused_data.lstrip(b"\0")
        while not rest:
            packed = os.pread(self.descriptor, PACKED_BYTES, self._packed_offset)
            self._packed_offset += len(packed)
            if not packed:
                self._ended = True
                return b""
            rest = packed.lstrip(b"\0")
        self._stream = STREAMS[self._suffix]()
        return self._stream.take(rest)
