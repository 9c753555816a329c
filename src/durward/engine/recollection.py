"""The last events that counted against somebody, so that a decision can show its lines."""

from durward.model import Event, Evidence, Subject, parse_address

RECORD_BITS = 15
RECORDS_MAX = 1 << RECORD_BITS  # beyond it the oldest are overwritten: a decision shows fewer lines, never wrong ones
LINES_MAX = 25  # lines of evidence that one incident keeps, the newest


class Recollection:
    """A ring of the last RECORDS_MAX events. A mark names one of them and its time in a single integer.

    One integer a hit, because a spray attack makes a million addresses with one hit each.
    """

    def __init__(self) -> None:
        self._events: list[Event | None] = [None] * RECORDS_MAX
        self._marks = [0] * RECORDS_MAX
        self._next = 0

    def mark(self, event: Event, at: float) -> int:
        """Keep `event`, which counts at `at`, and give its mark. Marks of later times are larger."""
        record = self._next - 1 & RECORDS_MAX - 1
        if self._events[record] is event:
            return self._marks[record]  # another detector heard the same
        record = self._next
        self._events[record] = event
        self._next = (record + 1) & (RECORDS_MAX - 1)
        mark = self._marks[record] = int(at * 1000) << RECORD_BITS | record
        return mark

    def accounts(self, marks: list[int]) -> list[str | None]:
        """The account of each mark; None for those that named none, or that were overwritten."""
        found = []
        for mark in marks:
            event = self._events[mark & (RECORDS_MAX - 1)]
            kept = event is not None and self._marks[mark & (RECORDS_MAX - 1)] == mark
            found.append(event.user_name if event is not None and kept else None)
        return found

    def lines(self, marks: list[int]) -> tuple[Evidence, ...]:
        """The lines behind `marks`, whoever they are of, as `evidence` gives them."""
        return self._lines(marks, None)

    def evidence(self, marks: list[int], subject: Subject) -> tuple[Evidence, ...]:
        """The lines of `subject` behind `marks`, oldest first, each once; those that were overwritten are left out.

        Who is asked as well, because a stamp may stand for a whole second, and a ring may go round within one.
        """
        return self._lines(marks, subject)

    def _lines(self, marks: list[int], subject: Subject | None) -> tuple[Evidence, ...]:
        lines: dict[tuple[str, int | str], Evidence] = {}
        for mark in marks[-LINES_MAX:]:
            record = mark & (RECORDS_MAX - 1)
            event = self._events[record]
            if event is None or self._marks[record] != mark:
                continue
            if subject is None or _is_of(subject, event):
                lines[event.source, event.position] = event.evidence
        return tuple(lines.values())


def _is_of(subject: Subject, event: Event) -> bool:
    if event.source_ip is None:
        return False
    # As it mostly is; a burst of attackers asks this so often that parsing would take a fifth of the time.
    return event.source_ip == subject.value or parse_address(event.source_ip) in subject.network


def seconds_of(mark: int) -> float:
    """The time of a mark, in epoch seconds."""
    return (mark >> RECORD_BITS) / 1000
