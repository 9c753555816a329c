"""The names in our table as the kernel tells them: those of other tables are not among them."""

import pytest
from tests.kernel.namespaces import Namespace

from durward.privileged.loading import load
from durward.privileged.names import present
from durward.ruleset.skeleton import marker_of, set_names, skeleton

pytestmark = pytest.mark.kernel
OTHERS = """
table inet durward2 { set foreign { type ipv4_addr; }; chain input_a { }; }
table ip durward { set foreign { type ipv4_addr; }; chain input_a { }; }
"""


def test_where_there_is_no_table_there_are_no_names(namespace: Namespace) -> None:
    namespace.run("nft", "-f", "-", given=OTHERS)
    found = present()
    assert (found.chains, found.sets) == (frozenset(), frozenset())


def test_the_names_are_those_of_our_table_alone(namespace: Namespace) -> None:
    namespace.run("nft", "-f", "-", given=OTHERS)
    load(skeleton())
    found = present()
    assert {name for name in found.sets if not name.startswith("__map")} == set_names(skeleton()) | {
        "live4",
        "live6",
        "live_udp4",
        "live_udp6",
    }
    assert {marker_of(skeleton()), "prerouting", "refuse_out6"} <= found.chains
    assert "input_a" not in found.chains


def test_more_names_than_fit_one_message_are_all_found(namespace: Namespace) -> None:
    names = [f"flood_{number}_a" for number in range(1000)]
    namespace.run(
        "nft",
        "-f",
        "-",
        given="\n".join(f"add chain inet durward {name}" for name in names).join(["add table inet durward\n", "\n"]),
    )
    assert present().chains == set(names)
