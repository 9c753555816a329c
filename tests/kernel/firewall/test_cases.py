"""Every case of tests/ruleset/cases in a real kernel: it loads, and real packets find what the case says."""

import pytest
from tests.kernel.firewall.bases import apply, load_skeleton, unload
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


def test_both_generations_load_beside_each_other_and_again(router: Trio, case: Case) -> None:
    for generation in ("a", "b"):
        router.server.run("nft", "-c", "-f", "-", given=firewall(case.policy, generation))
        apply(router.server, case.policy, generation)
    listed = router.server.run("nft", "list", "ruleset")
    unload(router.server)
    load_skeleton(router.server)
    assert "input_a" in listed
    assert "input_b" in listed
