"""Puts a firewall into a namespace as it is in real life: the skeleton, and a generation that decides."""

import time
from itertools import pairwise

from tests.kernel.namespaces import Namespace

from durward.model import Standing
from durward.privileged.loading import run_nft
from durward.privileged.names import present
from durward.ruleset.elements import desired
from durward.ruleset.filling import filling
from durward.ruleset.firewall import firewall
from durward.ruleset.levels import TABLE
from durward.ruleset.policy import Policy
from durward.ruleset.skeleton import skeleton
from durward.ruleset.switch import Firewall, Generation, switch

# A container engine's table: it publishes ports of the machine behind this host, and knows nothing of us.
ENGINE = """
table inet engine {
    chain published {
        type nat hook prerouting priority -100;
        iifname "outer" meta l4proto { tcp, udp } th dport 8080 dnat ip to 203.0.113.100:80
        iifname "outer" meta l4proto { tcp, udp } th dport 8080 dnat ip6 to [2001:db8:b::1]:80
        iifname "outer" meta l4proto { tcp, udp } th dport 8081 dnat ip to 203.0.113.100:8080
        iifname "outer" meta l4proto { tcp, udp } th dport 8081 dnat ip6 to [2001:db8:b::1]:8080
    }
}
"""


def load_skeleton(namespace: Namespace) -> None:
    """A table with the lists of addresses, and no firewall yet."""
    namespace.run("nft", "-f", "-", given=skeleton())


def apply(namespace: Namespace, policy: Policy, generation: Generation = "a") -> None:
    """Have a generation decide, and take the other one away, as it is done in real life."""
    kept = Firewall.marked(generation, firewall(policy, generation))
    with namespace.inside():
        run_nft(switch(present(), kept))


def try_out(namespace: Namespace, kept: Policy, trial: Policy) -> None:
    """Have generation b decide for a while instead of a, which is kept."""
    before, after = Firewall.marked("a", firewall(kept, "a")), Firewall.marked("b", firewall(trial, "b"))
    with namespace.inside():
        run_nft(switch(present(), before, after, 60, reload=False))


def stand(namespace: Namespace, *standings: Standing) -> None:
    """Put into the sets what makes these true."""
    namespace.run("nft", "-f", "-", given=filling(desired(standings, time.time()).values()))


def unload(namespace: Namespace) -> None:
    """Take the table away."""
    namespace.run("nft", "delete", "table", "inet", TABLE)


def publish(namespace: Namespace) -> None:
    """Have the container engine's table publish its ports, until `unpublish`."""
    namespace.run("nft", "-f", "-", given=ENGINE)


def unpublish(namespace: Namespace) -> None:
    """Take the container engine's table away."""
    namespace.run("nft", "delete", "table", "inet", "engine")


def counted(namespace: Namespace, chain: str) -> int:
    """Packets that all counters of a chain have counted."""
    words = namespace.run("nft", "list", "chain", "inet", TABLE, chain).split()
    return sum(int(after) for word, after in pairwise(words) if word == "packets" and after.isdigit())
