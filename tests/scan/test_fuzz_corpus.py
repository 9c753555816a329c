"""What fuzzing found once is never wrong again: each kept input goes through what the fuzzer calls."""

from pathlib import Path

import pytest
from tests.scan.fuzz_target import SCANNER, read

CORPUS = sorted((Path(__file__).parent / "fuzz_corpus").iterdir())
PARTS = (b"0", b"1", b"2", b"3", b"4")


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_kept_inputs(path: Path) -> None:
    data = path.read_bytes()
    read(data)
    for part in PARTS:
        read(part + data[1:])


def test_the_corpus_reaches_text_and_records() -> None:
    assert CORPUS
    kept = [path.read_bytes()[1:] for path in CORPUS]
    rules = {type(rule).__name__ for data in kept for line in data.splitlines() if (rule := SCANNER.rule_for(line))}
    assert rules == {"Rule", "RecordRule"}
