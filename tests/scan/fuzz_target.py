"""What the fuzzer calls: bytes in, and nothing must be raised, nor said that is not in them.

The first byte chooses the part that reads the rest. `tests/scan/test_fuzz_corpus.py` calls this with what was kept of
earlier runs, `tests/scan/fuzz.py` with what atheris thinks of.
"""

from contextlib import suppress
from pathlib import Path

import durward.services
from durward.catalog.service_card import load_services
from durward.model import parse_address
from durward.scan.access import ApartError, access_fields
from durward.scan.envelope import readings
from durward.scan.json_lines import json_fields
from durward.scan.scanner import Scanner
from durward.scan.timestamps import Calendar
from durward.scan.wrapped import unwrapped

NOW = 1_795_430_000.0
HITS_MAX = 100 * 100  # of a line that says that it was repeated
SCANNER = Scanner(load_services([Path(path) for path in durward.services.__path__]))


def read(data: bytes) -> None:
    """Have one part read the data. Raises AssertionError, or whatever that part wrongly raises."""
    part, rest = data[:1], data[1:]
    line = rest.partition(b"\n")[0]
    if part in b"0e":
        for envelope in ("syslog", "stamped", "plain"):
            for message in readings(line, envelope):
                assert message.text in line
                assert message.program in line
    elif part in b"1a":
        with suppress(ApartError):
            fields = access_fields(line)
            assert fields is None or (fields["client"] and fields["status"])
    elif part in b"2j":
        found = json_fields(line)
        assert found is None or all(isinstance(value, bytes) for value in found.values())
    elif part in b"3t":
        Calendar(NOW).times(rest.split(b"\n"), NOW)
    else:
        scan(rest)


def scan(block: bytes) -> None:
    """Scan a block with every card: each event is of a line of its own, and names an address or a host or nobody."""
    inside = unwrapped(block)
    assert inside is None or inside.block.count(b"\n") == len(inside.starts)
    events = SCANNER.events(block, source="fuzz", position=0, observed_at=NOW, calendar=Calendar(NOW), services=None)
    starts = {0} | {place + 1 for place, byte in enumerate(block) if byte == ord("\n")}
    assert len({event.position for event in events}) == len(events)
    for event in events:
        assert event.position in starts
        assert abs(event.hits) <= HITS_MAX
        assert event.source_ip is None or str(parse_address(event.source_ip)) == event.source_ip
        if inside is None:
            assert event.line in block
