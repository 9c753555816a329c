"""Compressed copies: their bytes by offset, several members, damage, and bombs in bounded memory."""

import bz2
import gzip
import lzma
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durward.sources.content import Plain, Unpacked

PACKERS: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
TEXT = b"".join(b"line %d\n" % number for number in range(100_000))


def packed(directory: Path, suffix: str, data: bytes) -> Unpacked:
    path = directory / f"copy{suffix}"
    path.write_bytes(data)
    return Unpacked(os.open(path, os.O_RDONLY), suffix)


@pytest.mark.parametrize("suffix", PACKERS)
def test_windows_of_several_members(tmp_path: Path, suffix: str) -> None:
    pack = PACKERS[suffix]
    content = packed(tmp_path, suffix, pack(TEXT[:70_001]) + pack(b"") + pack(TEXT[70_001:]) + b"\0" * 8)
    for start in (0, 5, 70_000, 300_000, len(TEXT) - 3, len(TEXT) + 9, 12):
        assert content.window(start, 100_000) == TEXT[start : start + 100_000]
    assert not content.broken
    os.close(content.descriptor)


@pytest.mark.parametrize("suffix", PACKERS)
def test_a_damaged_copy_ends_where_it_is_damaged(tmp_path: Path, suffix: str) -> None:
    whole = PACKERS[suffix](TEXT)
    for data in (whole[: len(whole) // 2], whole[:-40] + b"x" * 40, b"no such format", b""):
        content = packed(tmp_path, suffix, data)
        assert TEXT.startswith(content.window(0, len(TEXT))[: len(TEXT) // 3])
        content.window(len(TEXT), 10_000_000)
        assert content.broken
        os.close(content.descriptor)


@pytest.mark.parametrize("suffix", PACKERS)
def test_a_bomb_takes_no_memory(tmp_path: Path, suffix: str) -> None:
    content = packed(tmp_path, suffix, PACKERS[suffix](b"\0" * (64 << 20)))
    tracemalloc.start()
    assert content.window((64 << 20) - 10, 100) == b"\0" * 10
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()
    os.close(content.descriptor)


@pytest.mark.parametrize("suffix", PACKERS)
def test_a_twin_reads_for_itself(tmp_path: Path, suffix: str) -> None:
    content = packed(tmp_path, suffix, PACKERS[suffix](TEXT))
    content.window(400_000, 10)
    twin = content.twin()
    assert twin.window(3, 9) == TEXT[3:12]
    assert content.window(400_010, 10) == TEXT[400_010:400_020]
    os.close(content.descriptor)
    assert twin.window(20, 9) == TEXT[20:29]
    os.close(twin.descriptor)


def test_an_xz_that_wants_too_much_memory_is_not_read(tmp_path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 256 << 20}]
    compressor = lzma.LZMACompressor(lzma.FORMAT_XZ, filters=filters)
    content = packed(tmp_path, ".xz", compressor.compress(b"one\n") + compressor.flush())
    assert content.window(0, 10) == b""
    assert content.broken
    os.close(content.descriptor)


@given(st.binary(max_size=300))
def test_nothing_that_somebody_wrote_raises(data: bytes) -> None:
    for suffix in PACKERS:
        number = os.memfd_create("copy")
        os.write(number, PACKERS[suffix](b"one\n")[:10] + data)
        assert len(Unpacked(number, suffix).window(0, 1000)) <= 1000
        os.close(number)


def test_holes_of_a_plain_file(tmp_path: Path) -> None:
    path = tmp_path / "holes"
    with path.open("wb") as file:
        file.seek(1 << 20)
        file.write(b"data")
        file.truncate(2 << 20)
    content = Plain(os.open(path, os.O_RDONLY))
    assert 0 < content.data_after(0) <= 1 << 20
    assert content.data_after((2 << 20) - 1) >= (2 << 20) - 1
    assert content.window((1 << 20) - 1, 5) == b"\0data"
    os.close(content.descriptor)
