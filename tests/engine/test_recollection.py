"""Recollection: evidence is the lines that counted, or fewer of them, never anybody else's."""

from hypothesis import given
from hypothesis import strategies as some
from tests.engine.samples import HERE, NOW, SUBJECT, event

from durward.engine import recollection
from durward.engine.recollection import LINES_MAX, RECORDS_MAX, Recollection, seconds_of
from durward.model import Subject


def test_the_lines_come_oldest_first_and_each_once() -> None:
    memory = Recollection()
    marks = [memory.mark(event(position=number), NOW + number) for number in range(3)]
    again = memory.mark(event(position=1), NOW + 5)
    lines = memory.evidence([*marks, marks[1], again], SUBJECT)
    assert [line.position for line in lines] == [0, 1, 2]
    assert lines[0].text == f"failure of {HERE} at 0"


def test_only_the_newest_lines_are_kept() -> None:
    memory = Recollection()
    marks = [memory.mark(event(position=number), NOW + number) for number in range(LINES_MAX + 10)]
    assert [line.position for line in memory.evidence(marks, SUBJECT)] == list(range(10, LINES_MAX + 10))


def test_a_mark_knows_its_time_and_later_ones_are_larger() -> None:
    memory = Recollection()
    first, second = (memory.mark(event(at), NOW + at) for at in (1.5, 1.502))
    assert (seconds_of(first), seconds_of(second)) == (NOW + 1.5, NOW + 1.502)
    assert first < second


def test_a_line_that_was_overwritten_is_left_out() -> None:
    memory = Recollection()
    mark = memory.mark(event(0), NOW)
    for _ in range(RECORDS_MAX):
        memory.mark(event(1, "198.51.100.7"), NOW + 1)
    assert memory.evidence([mark], SUBJECT) == ()


def test_a_ring_that_goes_round_within_one_second_blames_nobody_for_the_lines_of_others() -> None:
    memory = Recollection()
    mark = memory.mark(event(0), NOW)
    for _ in range(RECORDS_MAX):
        memory.mark(event(0, "198.51.100.7"), NOW)
    assert memory.evidence([mark], SUBJECT) == ()


class Small(Recollection):
    """A ring of eight, so that it goes round often."""

    def __init__(self) -> None:
        super().__init__()
        self._round = 8

    def mark(self, *arguments: object) -> int:
        if self._next == self._round:
            self._next = 0
        return super().mark(*arguments)  # type: ignore[arg-type]


SOURCES = ("203.0.113.9", "203.0.113.10", "2001:db8::1", "2001:db8:0:1::1")


@given(some.lists(some.tuples(some.sampled_from(SOURCES), some.integers(0, 3)), max_size=60))
def test_no_line_is_ever_shown_to_the_wrong_person(seen: list[tuple[str, int]]) -> None:
    memory = Small()
    marks: dict[str, list[int]] = {source: [] for source in SOURCES}
    positions: dict[str, set[int]] = {source: set() for source in SOURCES}
    for number, (source, at) in enumerate(seen):
        marks[source].append(memory.mark(event(at, source, position=number), NOW + at))
        positions[source].add(number)
    for source in SOURCES:
        lines = memory.evidence(sorted(marks[source]), Subject.parse(source))
        assert {line.position for line in lines} <= positions[source]
        assert all(line.text.startswith(f"failure of {source} ") for line in lines)


def test_the_ring_is_as_long_as_its_marks_can_say() -> None:
    assert RECORDS_MAX == 1 << recollection.RECORD_BITS
    assert Recollection()._marks == [0] * RECORDS_MAX
