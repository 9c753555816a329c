"""Programs are asked with arguments and bounds, and what goes wrong is one kind of error."""

import pytest

from durward.facts import asking
from durward.facts.asking import answer_of
from durward.facts.failure import FactsError


def test_an_answer() -> None:
    assert answer_of("echo", "$(id)", "; id") == "$(id) ; id\n"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [(("no-such-program-here",), "not installed"), (("false",), "no answer"), (("ls", "/no/such"), "No such file")],
)
def test_no_answer(words: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(FactsError, match=complaint):
        answer_of(*words)


def test_patience_and_length_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "SECONDS_MAX", 0.2)
    with pytest.raises(FactsError, match="timed out"):
        answer_of("sleep", "30")
    monkeypatch.setattr(asking, "OUTPUT_BYTES_MAX", 10)
    with pytest.raises(FactsError):
        answer_of("echo", "12345678901")
