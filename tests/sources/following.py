"""A followed log in a directory of its own, with a clock that is turned by hand."""

import time
from pathlib import Path

from tests.sources.opener import DirectOpener

from durward.sources.block import Block, Position
from durward.sources.logfile import LogFile


class Following:
    """A LogFile on `log`; `restart` is an engine that stops and another one that begins where its positions say."""

    def __init__(self, directory: Path, *, memory_seconds: float = 3600.0) -> None:
        self.log = directory / "app.log"
        self.opener = DirectOpener()
        self.now = time.time()
        self.memory_seconds = memory_seconds
        self.file = LogFile(str(self.log), self.opener, memory_seconds=memory_seconds)

    def start(self, saved: Position | None = None, *, appeared: bool = False) -> None:
        self.file.start(self.now, saved, appeared=appeared)

    def restart(self) -> None:
        self.stop()
        self.start(self.saved)

    def stop(self) -> None:
        position = self.file.position
        assert position is not None
        self.saved = Position.from_text(position.to_text())
        self.file.close()
        self.file = LogFile(str(self.log), self.opener, memory_seconds=self.memory_seconds)

    def append(self, text: bytes, name: str = "app.log") -> None:
        with self.log.with_name(name).open("ab") as file:
            file.write(text)

    def rotated(self, number: int = 1, suffix: str = "") -> Path:
        return self.log.with_name(f"app.log.{number}{suffix}")

    def blocks(self, seconds: float = 0.0) -> list[Block]:
        self.now += seconds
        return list(self.file.read(self.now))

    def lines(self, *kinds: str, seconds: float = 0.0) -> list[bytes]:
        """The lines that are there now, of these kinds or of all but memory."""
        wanted = kinds or ("live", "backlog")
        found = [block for block in self.blocks(seconds) if block.kind in wanted]
        return [line for block in found for line in block.data.splitlines()]

    def reopened(self, *kinds: str) -> list[bytes]:
        self.file.reopen(self.now)
        return self.lines(*kinds)
