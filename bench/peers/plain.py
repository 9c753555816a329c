"""The smallest rule sets: a drop and nothing else, fail2ban's action, and a firewall that only knows connections."""

from collections.abc import Iterable
from ipaddress import IPv4Address

from tests.kernel.namespaces import Namespace

LOT = 5_000  # addresses in one line


def bare(namespace: Namespace, network: str) -> None:
    """One rule before connection tracking, about one network written into it: no list can cost less."""
    _load(
        namespace, f"table inet bare {{\nchain raw {{\ntype filter hook prerouting priority -300\n{network}\n}}\n}}\n"
    )


def stateful(namespace: Namespace, port: int) -> None:
    """The smallest firewall that lets answers in: connections that stand, and one port."""
    rules = f"ct state established,related accept\niif lo accept\ntcp dport {port} accept\n"
    _load(
        namespace,
        f"table inet small {{\nchain input {{\ntype filter hook input priority 0; policy drop;\n{rules}}}\n}}\n",
    )


def fail2ban(namespace: Namespace, blocked: Iterable[int], block_type: str = "reject") -> None:
    """What Debian's action.d/nftables.conf makes for its sshd jail; `reject` is what it ships with."""
    elements = [str(IPv4Address(number)) for number in blocked]
    _load(
        namespace,
        "table inet f2b-table {\nset addr-set-sshd { type ipv4_addr; }\n"
        "chain f2b-chain {\ntype filter hook input priority -1;\n"
        f"tcp dport {{ 22 }} ip saddr @addr-set-sshd {block_type}\n}}\n}}\n",
    )
    for first in range(0, len(elements), LOT):
        listed = ", ".join(elements[first : first + LOT])
        _load(namespace, f"add element inet f2b-table addr-set-sshd {{ {listed} }}\n")


def _load(namespace: Namespace, text: str) -> None:
    namespace.run("nft", "-f", "-", given=text)
