"""Complaints: what settings ask of this host that it does not have, each with the file and line that asks."""

from dataclasses import dataclass, field

from durward.catalog.document import Problem, ProblemsError
from durward.config.reading import MAIN_FILE
from durward.config.settings import Settings


@dataclass(frozen=True, slots=True)
class Complaints:
    """Gathers all problems, not only the first."""

    settings: Settings
    problems: list[Problem] = field(default_factory=list)

    def about(self, key: str, message: str, nearest: str = "") -> None:
        """Note what is wrong with the setting at the dotted `key`, at the line that sets it."""
        origin = self.settings.origin(key)
        file, line = (origin.file, origin.line) if origin else (MAIN_FILE, 1)
        self.problems.append(Problem(file, line, key, message, nearest))

    def settle(self) -> None:
        """Raise ProblemsError where there was anything to complain about."""
        if self.problems:
            raise ProblemsError(self.problems)
