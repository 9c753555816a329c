"""What doctor advises: the ends of the logs are read for lines which show that a service tells too little."""

import os
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from durward.catalog.service_card import ServiceCard
from durward.config.settings import ServiceSettings
from durward.facts.installed import JOURNALS, installed, logs_of
from durward.model import Finding
from durward.scan.advising import Advising
from durward.scan.topology import Topology
from durward.sources.journal import Journal
from durward.sources.opening import SourceError
from durward.sources.trust import Want

CHECK = "advice"
READ_ONLY = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
LOGS_MAX = 5  # of a service are read; what only others show is not found
TAIL_BYTES_MAX = 1024 * 1024  # of a log are read, its end
JOURNAL_FILES_MAX = 20  # the newest
JOURNAL_READS_MAX = 5  # of up to 2000 entries each
JOURNAL_SECONDS = 86_400.0  # are looked back at
SAMPLE_CHARACTERS_MAX = 160


def findings(
    cards: Sequence[ServiceCard],
    settings: Mapping[str, ServiceSettings],
    topology: Topology,
    root: Path = Path("/"),
) -> Iterator[Finding]:
    """The advice of services that are on and here, by what their logs say; a log that may not be read says nothing."""
    here = {one.card.id for one in installed(cards, root)}
    wanted = [card for card in cards if card.advice and settings[card.id].enabled]
    wanted = [card for card in wanted if card.id in here or not card.reads.marks]
    advising = Advising(wanted, topology)
    _read_files(advising, wanted, settings, root)
    if any(settings[card.id].journal for card in wanted):
        _read_journal(advising, wanted, settings, root)
    for called in advising.called():
        detail = f"{called.advice.says} Set: {called.advice.set} It shows in: {_inert(called.line)}"
        yield Finding(CHECK, called.service, "unknown", detail)


def _read_files(
    advising: Advising, cards: Sequence[ServiceCard], settings: Mapping[str, ServiceSettings], root: Path
) -> None:
    services: dict[str, list[str]] = {}
    for card in cards:
        for path in logs_of(settings[card.id].files, (), root)[:LOGS_MAX]:
            services.setdefault(path, []).append(card.id)
    for path, readers in services.items():
        advising.read(_tail(root / path.lstrip("/")), readers)


def _tail(path: Path) -> bytes:
    """The last whole lines of a log; nothing of one that is no plain file or may not be read."""
    try:
        descriptor = os.open(path, READ_ONLY)
    except OSError:
        return b""
    try:
        found = os.fstat(descriptor)
        size = found.st_size if stat.S_ISREG(found.st_mode) else 0
        data = os.pread(descriptor, TAIL_BYTES_MAX, max(0, size - TAIL_BYTES_MAX)) if size else b""
    except OSError:
        return b""
    finally:
        os.close(descriptor)
    return data if size <= TAIL_BYTES_MAX else data.partition(b"\n")[2]


def _read_journal(
    advising: Advising, cards: Sequence[ServiceCard], settings: Mapping[str, ServiceSettings], root: Path
) -> None:
    """The journal of the last day, its beginning where there is too much; nothing where it may not be read."""
    wants = [Want(frozenset(settings[card.id].journal), frozenset(card.reads.programs)) for card in cards]
    descriptors = _journal_files(root)
    if not descriptors:
        return
    try:
        journal = Journal(descriptors, wants, memory_seconds=JOURNAL_SECONDS)
    except SourceError:
        return
    readers = [card.id for card in cards if settings[card.id].journal]
    try:
        journal.start(time.time())
        for _ in range(JOURNAL_READS_MAX):
            for block in journal.read(time.time()):
                advising.read(block.data, readers)
            if not journal.waiting:
                break
    except SourceError:
        return
    finally:
        journal.close()


def _journal_files(root: Path) -> list[int]:
    """The newest files of the system's journal that may be read, open."""
    found: dict[int, float] = {}
    for path in (path for one in JOURNALS for path in root.glob(f"{one.lstrip('/')}/*/system*.journal")):
        try:
            descriptor = os.open(path, READ_ONLY)
        except OSError:
            continue
        found[descriptor] = os.fstat(descriptor).st_mtime
    newest = sorted(found, key=found.__getitem__, reverse=True)
    for descriptor in newest[JOURNAL_FILES_MAX:]:
        os.close(descriptor)
    return newest[:JOURNAL_FILES_MAX]


def _inert(line: bytes) -> str:
    text = line.decode("utf-8", "backslashreplace")[:SAMPLE_CHARACTERS_MAX]
    return "".join(letter if letter.isprintable() else "?" for letter in text)
