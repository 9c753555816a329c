"""Tables of others are left as they are: before, while and after durward runs, byte for byte."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.attacks.scene import Scene

pytestmark = pytest.mark.kernel

FOREIGN = """\
table inet docker {
	comment "not ours"
	set hosts { type ipv4_addr; flags interval; elements = { 198.51.100.64/26, 203.0.113.240 } }
	chain forward { type filter hook forward priority filter; policy accept; ip saddr @hosts counter accept; }
}
table ip durward {
	chain input { type filter hook input priority 5; policy accept; tcp dport 2222 accept; }
}
table ip6 filter {
	chain INPUT { type filter hook input priority filter; policy accept; tcp dport 22 accept; }
}
table netdev durward {
	set seen { type ipv4_addr; flags dynamic; }
}
"""
TABLES = ("inet docker", "ip durward", "ip6 filter", "netdev durward")


class Inhabited(Scene):
    """A door whose kernel holds tables of others already, two of them with a name that looks like ours."""

    def before_start(self) -> None:
        rules = Path(self.durward.home, "foreign.nft")
        rules.write_text(FOREIGN, encoding="utf-8")
        self.door.run(["nft", "-f", rules], check=True)
        self.before = self.foreign()

    def foreign(self) -> list[str]:
        """Give the tables of others with their handles: the same handles mean that nothing was even made anew."""
        return [self.door.run(["nft", "-a", "list", "table", *name.split()], check=True).stdout for name in TABLES]

    def tables(self) -> set[str]:
        """Give the names of all tables."""
        lines = self.door.run(["nft", "list", "tables"], check=True).stdout.splitlines()
        return {line.removeprefix("table ") for line in lines}


@pytest.fixture(scope="module")
def inhabited() -> Iterator[Inhabited]:
    with Inhabited() as scene:
        yield scene


def test_nothing_but_our_own_table_is_added(inhabited: Inhabited) -> None:
    assert inhabited.tables() - set(TABLES) <= {"inet durward"}


def test_tables_of_others_outlive_everything_that_durward_does(inhabited: Inhabited) -> None:
    attacker = inhabited.stranger()
    assert inhabited.foreign() == inhabited.before
    inhabited.get_blocked(attacker)
    assert inhabited.foreign() == inhabited.before
    for words in (
        ("unblock", attacker.address),
        ("block", "198.51.100.64/26", "--port", "22"),
        ("allow", "203.0.113.240"),
        ("block", "203.0.113.241", "--out"),
        ("doctor",),
    ):
        inhabited.durward.command(*words)
        assert inhabited.foreign() == inhabited.before, words
    inhabited.durward.stop()
    assert inhabited.foreign() == inhabited.before
    inhabited.durward.start()
    assert inhabited.foreign() == inhabited.before
    assert {line["subject"] for line in inhabited.lines("list", "blocked")} == {"198.51.100.64/26", "203.0.113.241"}
