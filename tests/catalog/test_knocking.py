"""Port knocking as settings write it, in our spelling and in CSF's."""

import pytest

from durward.catalog.knocking import KnockSequence, parse_knocks
from durward.model import Port


@pytest.mark.parametrize(
    "written", [["22/tcp 20s 7000 8000 9000"], "22;TCP;20;7000;8000;9000", "22/tcp 20s 7000 8000 9000"]
)
def test_both_spellings_say_the_same(written: object) -> None:
    assert parse_knocks(written) == (KnockSequence(Port(22), 20, (7000, 8000, 9000)),)


def test_several_doors_and_what_is_written_is_read_again() -> None:
    knocks = parse_knocks("22;TCP;20;100;200;300;400,53;udp;5;1;2;1")
    assert [str(knock) for knock in knocks] == ["22/tcp 20s 100 200 300 400", "53/udp 5s 1 2 1"]
    assert parse_knocks([str(knock) for knock in knocks]) == knocks
    assert parse_knocks([]) == parse_knocks("") == ()


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("22;tcp;20;1;2", "3 to 16 steps"),
        (["22/tcp 20s 1 2"], "3 to 16 steps"),
        (["22/tcp 20s " + " ".join(map(str, range(100, 117)))], "3 to 16 steps"),
        (["22/tcp 20s 1 1 2"], "differ"),
        (["22/tcp 20s 1 22 2"], "differ"),
        (["22/tcp 20s 1 70000 2"], "1 to 65535"),
        (["0/tcp 20s 1 2 3"], "1 to 65535"),
        (["22/tcp 0s 1 2 3"], "from 1s to 1h"),
        (["22/tcp 2h 1 2 3"], "from 1s to 1h"),
        (["22/icmp 20s 1 2 3"], "was expected, not"),
        (["22/tcp 20s 1 2 3", "22/tcp 20s 4 5 6"], "one sequence"),
        ([22], "at most"),
        (7, "at most"),
    ],
)
def test_what_is_no_knock(written: object, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_knocks(written)
