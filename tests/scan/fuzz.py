"""Coverage-guided fuzzing of all that reads lines: `just fuzz`. Needs atheris, in a virtualenv of its own.

    python -m tests.scan.fuzz CORPUS [libFuzzer's options]

What is found lands in the current directory as crash-*; what is worth keeping belongs in tests/scan/fuzz_corpus.
"""

import sys
import tempfile
from pathlib import Path

import atheris  # type: ignore[import-not-found]

with atheris.instrument_imports(include=["durward.scan"]):
    from tests.scan.fuzz_target import SCANNER, read

WORDS = (
    b"Nov 23 08:10:00 web1 ",
    b'{"log":"',
    b"] \\x22",
    b"2026-11-23T08:10:00Z ",
    b" from ",
    b"203.0.113.9",
    b"2001:db8::9",
)


def dictionary() -> bytes:
    """The literals of all rules, in libFuzzer's spelling."""
    texts = {literal for rule in (*SCANNER.rules, *SCANNER.record_rules) for literal in rule.literals}
    quoted = ("".join(f"\\x{byte:02x}" for byte in text) for text in sorted(texts | {*WORDS}))
    return "".join(f'"{text}"\n' for text in quoted).encode()


def main() -> None:
    """Fuzz until libFuzzer's options say stop."""
    with tempfile.NamedTemporaryFile(suffix=".dict") as file:
        file.write(dictionary())
        file.flush()
        atheris.Setup([*sys.argv, f"-dict={Path(file.name)}"], read)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
