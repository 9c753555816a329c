"""Knocks at this host open the port of a container too, for who knocked, by the port that it is published at."""

import pytest
from tests.kernel.firewall.bases import apply, counted
from tests.kernel.firewall.probes import probe
from tests.kernel.hosts import CLIENT, CLIENT6, FAR, FAR6, SERVER, SERVER6, Trio
from tests.ruleset.laboratory import LABORATORY

from durward.catalog.traffic import PortRange
from durward.ruleset.policy import Knock, Policy, Ports

pytestmark = pytest.mark.kernel
PUBLISHED, STEPS = 8080, (7003, 7001, 7002)
EVERY_WEB_PORT = (PortRange(80, 80), PortRange(PUBLISHED, PUBLISHED))


@pytest.mark.parametrize(
    ("source", "other", "to"), [(CLIENT, FAR[0], SERVER), (CLIENT6, FAR6[0], SERVER6)], ids=["v4", "v6"]
)
def test_a_published_port_opens_for_who_knocked(engine: Trio, source: str, other: str, to: str) -> None:
    door = Knock(PUBLISHED, "tcp", STEPS, 30)
    apply(engine.server, Policy(Ports(EVERY_WEB_PORT, (), EVERY_WEB_PORT, ()), knocks=(door,), spoofing=LABORATORY))
    for one in (source, other):
        assert probe("tcp", engine.client, one, to, PUBLISHED, "silent") == "silent"
    for step in STEPS:
        assert probe("tcp", engine.client, source, to, step, "silent") == "silent"
    assert probe("tcp", engine.client, source, to, PUBLISHED) == "passes"
    assert probe("tcp", engine.client, other, to, PUBLISHED, "silent") == "silent"
    assert counted(engine.server, "translated_a") >= 1
