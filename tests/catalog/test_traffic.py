"""Port lists, rates, port floods and connection limits, in our spelling and in CSF's."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durward.catalog.traffic import (
    ConnectionLimit,
    PortFlood,
    PortRange,
    Rate,
    parse_connection_limits,
    parse_port_floods,
    parse_ports,
    parse_rate,
)
from durward.model import Port

PORTS = st.integers(1, 65535)
RANGES = st.tuples(PORTS, PORTS).map(lambda pair: PortRange(min(pair), max(pair)))


@pytest.mark.parametrize(
    ("written", "ranges"),
    [
        ("22", ["22"]),
        (22, ["22"]),
        ("", []),
        ([22, "80"], ["22", "80"]),
        (" 443 , 80,22 ", ["22", "80", "443"]),
        ("30000:35000,22", ["22", "30000:35000"]),
        ("80,81,82:90,85:100", ["80:100"]),
        ("1:65535", ["1:65535"]),
        ("22,22,", ["22"]),
    ],
)
def test_port_lists(written: object, ranges: list[str]) -> None:
    assert [str(ports) for ports in parse_ports(written)] == ranges


@pytest.mark.parametrize(
    "written", ["0", "65536", "90:80", "ssh", "22-25", "22;80", "1:2:3", "²", True, 2.5, [[22]], None]
)
def test_wrong_port_lists(written: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_ports(written)


@given(st.lists(RANGES, max_size=20))
def test_merging_keeps_every_port_and_adds_none(ranges: list[PortRange]) -> None:
    merged = parse_ports(",".join(str(ports) for ports in ranges))
    assert ports_of(merged) == ports_of(ranges)
    assert all(one.last + 1 < other.first for one, other in pairwise(merged))


def ports_of(ranges: object) -> set[int]:
    return {number for ports in ranges for number in range(ports.first, ports.last + 1)}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("written", "rate"),
    [
        ("100/s", Rate(100, 1, 100, "source")),
        ("100/s per source", Rate(100, 1, 100, "source")),
        ("5/m burst 10 per port", Rate(5, 60, 10, "port")),
        ("5/min burst 10 total", Rate(5, 60, 10, "total")),
        ("1/h total", Rate(1, 3600, 1, "total")),
        ("off", None),
    ],
)
def test_rates(written: str, rate: Rate | None) -> None:
    assert parse_rate(written) == rate


@pytest.mark.parametrize(
    "written", ["", "0/s", "100", "1/d", "1/s burst 0", "1/s per host", "1/s total burst 5", 5, True]
)
def test_wrong_rates(written: object) -> None:
    with pytest.raises(ValueError, match='"off" or a rate like'):
        parse_rate(written)


@given(
    st.builds(Rate, st.integers(1, 10**9), st.sampled_from([1, 60, 3600]), st.integers(1, 10**9)),
    st.sampled_from(["source", "port", "total"]),
)
def test_a_rate_reads_what_it_wrote(rate: Rate, per: str) -> None:
    written = str(Rate(rate.count, rate.seconds, rate.burst, per))  # type: ignore[arg-type]
    assert str(parse_rate(written)) == written


@pytest.mark.parametrize(
    "written", [["22/tcp 5/300s", "53/udp 20/5s"], ["22/tcp 5/5m", "53;udp;20;5"], "22;tcp;5;300,53;udp;20;5"]
)
def test_port_floods_in_both_spellings(written: object) -> None:
    assert parse_port_floods(written) == (PortFlood(Port(22), 5, 300.0), PortFlood(Port(53, "udp"), 20, 5.0))


@pytest.mark.parametrize(
    "written", [["22 5/300s"], ["22/icmp 5/300s"], "22;tcp;5", "0;tcp;5;300", "22;tcp;0;5", "22;tcp;5;0", 22]
)
def test_wrong_port_floods(written: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_port_floods(written)


@pytest.mark.parametrize("written", [["22 5", "80 20"], "22;5,80;20"])
def test_connection_limits_in_both_spellings(written: object) -> None:
    assert parse_connection_limits(written) == (ConnectionLimit(Port(22), 5), ConnectionLimit(Port(80), 20))


@pytest.mark.parametrize("written", [["22"], ["22 0"], ["70000 5"], {"22": 5}])
def test_wrong_connection_limits(written: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_connection_limits(written)
