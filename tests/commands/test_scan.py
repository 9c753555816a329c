"""scan and how it reads: which events are in these logs, at which lines; compressed, piped, broken or absurd."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.commands.typed import failure, log, typed

from durward.commands.reading import BLOCK_BYTES

NOISE = "2026-11-23T08:00:00+00:00 host cron[1]: nothing of interest\n"


def test_every_event_has_the_shape_that_was_promised(tmp_path: Path) -> None:
    path = log(tmp_path / "auth.log", NOISE, failure(0), NOISE, failure(5, user="bob"))
    done = typed("scan", path, "--json", home=tmp_path)
    assert done.status == 0
    assert done.answers[0] == {
        "file": str(path),
        "line": 2,
        "at": "2026-11-23T08:10:00.000+00:00",
        "kind": "auth.failure",
        "service": "sshd",
        "source_ip": "203.0.113.9",
        "source_port": 40022,
        "user_name": "root",
        "count": 1,
        "text": failure(0).rstrip("\n"),
    }
    assert [(one["line"], one["user_name"]) for one in done.answers] == [(2, "root"), (4, "bob")]


@pytest.mark.parametrize(
    ("suffix", "compress"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress), ("", bytes)]
)
def test_compressed_files_are_read_like_plain_ones(
    tmp_path: Path, suffix: str, compress: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / f"auth.log{suffix}"
    path.write_bytes(compress((NOISE + failure(0)).encode()))
    assert [one["line"] for one in typed("scan", path, "--json", home=tmp_path).answers] == [2]


def test_standard_input_is_read(tmp_path: Path) -> None:
    done = typed("scan", "-", "--json", home=tmp_path, given=(NOISE + failure(0)).encode())
    assert [(one["file"], one["line"]) for one in done.answers] == [("-", 2)]


def test_line_numbers_are_right_however_the_file_falls_into_blocks(tmp_path: Path) -> None:
    lines = [failure(number % 600, minute=10) if number % 7 == 3 else NOISE for number in range(20_000)]
    path = log(tmp_path / "auth.log", *lines)
    assert path.stat().st_size > 4 * BLOCK_BYTES
    expected = [number for number, line in enumerate(lines, 1) if line != NOISE]
    assert [one["line"] for one in typed("scan", path, "--json", home=tmp_path).answers] == expected


def test_the_last_line_counts_without_its_end(tmp_path: Path) -> None:
    path = log(tmp_path / "auth.log", NOISE, failure(0).rstrip("\n"))
    assert [one["line"] for one in typed("scan", path, "--json", home=tmp_path).answers] == [2]


@pytest.mark.parametrize("length", [70_000, BLOCK_BYTES - 1, BLOCK_BYTES, 3 * BLOCK_BYTES + 17])
def test_the_end_of_a_line_that_is_far_too_long_is_no_line_of_its_own(tmp_path: Path, length: int) -> None:
    """Else whoever can write a long line could write one about anybody."""
    forged = failure(0, "192.0.2.77")
    path = log(tmp_path / "auth.log", "x" * length, forged, NOISE, failure(5))
    exact = log(tmp_path / "exact.log", "y" * (2 * BLOCK_BYTES), forged, failure(5))
    assert [(one["line"], one["source_ip"]) for one in typed("scan", path, "--json", home=tmp_path).answers] == [
        (3, "203.0.113.9")
    ]
    assert [one["line"] for one in typed("scan", exact, "--json", home=tmp_path).answers] == [2]


def test_a_file_without_a_single_line_end_gives_nothing(tmp_path: Path) -> None:
    path = log(tmp_path / "auth.log", "x" * (2 * BLOCK_BYTES), failure(0).rstrip("\n"))
    assert typed("scan", path, "--json", home=tmp_path).status == 1


def test_only_one_service_where_one_is_named(tmp_path: Path) -> None:
    path = log(tmp_path / "auth.log", failure(0))
    assert typed("scan", path, "--service", "sshd", home=tmp_path).status == 0
    unknown = typed("scan", path, "--service", "shhd", home=tmp_path)
    assert (unknown.status, unknown.out) == (2, "")
    assert "no service 'shhd'; known are: " in unknown.errors


@pytest.mark.parametrize("content", [b"", b"\n\n\n", NOISE.encode() * 3, bytes(range(256)) * 2000, b"\0" * 100_000])
def test_without_an_event_the_answer_is_no(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "auth.log"
    path.write_bytes(content)
    done = typed("scan", path, "--json", home=tmp_path)
    assert (done.status, done.out, done.errors) == (1, "", "")
    assert typed("scan", path, home=tmp_path).out == "No line is an event of a known service.\n"


def test_events_among_garbage_are_found(tmp_path: Path) -> None:
    path = tmp_path / "auth.log"
    path.write_bytes(b"\xff\xfe\0\x1b[31m" * 1000 + b"\n" + failure(0).encode() + b"\r\n\0\n")
    assert [one["line"] for one in typed("scan", path, "--json", home=tmp_path).answers] == [2]


def test_what_cannot_be_read_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "cut.gz").write_bytes(gzip.compress(failure(0).encode() * 1000)[:-20])
    (tmp_path / "no.gz").write_bytes(b"not compressed")
    (tmp_path / "no.xz").write_bytes(b"not compressed")
    for name in ("missing.log", "missing.gz", "cut.gz", "no.gz", "no.xz", "."):
        done = typed("scan", tmp_path / name, home=tmp_path)
        assert done.status == 2, name
        assert done.errors.startswith(f"durward: {tmp_path / name}: "), name
        assert done.errors.count("\n") == 1, name
    assert typed("scan", home=tmp_path).status == 2


def test_a_stamp_out_of_all_years_is_only_a_stamp(tmp_path: Path) -> None:
    stamps = ("0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00", "0000-01-01T00:00:00+00:00")
    lines = [failure(number).replace(failure(number)[:25], stamp) for number, stamp in enumerate(stamps)]
    path = log(tmp_path / "auth.log", *lines)
    for words in (("scan", path), ("scan", path, "--json"), ("replay", path), ("replay", path, "--json")):
        assert typed(*words, home=tmp_path).status == 0
    assert [one["line"] for one in typed("scan", path, "--json", home=tmp_path).answers] == [1, 2, 3]


def test_stamps_without_a_year_belong_to_the_year_before_the_file_was_written(tmp_path: Path) -> None:
    january = 1_798_761_600.0 + 86400 + 3600  # 2 January 2027
    message = "host sshd[{}]: Failed password for root from 203.0.113.9 port 40022 ssh2\n"
    stamps = ("Nov 23 08:00:00", "Dec 31 23:59:58", "Jan  1 00:00:02")
    lines = [f"{stamp} {message.format(4000 + number)}" for number, stamp in enumerate(stamps)]
    path = log(tmp_path / "auth.log", *lines, written_at=january)
    years = [one["at"][:4] for one in typed("scan", path, "--json", home=tmp_path).answers]
    assert years[0] == "2026"
    assert sorted(years) == years
    assert {"2026", "2027"} >= set(years)


def test_pages_are_for_people(tmp_path: Path) -> None:
    path = log(tmp_path / "auth.log", failure(0), failure(5))
    page = typed("scan", path, home=tmp_path).out
    assert "203.0.113.9" in page.splitlines()[0]
    assert "sshd  auth.failure  2 events" in page
