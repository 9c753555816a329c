"""The few functions of libsystemd that read journal files, by ctypes; loaded when first needed."""

import ctypes
import os
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from durward.sources.opening import SourceError

LIBRARY = "libsystemd.so.0"
FIELD_BYTES_MAX = 16 * 1024  # of a field; the rest is cut off, before it is even unpacked

POINTER, SIZE, NUMBER = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint64
FUNCTIONS: dict[str, list[Any]] = {
    "sd_journal_open_files_fd": [ctypes.POINTER(POINTER), ctypes.POINTER(ctypes.c_int), ctypes.c_uint, ctypes.c_int],
    "sd_journal_set_data_threshold": [POINTER, SIZE],
    "sd_journal_add_match": [POINTER, ctypes.c_char_p, SIZE],
    "sd_journal_add_disjunction": [POINTER],
    "sd_journal_seek_tail": [POINTER],
    "sd_journal_seek_cursor": [POINTER, ctypes.c_char_p],
    "sd_journal_seek_realtime_usec": [POINTER, NUMBER],
    "sd_journal_next": [POINTER],
    "sd_journal_previous": [POINTER],
    "sd_journal_previous_skip": [POINTER, NUMBER],
    "sd_journal_test_cursor": [POINTER, ctypes.c_char_p],
    "sd_journal_get_cursor": [POINTER, ctypes.POINTER(POINTER)],
    "sd_journal_get_realtime_usec": [POINTER, ctypes.POINTER(NUMBER)],
    "sd_journal_get_data": [POINTER, ctypes.c_char_p, ctypes.POINTER(POINTER), ctypes.POINTER(SIZE)],
}


@cache
def load() -> ctypes.CDLL:
    """Load the library. Raises SourceError where there is none, or one that is too old."""
    try:
        library = ctypes.CDLL(LIBRARY)
        for name, arguments in FUNCTIONS.items():
            getattr(library, name).argtypes = arguments
        library.sd_journal_close.argtypes, library.sd_journal_close.restype = [POINTER], None
        library.free.argtypes, library.free.restype = [POINTER], None
    except (OSError, AttributeError) as error:
        raise SourceError(f"the journal cannot be read: {error}") from None
    return library


class Handle:
    """Open journal files, positioned at an entry. The descriptors stay the caller's."""

    def __init__(self, descriptors: Sequence[int], matches: Iterable[Iterable[bytes]]) -> None:
        self._library = load()
        self._get_data = self._library.sd_journal_get_data
        self._handle = POINTER()
        self._data, self._length, self._number = POINTER(), SIZE(), NUMBER()
        self._open(_twins(descriptors))
        try:
            self._check(self._library.sd_journal_set_data_threshold(self._handle, FIELD_BYTES_MAX), "bound")
            for group in matches:
                self._check(self._library.sd_journal_add_disjunction(self._handle), "match")
                for match in group:
                    self._check(self._library.sd_journal_add_match(self._handle, match, len(match)), "match")
        except SourceError:
            self.close()
            raise

    def _open(self, twins: list[int]) -> None:
        """Open files by descriptors that are the library's to close once it has succeeded, and ours if it fails."""
        array = (ctypes.c_int * len(twins))(*twins)
        status = self._library.sd_journal_open_files_fd(self._handle, array, len(twins), 0)
        if status < 0:
            for number in twins:
                os.close(number)
        self._check(status, "open")

    def close(self) -> None:
        """Let go of the files."""
        self._library.sd_journal_close(self._handle)
        self._handle = POINTER()

    def seek_tail(self) -> bool:
        """Go to the last entry. False: there is none. Raises SourceError."""
        self._check(self._library.sd_journal_seek_tail(self._handle), "seek")
        return self._check(self._library.sd_journal_previous(self._handle), "seek") > 0

    def seek_cursor(self, cursor: str) -> None:
        """Go to just before an entry, or where it would be. Raises SourceError."""
        self._check(self._library.sd_journal_seek_cursor(self._handle, cursor.encode()), "seek")

    def seek_time(self, at: float) -> None:
        """Go to just before the first entry that is not older than `at` (epoch seconds). Raises SourceError."""
        self._check(self._library.sd_journal_seek_realtime_usec(self._handle, max(0, int(at * 1e6))), "seek")

    def next(self) -> bool:
        """Go on by one entry. False: there is none. Raises SourceError."""
        return self._check(self._library.sd_journal_next(self._handle), "read") > 0

    def back(self, count: int) -> int:
        """Go back by so many entries or to the first one; gives by how many. Raises SourceError."""
        return self._check(self._library.sd_journal_previous_skip(self._handle, count), "read")

    def is_at(self, cursor: str) -> bool:
        """Tell whether this is the entry. Raises SourceError."""
        return self._check(self._library.sd_journal_test_cursor(self._handle, cursor.encode()), "read") > 0

    def cursor(self) -> str:
        """The entry's cursor. Raises SourceError."""
        self._check(self._library.sd_journal_get_cursor(self._handle, self._data), "read")
        text = ctypes.string_at(self._data.value or 0)
        self._library.free(self._data)
        return text.decode()

    def microseconds(self) -> int:
        """When journald received the entry (microseconds since the epoch). Raises SourceError."""
        self._check(self._library.sd_journal_get_realtime_usec(self._handle, self._number), "read")
        return self._number.value

    def field(self, name: str) -> bytes | None:
        """The value of a field, cut to FIELD_BYTES_MAX; None where it is absent or damaged."""
        if self._get_data(self._handle, name.encode(), self._data, self._length) < 0:
            return None
        skipped = len(name) + 1
        length = min(self._length.value, FIELD_BYTES_MAX) - skipped
        return ctypes.string_at((self._data.value or 0) + skipped, length)

    def _check(self, status: int, what: str) -> int:
        if status < 0:
            raise SourceError(f"the journal: cannot {what}: {os.strerror(-status)}")
        return status


def _twins(descriptors: Iterable[int]) -> list[int]:
    """Another descriptor for each file; for a file that is there twice one, as the library forgets the second."""
    files: dict[tuple[int, int], int] = {}
    for number in descriptors:
        try:
            status = os.fstat(number)
        except OSError as error:
            raise SourceError(f"the journal: {error.strerror}") from None
        files.setdefault((status.st_dev, status.st_ino), number)
    return [os.dup(number) for number in files.values()]
