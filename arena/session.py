"""A logged-in ssh session that is held open, and whose life can be felt."""

import itertools
import os
import select
import subprocess
import time
from types import TracebackType
from typing import Any, Self

from arena.errors import ArenaError
from arena.processes import end

BLOCK = 65536


class OpenSession:
    """A session in which the far side echoes what it is sent. Made by `Attacker.open_session`."""

    def __init__(self, process: subprocess.Popen[Any], timeout_seconds: float) -> None:
        self._process = process
        self._numbers = itertools.count(1)
        if not self.is_live(timeout_seconds):
            end(process)
            raise ArenaError(f"no session was opened within {timeout_seconds} s")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def is_live(self, timeout_seconds: float = 1.0) -> bool:
        """Say whether a line that is sent now comes back in time; an echo of an older line does not count."""
        token = f"line-{next(self._numbers)}-still-here\n".encode()
        if self._process.returncode is not None:
            return False
        try:
            self._process.stdin.write(token)  # type: ignore[union-attr]  # started with pipes
            self._process.stdin.flush()  # type: ignore[union-attr]
        except OSError:
            return False
        return self._reads(token.rstrip(), time.monotonic() + timeout_seconds)

    def close(self) -> None:
        """Hang up."""
        end(self._process)

    def _reads(self, wanted: bytes, deadline: float) -> bool:
        descriptor = self._process.stdout.fileno()  # type: ignore[union-attr]  # started with pipes
        seen = b""
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([descriptor], [], [], left)[0]:
                return False
            block = os.read(descriptor, BLOCK)
            if not block:
                return False
            seen = (seen + block)[-BLOCK:]
            if wanted in seen:
                return True
        return False
