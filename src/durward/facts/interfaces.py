"""The network interfaces of this namespace, their addresses and networks, and how packets leave."""

import json
from dataclasses import dataclass
from ipaddress import ip_address, ip_interface
from typing import Any

from durward.facts.asking import answer_of
from durward.facts.failure import FactsError
from durward.model import Address, Network

INTERFACES_MAX = 10_000  # more are refused: nobody can name them, and a rule for each would not end
USUAL_TABLES = frozenset({"local", "main", "default"})
LASTING = 0xFFFFFFFF  # the lifetime of an address that was configured and not handed out for a while


@dataclass(frozen=True, slots=True)
class OwnAddress:
    """One address of an interface. `first` is the one that the host itself speaks with; `lasts` until it is removed."""

    address: Address
    network: Network
    first: bool
    lasts: bool


@dataclass(frozen=True, slots=True)
class NetworkInterface:
    """One interface and its addresses, those of the link alone included."""

    name: str
    addresses: tuple[OwnAddress, ...] = ()


def interfaces() -> tuple[NetworkInterface, ...]:
    """The interfaces of this network namespace, the loopback one included. Raises FactsError."""
    links = _asked("ip", "-j", "address", "show")
    if len(links) > INTERFACES_MAX:
        raise FactsError(f"this host has more than {INTERFACES_MAX} network interfaces")
    return tuple(NetworkInterface(str(link["ifname"]), _addresses(link.get("addr_info", []))) for link in links if link)


def has_one_way_out() -> bool:
    """Whether answers leave where questions come in: one interface has the default routes, and no rule changes that.

    Only then can a source that would be answered elsewhere be called forged. Raises FactsError.
    """
    for family in ("-4", "-6"):
        if {str(rule.get("table")) for rule in _asked("ip", "-j", family, "rule", "show")} - USUAL_TABLES:
            return False
    return len(ways_out()) == 1


def ways_out() -> tuple[str, ...]:
    """The interfaces that the default routes lead through, by name. Raises FactsError."""
    devices = set()
    for family in ("-4", "-6"):
        for route in _asked("ip", "-j", family, "route", "show", "default"):
            devices |= {str(hop["dev"]) for hop in route.get("nexthops", [route]) if "dev" in hop}
    return tuple(sorted(devices))


def gateways() -> tuple[Address, ...]:
    """The routers that the default routes lead to. Raises FactsError."""
    found: dict[Address, None] = {}
    for family in ("-4", "-6"):
        for route in _asked("ip", "-j", family, "route", "show", "default"):
            hops = route.get("nexthops", [route])
            texts = [str(hop.get("gateway") or hop.get("via", {}).get("host", "")) for hop in hops]
            found.update(dict.fromkeys(ip_address(text) for text in texts if text))
    return tuple(found)


def _addresses(entries: list[dict[str, Any]]) -> tuple[OwnAddress, ...]:
    found: list[OwnAddress] = []
    for entry in entries:
        if "local" not in entry:
            continue
        own = ip_interface(f"{entry['local']}/{entry['prefixlen']}")
        of_family = [one for one in found if one.address.version == own.version and not one.address.is_link_local]
        lasts = entry.get("valid_life_time", LASTING) == LASTING and not entry.get("temporary", False)
        found.append(OwnAddress(own.ip, own.network, first=not of_family, lasts=lasts))
    return tuple(found)


def _asked(*arguments: str) -> list[dict[str, Any]]:
    answer = answer_of(*arguments).strip() or "[]"
    try:
        return list(json.loads(answer))
    except (ValueError, TypeError):
        raise FactsError(f"{' '.join(arguments)}: no JSON came") from None
