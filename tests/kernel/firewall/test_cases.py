"""Every case of tests/ruleset/cases in a real kernel: it loads, and real packets find what the case says."""

import pytest
from tests.kernel.firewall.bases import apply, try_out
from tests.kernel.firewall.probes import probe
from tests.kernel.hosts import BEYOND, BEYOND6, SERVER, SERVER6, Trio
from tests.ruleset.golden import Case, cases

from durward.ruleset.firewall import firewall

pytestmark = pytest.mark.kernel
ALL = cases()


@pytest.fixture(params=ALL, ids=[case.name for case in ALL])
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


def found(hosts: Trio, line: str) -> str:
    """Do what a line of a case says; gives the line as it came true."""
    way, protocol, port, other, expected = line.split()
    six = ":" in other
    server, beyond = (SERVER6, BEYOND6) if six else (SERVER, BEYOND)
    sender, source, to = {
        "in": (hosts.client, other, server),
        "published": (hosts.client, other, server),
        "forward": (hosts.client, other, beyond),
        "out": (hosts.server, server, other),
        "passing": (hosts.inner, beyond, other),
    }[way]
    verdict = probe(protocol, sender, source, to, int(port), expected)
    return f"{way} {protocol} {port} {other} {verdict}"


def test_packets_find_what_the_case_says(engine: Trio, case: Case) -> None:
    apply(engine.server, case.policy)
    expected = [" ".join(line.split()) for line in case.expected]
    assert [found(engine, line) for line in case.expected] == expected


def test_a_next_generation_loads_beside_the_one_that_is_kept(router: Trio, case: Case) -> None:
    router.server.run("nft", "-c", "-f", "-", given=firewall(case.policy, "a"))
    apply(router.server, case.policy)
    try_out(router.server, case.policy, case.policy)
    listed = router.server.run("nft", "list", "ruleset")
    assert "goto input_a" in listed
    assert "meta nfproto @trial goto input_b" in listed
    apply(router.server, case.policy, "b")
    assert "_a " not in router.server.run("nft", "list", "chains", "inet")
