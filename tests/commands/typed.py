"""Types command lines as a person does, and makes the logs and homes that they are about."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from durward.commands.main import durward

ISO = "2026-11-23T08:{minute:02}:{second:02}+00:00"


@dataclass(frozen=True, slots=True)
class Typed:
    """What a command line gave."""

    status: int
    out: str
    errors: str

    @property
    def answers(self) -> list[dict[str, Any]]:
        """The JSON lines on standard output; there must be nothing else."""
        return [json.loads(line) for line in self.out.splitlines()]


def typed(*words: str | Path, home: Path, given: bytes | None = None) -> Typed:
    """Run one verb on a home. A traceback is never an answer."""
    result = CliRunner().invoke(durward, ["--home", str(home), *map(str, words)], input=given)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Typed(result.exit_code, result.stdout, result.stderr)


def failure(second: int, source: str = "203.0.113.9", *, minute: int = 10, user: str = "root") -> str:
    """A line of sshd."""
    stamp = ISO.format(minute=minute + second // 60, second=second % 60)
    return (
        f"{stamp} host sshd[{4000 + 60 * minute + second}]: Failed password for {user} from {source} port 40022 ssh2\n"
    )


def log(path: Path, *lines: str, written_at: float | None = None) -> Path:
    path.write_text("".join(lines))
    if written_at is not None:
        os.utime(path, (written_at, written_at))
    return path


def settings(home: Path, text: str, **lists: str) -> Path:
    """Write durward.toml and lists of a home; gives its directory of settings."""
    etc = home / "etc"
    etc.mkdir(parents=True, exist_ok=True)
    (etc / "durward.toml").write_text(text)
    for name, lines in lists.items():
        (etc / f"{name}.list").write_text(lines)
    return etc
