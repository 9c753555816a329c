"""How long something took, as a reason says it."""

import pytest

from durward.engine.spans import span


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "1 s"),
        (0.4, "1 s"),
        (42.4, "42 s"),
        (119.4, "119 s"),
        (120, "2 min"),
        (3599, "59 min"),
        (7199, "119 min"),
        (7200, "2 h"),
    ],
)
def test_a_span_in_words(seconds: float, said: str) -> None:
    assert span(seconds) == said
