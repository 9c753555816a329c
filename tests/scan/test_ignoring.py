"""A site's patterns and the exceptions of services say what is not worth looking at."""

import pytest
from tests.scan.cards import card

from durward.catalog.document import ProblemsError
from durward.scan.ignoring import ignoring
from durward.scan.timestamps import Calendar

CARD = card("Failed for {user} from {ip}")


@pytest.mark.parametrize(
    ("line", "fits"),
    [
        (b"Nov 23 08:10:00 web1 tool[3]: session opened for bob", True),
        (b"session opened for bob", True),
        (b"Nov 23 08:10:00 web1 tool[3]: session opened", False),
        (b"Nov 23 08:10:00 web1 tool[3]: no session opened for bob", False),
        (b"Nov 23 08:10:00 web1 tool[3]: Failed for bob from 203.0.113.9", False),
    ],
)
def test_whole_messages_fit(line: bytes, *, fits: bool) -> None:
    scanner = ignoring(["session opened for {user}"], [CARD])
    events = scanner.events(line + b"\n", source="x", position=0, observed_at=0.0, calendar=Calendar(0.0, 0))
    assert len(events) == fits


def test_what_is_no_pattern_is_refused() -> None:
    with pytest.raises(ProblemsError):
        ignoring(["(a*)*"], [CARD])
