"""Puts a firewall into a namespace as it is in real life: the skeleton, base chains, and one generation that decides."""

from tests.kernel.namespaces import Namespace

from durward.ruleset.firewall import firewall
from durward.ruleset.levels import TABLE
from durward.ruleset.policy import Policy
from durward.ruleset.skeleton import skeleton

# Where each chain of a generation is led to from.
HOOKS = {
    "early": "type filter hook prerouting priority -450; policy accept;",
    "raw": "type filter hook prerouting priority -290; policy accept;",
    "input": "type filter hook input priority -10; policy accept;",
    "forward": "type filter hook forward priority -10; policy accept;",
    "output": "type filter hook output priority -10; policy accept;",
    "nat_arriving": "type nat hook prerouting priority -110; policy accept;",
    "nat_leaving": "type nat hook output priority -110; policy accept;",
    "nat_routed": "type nat hook postrouting priority 90; policy accept;",
}
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
    """A table with the lists of addresses, and base chains that lead nowhere yet."""
    bases = "".join(f"\tchain base_{name} {{\n\t\t{hook}\n\t}}\n" for name, hook in HOOKS.items())
    namespace.run("nft", "-f", "-", given=f"{skeleton()}table inet {TABLE} {{\n{bases}}}\n")


def apply(namespace: Namespace, policy: Policy, generation: str = "a") -> str:
    """Load a generation and have it decide, in one transaction; gives its text."""
    text = firewall(policy, generation)
    leads = [f"flush chain inet {TABLE} base_{name}" for name in HOOKS]
    leads += [
        f"add rule inet {TABLE} base_{name} goto {name}_{generation}"
        for name in HOOKS
        if f"\tchain {name}_{generation} {{" in text
    ]
    namespace.run("nft", "-f", "-", given=text + "\n".join(leads) + "\n")
    return text


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
    return sum(
        int(after) for word, after in zip(words, words[1:], strict=False) if word == "packets" and after.isdigit()
    )
