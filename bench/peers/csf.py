"""CSF's rules for IPv4, built by hand in its documented order from its default settings: CSF itself cannot be had.

Only the chains that stand after a start with these settings, with nothing that its daemon adds. `flavour` is the back
end that the command `iptables` has: "nft" where Debian 12 is left as it is, or "legacy".
"""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address
from typing import Literal

from tests.kernel.namespaces import Namespace

Flavour = Literal["nft", "legacy"]
TCP_IN = ["20", "21", "22", "25", "53", "853", "80", "110", "143", "443", "465", "587", "993", "995"]
TCP_OUT = ["20", "21", "22", "25", "53", "853", "80", "110", "113", "443", "587", "993", "995"]
UDP_IN = ["20", "21", "53", "853", "80", "443"]
UDP_OUT = ["20", "21", "53", "853", "113", "123"]
DROP_NOLOG = ["23", "67", "68", "111", "113", "135:139", "445", "500", "513", "520"]
RESOLVER = "192.0.2.53"
FLAGS = (  # the last three: without an ACK
    *("ALL NONE", "ALL ALL", "SYN,FIN SYN,FIN", "SYN,RST SYN,RST", "FIN,RST FIN,RST"),
    *("ACK,FIN FIN", "PSH,ACK PSH", "ACK,URG URG"),
)
CHAINS = [
    "LOGDROPIN",
    "LOGDROPOUT",
    "DENYIN",
    "DENYOUT",
    "ALLOWIN",
    "ALLOWOUT",
    "LOCALINPUT",
    "LOCALOUTPUT",
    "INVALID",
    "INVDROP",
    "SYNFLOOD",
]
LOG_LIMIT = "-m limit --limit 30/m --limit-burst 5 -j LOG"
LISTED_MAX = 4_000_000  # LF_IPSET_MAXELEM of a site with large lists; the default would cut them off at 65,536


def protect(
    namespace: Namespace,
    flavour: Flavour,
    denied: Iterable[int],
    *,
    with_ipset: bool = False,
    with_syn_flood: bool = False,
    blocklists: Iterable[Iterable[str]] = (),
) -> None:
    """Put the rules there: csf.deny as rules, or in a set (LF_IPSET=1); block lists are always in sets, one each.

    `with_syn_flood`: SYNFLOOD=1 with its default rate, one for all.
    """
    addresses = [str(IPv4Address(number)) for number in denied]
    sets = {f"bl_LIST{number}": list(texts) for number, texts in enumerate(blocklists)}
    lines = ["*filter", *(f":{name} DROP [0:0]" for name in ("INPUT", "FORWARD", "OUTPUT"))]
    lines += [f":{name} - [0:0]" for name in (*CHAINS, *(f"LIST{number}" for number in range(len(sets))))]
    lines += [f"-A {rule}" for rule in (*_input(with_syn_flood=with_syn_flood), *_output(), *_shared())]
    lines += [f"-A {rule}" for rule in _denied(addresses, with_ipset=with_ipset)]
    for number, name in enumerate(sets):
        lines.append(f"-A LOCALINPUT ! -i lo -j LIST{number}")
        lines.append(f"-A LIST{number} -m set --match-set {name} src -j DROP")
    if with_ipset:
        sets["chain_DENY"] = addresses
    for name, texts in sets.items():
        namespace.run("ipset", "restore", given=_set(name, texts))
    namespace.run(f"iptables-{flavour}-restore", given="\n".join([*lines, "COMMIT", ""]))


def _set(name: str, texts: list[str]) -> str:
    head = f"create {name} hash:net family inet hashsize 1024 maxelem {LISTED_MAX}\n"
    return head + "".join(f"add -exist {name} {text.strip()}\n" for text in texts)


def _denied(addresses: list[str], *, with_ipset: bool) -> Iterator[str]:
    if with_ipset:
        yield "DENYIN ! -i lo -m set --match-set chain_DENY src -j DROP"
        yield "DENYOUT ! -o lo -m set --match-set chain_DENY dst -j LOGDROPOUT"
        return
    for address in addresses:
        yield f"DENYIN -s {address} ! -i lo -j DROP"
        yield f"DENYOUT -d {address} ! -o lo -j LOGDROPOUT"


