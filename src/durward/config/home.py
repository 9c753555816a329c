"""Where durward lives: its settings, its state and its sockets."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

ENVIRONMENT_NAME = "DURWARD_HOME"


@dataclass(frozen=True, slots=True)
class Home:
    """Three directories: `etc` for settings, lists and cards, `lib` for state, `run` for sockets."""

    etc: Path = Path("/etc/durward")
    lib: Path = Path("/var/lib/durward")
    run: Path = Path("/run/durward")

    @classmethod
    def below(cls, directory: Path) -> Self:
        """All three below one directory: for tests, trials, and several hosts on one machine."""
        directory = directory.absolute()
        return cls(directory / "etc", directory / "lib", directory / "run")

    @classmethod
    def find(cls, option: str | None, environment: Mapping[str, str]) -> Self:
        """The home that `--home` names, else the one that DURWARD_HOME names, else the system's."""
        directory = option or environment.get(ENVIRONMENT_NAME)
        return cls.below(Path(directory)) if directory else cls()

    @property
    def enforcer_socket(self) -> Path:
        """Where the engine finds the enforcer."""
        return self.run / "enforcer.sock"

    @property
    def engine_socket(self) -> Path:
        """Where people's questions reach the engine."""
        return self.run / "engine.sock"

    @property
    def alerts_socket(self) -> Path:
        """Where the process that sends alerts fetches them from the engine."""
        return self.run / "alerts.sock"

    @property
    def names_socket(self) -> Path:
        """Where the process that asks the name service fetches questions from the engine."""
        return self.run / "names.sock"

    @property
    def lists(self) -> Path:
        """Where the networks of countries and feeds are, in text files that root alone writes."""
        return self.lib / "lists"

    @property
    def database(self) -> Path:
        """The engine's state."""
        return self.lib / "durward.db"
