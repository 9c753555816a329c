"""What a channel's code is given beside the message, and how it says that it failed."""

from dataclasses import dataclass


class UndeliveredError(OSError):
    """A message could not be handed over; the text says why. `lasting`: trying again would not help."""

    def __init__(self, reason: str, *, lasting: bool = False) -> None:
        super().__init__(reason)
        self.lasting = lasting


@dataclass(frozen=True, slots=True)
class Place:
    """Where this is: the host's name, the directory of the settings, CSF's templates by file name, and the channel."""

    host: str
    etc: str
    templates: dict[str, str]
    channel: str

    def path(self, name: str) -> str:
        """A file that a setting names: beside the settings, unless it is a full path."""
        return name if name.startswith("/") else f"{self.etc}/{name}"
