"""From the settings of the detector of port scans to what the kernel does of it by itself."""

from durward.config.settings import Settings
from durward.facts.host import Host
from durward.ruleset.policy import PortScans

DETECTOR = "port_scan"


def port_scans(settings: Settings, host: Host) -> PortScans | None:
    """What the kernel copies and counts, and whom it bans by itself; None where no detector hears of it.

    Name servers and gateways are never banned: anybody can write their addresses into a packet.
    """
    detector = settings.detectors.get(DETECTOR)
    if detector is None:
        return None  # nobody would read the copies
    values = detector.general
    bans = values["mode"] == "enforce" and values["remedy"] == "block" and values["reflex"] and values["within"] > 0
    return PortScans(
        values["ports"],
        count=max(values["count"], values["distinct"]) if bans else 0,
        flags=values["bad_flags"] if bans else 0,
        within_seconds=values["within"],
        ban_seconds=round(min(values["block_for"], values["reflex_for"])),
        spared=tuple(map(str, (*host.resolvers, *host.gateways))),
    )
