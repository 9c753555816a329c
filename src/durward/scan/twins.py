"""Where a line reaches us twice, through the journal and through syslog's file, it is one line."""

from durward.model import Event

WAITING_MAX = 32_768  # lines whose twin may still come; beyond it the older half is forgotten
ENVELOPE_END = b": "


class Twins:
    """Lets each line pass once, from whichever source it comes first."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str | None, bytes], dict[str, int]] = {}

    def only_first(self, events: list[Event]) -> list[Event]:
        """Those of `events` whose twin from another source did not come before."""
        if len(self._waiting) > WAITING_MAX:
            for key in list(self._waiting)[: WAITING_MAX // 2]:
                del self._waiting[key]
        return [event for event in events if self._is_first(event)]

    def _is_first(self, event: Event) -> bool:
        key = (event.service, event.session, event.line.partition(ENVELOPE_END)[2])
        counts = self._waiting.get(key)
        if counts is None:
            self._waiting[key] = {event.source: 1}
            return True
        for source, count in counts.items():
            if source != event.source:
                if count == 1:
                    del counts[source]
                else:
                    counts[source] = count - 1
                if not counts:
                    del self._waiting[key]
                return False
        counts[event.source] = counts.get(event.source, 0) + 1
        return True
