"""Ports and scopes: written and read back without loss, and bounded, because each must fit into one message."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from durward.model import EVERYTHING, Port, Scope
from durward.model.decision import PORTS_MAX

ports = some.builds(Port, some.integers(1, 65535), some.sampled_from(["tcp", "udp"]))
scopes = some.builds(Scope, some.lists(ports, max_size=PORTS_MAX).map(tuple), some.sampled_from(["in", "out"]))


@given(ports)
def test_a_port_reads_back_as_itself(port: Port) -> None:
    assert Port.parse(str(port)) == port


@given(scopes)
def test_a_scope_reads_back_as_itself(scope: Scope) -> None:
    assert Scope.parse(str(scope)) == scope
    assert len(str(scope)) <= 1024


def test_how_ports_and_scopes_are_written() -> None:
    assert Port.parse("22/tcp") == Port.parse("22") == Port(22)
    assert str(Port(53, "udp")) == "53/udp"
    assert str(EVERYTHING) == "in:"
    assert str(Scope((Port(22), Port(53, "udp")), "out")) == "out:22,53/udp"


@pytest.mark.parametrize(
    "text", ["", "0", "65536", "-1", "22/", "22/sctp", "/tcp", "ssh", "22:30", "\u0662\u0662", "1e3", "9" * 5000]
)
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Port.parse(text)


@pytest.mark.parametrize("text", ["", "in", "22", "inout:", "IN:", "in:ssh", "in:0", ":22"])
def test_what_is_no_scope_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Scope.parse(text)


def test_too_many_ports_are_refused() -> None:
    many = tuple(Port(number) for number in range(1, PORTS_MAX + 1))
    assert Scope(many).ports == many
    with pytest.raises(ValueError, match=f"at most {PORTS_MAX}"):
        Scope((*many, Port(65535)))


@given(some.text(max_size=60))
def test_any_text_is_a_scope_or_refused_cleanly(text: str) -> None:
    try:
        scope = Scope.parse(text)
    except ValueError:
        return
    assert Scope.parse(str(scope)) == scope
