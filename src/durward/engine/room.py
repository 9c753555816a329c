"""What all detectors share: the last events, for evidence, who has logged in well of late, and who is blocked."""

from collections.abc import Callable

from durward.engine.familiar import Familiar
from durward.engine.recollection import Recollection
from durward.model import Subject


class Room:
    """One for an engine. `is_blocked` says of a subject, a service and a time whether it is kept out of that."""

    def __init__(self, familiar: Familiar | None = None) -> None:
        self.recollection = Recollection()
        self.familiar = Familiar() if familiar is None else familiar
        self.is_blocked: Callable[[Subject, str, float], bool] = lambda _subject, _service, _at: False
