"""What all detectors share: the last events, for evidence, and who has logged in well of late."""

from durward.engine.familiar import Familiar
from durward.engine.recollection import Recollection


class Room:
    """One for an engine."""

    def __init__(self, familiar: Familiar | None = None) -> None:
        self.recollection = Recollection()
        self.familiar = Familiar() if familiar is None else familiar
