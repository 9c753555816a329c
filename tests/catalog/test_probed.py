"""What counts as a probe, as PS_PORTS writes it."""

import pytest

from durward.catalog.probed import Probed, parse_probed
from durward.catalog.traffic import PortRange


def test_ports_and_words_are_read_as_csf_writes_them() -> None:
    assert parse_probed("0:65535,ICMP") == Probed(words=frozenset({"ICMP"}))
    read = parse_probed(["20:25", "80", "open", " BRD"])
    assert (read.ports, read.words) == ((PortRange(20, 25), PortRange(80, 80)), frozenset({"OPEN", "BRD"}))
    assert [read.holds(port) for port in (19, 20, 25, 26, 80)] == [False, True, True, False, True]
    assert parse_probed(read.items()) == read
    assert parse_probed([]) == Probed((), frozenset())
    assert (Probed().is_every_port, read.is_every_port) == (True, False)


@pytest.mark.parametrize("wrong", [5, ["ssh"], ["70000"], [[22]], ["1"] * 101, None])
def test_anything_else_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="were expected"):
        parse_probed(wrong)
