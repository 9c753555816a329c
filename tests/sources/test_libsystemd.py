"""libsystemd where it is missing, or is given what is no journal."""

import os

import pytest

from durward.sources import libsystemd
from durward.sources.libsystemd import Handle
from durward.sources.opening import SourceError


def test_a_missing_library_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    libsystemd.load.cache_clear()
    monkeypatch.setattr(libsystemd, "LIBRARY", "libnowhere.so.9")
    with pytest.raises(SourceError, match=r"libnowhere\.so\.9"):
        Handle([], [])
    libsystemd.load.cache_clear()


def test_an_older_library_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    libsystemd.load.cache_clear()
    monkeypatch.setattr(libsystemd, "FUNCTIONS", {"sd_journal_of_the_future": []})
    with pytest.raises(SourceError, match="sd_journal_of_the_future"):
        Handle([], [])
    libsystemd.load.cache_clear()


def test_what_is_no_journal_file() -> None:
    number = os.memfd_create("journal")
    os.write(number, b"LPKSHHRH" + b"\0" * 5000)
    with pytest.raises(SourceError, match="cannot open"):
        Handle([number], [])
    os.close(number)
