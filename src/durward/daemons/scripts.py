"""Adds to the alert about a script that sends too much which files in its directory may be the script."""

import os
from collections.abc import Iterable
from dataclasses import replace

from durward.control.channel import ChannelError
from durward.control.words import UnknownWordError
from durward.daemons.door import Door
from durward.messages.page import moment
from durward.model import Decision, Evidence, Incident
from durward.model.event import FILES

NAME = "script_mail"  # of the detector
ASKED_MAX = 20  # directories at once; what is told of others names no files


class Scripts:
    """Asks the enforcer, which may read what belongs to others."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def completed(self, decisions: Iterable[Decision]) -> list[Decision]:
        """The same decisions, those about scripts with the files beside the lines."""
        made, asked = list(decisions), 0
        for place, decision in enumerate(made):
            incident = decision.incident
            if incident is not None and incident.detector == NAME and asked < ASKED_MAX:
                asked += 1
                files = self._files(incident.subject.value)
                made[place] = replace(decision, incident=_with(incident, files)) if files else decision
        return made

    def _files(self, path: str) -> list[Evidence]:
        if not path.startswith("/") or not self._door.channel.connected:
            return []
        try:
            answer = self._door.channel.ask("look scripts", path=path)
        except (ChannelError, UnknownWordError) as error:
            self._door.degraded = str(error)
            return []
        if answer["problem"]:
            return [Evidence(FILES, path, 0.0, f"{path} was not looked into: {answer['problem']}")]
        found = [_evidence(str(script), ways, float(at)) for script, ways, at in answer["candidates"]]
        return [*found, Evidence(FILES, path, 0.0, "there may be more")] if answer["more"] else found


def _evidence(name: str, ways: list[str], changed_at: float) -> Evidence:
    path = os.fsencode(name).decode("utf-8", "backslashreplace")
    return Evidence(FILES, path, changed_at, f"{path}: {', '.join(map(str, ways))}; changed {moment(changed_at)}")


def _with(incident: Incident, files: list[Evidence]) -> Incident:
    return replace(incident, evidence=(*incident.evidence, *files))