def _input(*, with_syn_flood: bool) -> Iterator[str]:
    for protocol in ("udp", "tcp"):
        yield f"INPUT -s {RESOLVER} ! -i lo -p {protocol} --sport 53 -j ACCEPT"
        yield f"INPUT -s {RESOLVER} ! -i lo -p {protocol} --dport 53 -j ACCEPT"
    yield "INPUT ! -i lo -j LOCALINPUT"
    yield "INPUT -i lo -j ACCEPT"
    if with_syn_flood:
        yield "INPUT ! -i lo -p tcp --syn -j SYNFLOOD"
    yield "INPUT ! -i lo -p tcp -j INVALID"
    yield "INPUT ! -i lo -p icmp --icmp-type echo-request -m limit --limit 1/s --limit-burst 5 -j ACCEPT"
    yield "INPUT ! -i lo -p icmp --icmp-type echo-request -j DROP"
    yield "INPUT ! -i lo -p icmp -j ACCEPT"
    yield "INPUT ! -i lo -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"
    yield from (f"INPUT ! -i lo -p tcp -m conntrack --ctstate NEW --dport {port} -j ACCEPT" for port in TCP_IN)
    yield from (f"INPUT ! -i lo -p udp -m conntrack --ctstate NEW --dport {port} -j ACCEPT" for port in UDP_IN)
    yield "INPUT ! -i lo -j LOGDROPIN"


def _output() -> Iterator[str]:
    for protocol in ("udp", "tcp"):
        yield f"OUTPUT -d {RESOLVER} ! -o lo -p {protocol} --dport 53 -j ACCEPT"
        yield f"OUTPUT -d {RESOLVER} ! -o lo -p {protocol} --sport 53 -j ACCEPT"
    yield "OUTPUT ! -o lo -j LOCALOUTPUT"
    for protocol in ("tcp", "udp"):
        yield f"OUTPUT ! -o lo -p {protocol} --dport 53 -j ACCEPT"
        yield f"OUTPUT ! -o lo -p {protocol} --sport 53 -j ACCEPT"
    yield "OUTPUT -o lo -j ACCEPT"
    yield "OUTPUT ! -o lo -p tcp -j INVALID"
    yield "OUTPUT ! -o lo -p icmp -j ACCEPT"
    yield "OUTPUT ! -o lo -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"
    yield from (f"OUTPUT ! -o lo -p tcp -m conntrack --ctstate NEW --dport {port} -j ACCEPT" for port in TCP_OUT)
    yield from (f"OUTPUT ! -o lo -p udp -m conntrack --ctstate NEW --dport {port} -j ACCEPT" for port in UDP_OUT)
    yield "OUTPUT ! -o lo -j LOGDROPOUT"


def _shared() -> Iterator[str]:
    yield "LOCALINPUT ! -i lo -j ALLOWIN"
    yield "LOCALINPUT ! -i lo -j DENYIN"
    yield "LOCALOUTPUT ! -o lo -j ALLOWOUT"
    yield "LOCALOUTPUT ! -o lo -j DENYOUT"
    yield "INVALID -m conntrack --ctstate INVALID -j INVDROP"
    yield from (f"INVALID -p tcp -m tcp --tcp-flags {flags} -j INVDROP" for flags in FLAGS)
    yield "INVALID -p tcp ! --syn -m conntrack --ctstate NEW -j INVDROP"
    yield "INVDROP -j DROP"
    yield "SYNFLOOD -m limit --limit 100/s --limit-burst 150 -j RETURN"
    yield f'SYNFLOOD {LOG_LIMIT} --log-prefix "Firewall: *SYNFLOOD Blocked* "'
    yield "SYNFLOOD -j DROP"
    for protocol in ("tcp", "udp"):
        yield from (f"LOGDROPIN -p {protocol} --dport {port} -j DROP" for port in DROP_NOLOG)
    for protocol in ("tcp", "udp", "icmp"):
        yield f'LOGDROPIN -p {protocol} {LOG_LIMIT} --log-prefix "Firewall: *{protocol.upper()}_IN Blocked* "'
    yield "LOGDROPIN -j DROP"
    yield f'LOGDROPOUT -p tcp --syn {LOG_LIMIT} --log-uid --log-prefix "Firewall: *TCP_OUT Blocked* "'
    for protocol in ("udp", "icmp"):
        prefix = f"Firewall: *{protocol.upper()}_OUT Blocked* "
        yield f'LOGDROPOUT -p {protocol} {LOG_LIMIT} --log-uid --log-prefix "{prefix}"'
    yield "LOGDROPOUT -j REJECT"
