"""What `why` says of the firewall's limits: does one of them count an address, and does it refuse it at present?"""

from collections.abc import Sequence
from typing import Any

from durward.config.settings import Settings
from durward.control.channel import ChannelError
from durward.daemons.door import Door, Reading
from durward.engine.explain import moment
from durward.model import Subject
from durward.ruleset.limits import BEYOND_SECONDS, Limit, limits
from durward.ruleset.policy import Icmp, Policy

ACTIVE_SECONDS = 5.0  # whoever was refused within the last ones is being refused, however soon he may come again


def limits_of(settings: Settings) -> tuple[Limit, ...]:
    """The limits that the settings want; which of them are in force is what the kernel says."""
    firewall = settings.firewall
    return limits(
        Policy(
            syn_flood=firewall.syn_flood,
            port_floods=firewall.port_flood,
            connection_limits=firewall.conn_limit,
            ping=firewall.ping,
            icmp=Icmp(answers_ping=firewall.answer_ping),
            block_prefix_v6=settings.ipv6.block_prefix,
        )
    )


class Limiting:
    """Asks the kernel by the key alone; no set is ever listed."""

    def __init__(self, door: Door, wanted: Sequence[Limit]) -> None:
        self._door = door
        self._wanted = wanted

    def layers(self, counted: Subject, now: float, *, allowed: bool) -> list[dict[str, Any]]:
        """One layer for each limit that is in force. `counted` is an address, or the IPv6 network counted as one.

        `allowed`: it passes before any limit is asked. Empty for a wider network, and where nobody tells.
        """
        network = counted.network
        if not self._wanted or (network.version == 4 and network.prefixlen < network.max_prefixlen):
            return []
        family = int(network.version == 6)
        names = [name for limit in self._wanted for name in (limit.counting[family], limit.beyond[family])]
        try:
            readings = self._door.meters(names, counted)
        except ChannelError:
            return []
        pairs = zip(self._wanted, readings[::2], readings[1::2], strict=True)
        return [_layer(limit, counts, beyond, now, allowed=allowed) for limit, counts, beyond in pairs if beyond]


def _layer(
    limit: Limit, counts: Reading | bool, beyond: Reading | bool, now: float, *, allowed: bool
) -> dict[str, Any]:
    layer: dict[str, Any] = {
        "layer": limit.layer,
        "blocked": False,
        "setting": limit.setting,
        "limit": limit.says,
        "counted": isinstance(counts, Reading),
        "packets": 0,
        "bytes": 0,
    }
    if limit.port:
        layer["port"] = limit.port
    if not isinstance(beyond, Reading):
        return layer
    refused_at = now - BEYOND_SECONDS + beyond.expires_in_seconds
    until = refused_at + max(limit.pause_seconds, ACTIVE_SECONDS)
    layer |= {"packets": beyond.packets, "bytes": beyond.bytes, "refused_at": moment(refused_at)}
    if until > now and not allowed:
        layer |= {"blocked": True, "until": moment(until)}
    return layer
