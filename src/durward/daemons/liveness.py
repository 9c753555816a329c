"""Whether what is written to the system's log still arrives: a line of our own, with a code that nobody can guess.

When the log daemon stops, or its socket is somebody else's, every log goes quiet, and quiet looks like peace. So a line
is written now and then where services write theirs, and has to be read, as any other, before the next one is written.
"""

import os
import secrets
import socket
from collections.abc import Mapping
from pathlib import PurePath

from durward.daemons.process import say
from durward.model import Finding
from durward.sources.journal import Journal

NAME = "durward-liveness"  # what the line says that it is of
SOCKET = "/dev/log"
PRIORITY = 10 * 8 + 6  # authpriv, info: it goes where logins go
LOGIN_LOGS = frozenset({"auth.log", "secure"})  # where that is, on all distributions that we know
CODE_BYTES = 16


class Liveness:
    """Writes, hears, and says what is wrong. With `every_seconds` of 0 it does nothing."""

    def __init__(self, every_seconds: float, path: str = SOCKET) -> None:
        self.problem = ""
        self._every_seconds, self._path = every_seconds, path
        self._code = b""
        self._refusal = ""
        self._seen: set[str] = set()
        self._faithful: set[str] = set()  # sources that have shown a line of ours
        self._wrote_at = self._heard_at = 0.0

    def hear(self, source: str, data: bytes) -> None:
        """Look for our line in what was read."""
        if self._code and self._code in data:
            self._seen.add(source)

    def tick(self, now: float, sources: Mapping[str, int]) -> None:
        """Judge what became of the last line, and write the next one.

        `sources` are those that are there to be read, and how many lines each has given.
        """
        if not self._every_seconds or 0 <= now - self._wrote_at < self._every_seconds:
            return
        if self._wrote_at:
            self._judge(sources, now)
        self._code, self._seen, self._wrote_at = secrets.token_hex(CODE_BYTES).encode(), set(), now
        self._refusal = self._write()

    def finding(self) -> Finding | None:
        """What `durward doctor` says; None where nothing is checked, or nothing is known yet."""
        if self.problem:
            return Finding("syslog", "liveness", "fail", self.problem)
        if not self._heard_at:
            return None
        return Finding("syslog", "liveness", "pass", f"what is written arrives in {', '.join(sorted(self._faithful))}")

    def _judge(self, sources: Mapping[str, int], now: float) -> None:
        """Lines have to arrive where they did before, and where logins are.

        A file that says nothing beside a journal may be what is left of a log daemon that was removed.
        """
        expected = {one for one in sources if one == Journal.source}
        alone = not expected
        expected |= {one for one, lines in sources.items() if PurePath(one).name in LOGIN_LOGS and (lines or alone)}
        missing = (expected | self._faithful & set(sources)) - self._seen
        self._faithful |= self._seen
        if not (expected or self._faithful):
            return  # nothing is read that the log daemon writes: there is nothing to be told
        if not missing:
            problem, self._heard_at = "", now
        elif self._refusal:
            problem = f"{self._path} takes no lines: {self._refusal}; what services log is lost"
        else:
            problem = f"a line of ours did not arrive in {', '.join(sorted(missing))}; what services log may be lost"
        if problem != self.problem:
            say(problem or "what is written to the system's log arrives again")
        self.problem = problem

    def _write(self) -> str:
        """Write the line; give why not, if it cannot be."""
        line = f"<{PRIORITY}>{NAME}[{os.getpid()}]: does this line arrive? {self._code.decode()}"
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
                log.setblocking(False)
                log.connect(self._path)
                log.send(line.encode())
        except OSError as error:
            return error.strerror or str(error)
        return ""
