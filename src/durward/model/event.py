"""Event: what one line of a log says happened. Evidence: the line itself, verbatim, so that it can be found again."""

from dataclasses import dataclass
from typing import NamedTuple

FILES = "files"  # the source of evidence that is no line: a file that may have to do with it, named by its path
TEXT_BYTES_MAX = 1024  # of a line are kept as evidence; the rest can be found by its position


@dataclass(frozen=True, slots=True)
class Evidence:
    """One record of a source. `position` is a byte offset in a file, or a journal cursor; `at` is epoch seconds.

    `user_name` is the account that the line is about, where it names one.
    """

    source: str
    position: int | str
    at: float
    text: str
    user_name: str | None = None


class Event(NamedTuple):
    """What one line says. Field names are ECS names with dots as underscores.

    A tuple, not a dataclass, because one is made for each line of an attack. `at` is the time that the line carries,
    `observed_at` when it was read, both epoch seconds; `line` is the raw record; `hits` is how many it counts against
    its source address: 0 for what is only worth knowing. `about` is what it concerns beside source and account: a rule
    (`942100`), a protocol (`imap`), a directory, a class of relayed mail (`authrelay`). `quantity` is how many of what
    it tells of: recipients of a mail.
    """

    kind: str
    at: float
    observed_at: float
    service: str
    source: str
    position: int | str
    line: bytes
    source_ip: str | None = None
    source_port: int | None = None
    source_host: str | None = None
    user_name: str | None = None
    session: str | None = None
    hits: int = 1
    about: str | None = None
    quantity: int = 1

    @property
    def text(self) -> str:
        """The line as text, cut to TEXT_BYTES_MAX; bytes that are not UTF-8 are shown as escapes."""
        return self.line[:TEXT_BYTES_MAX].decode("utf-8", "backslashreplace")

    @property
    def evidence(self) -> Evidence:
        """The line as evidence."""
        return Evidence(self.source, self.position, self.at, self.text, self.user_name)
