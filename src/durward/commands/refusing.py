"""How `status` and `why` tell of what the firewall refuses by itself: counters, limits, and the tables of others."""

from typing import Any

from durward.commands.terminal import inert, moment, quantity, table

KINDS = {
    "bad_flags": "impossible TCP flags",
    "block": "from and to blocked addresses",
    "closed": "closed ports",
    "closed_out": "closed ports elsewhere",
    "connection_limit": "too many connections at once",
    "denied": "connections of those who were denied since",
    "icmp": "ICMP redirects",
    "icmp_fragments": "fragmented ICMP",
    "invalid": "of no connection",
    "knock": "knocks",
    "knock_opened": "let in after knocking",
    "knock_wrong": "wrong knocks",
    "large_ping": "pings that are too large, or too many",
    "list": "lists and countries",
    "ping_flood": "too many pings",
    "port_flood": "too many connections in a time",
    "spoofed": "sources that cannot be",
    "syn_flood": "SYN flood of a source",
    "syn_proxied": "SYN flood, answered by the proxy",
    "throttle": "too much of who is throttled",
    "udp_flood": "UDP flood of our users",
}
PARTS_SHOWN = 6  # of one kind, the largest first; --json gives all


def counted_rows(entries: list[dict[str, Any]]) -> str:
    """What was refused or counted, where there was anything, as aligned lines."""
    shown = sorted((one for one in entries if one["packets"]), key=lambda one: -one["packets"])
    return table([_row(one) for one in shown], "    ")


def limit_lines(layers: list[dict[str, Any]]) -> list[str]:
    """Whom the limits refuse, or have refused of late."""
    lines = []
    for one in (layer for layer in layers if layer["layer"].startswith("rate:") and layer.get("packets")):
        where = f" at {one['port']}" if "port" in one else ""
        says = f"{KINDS[one['layer'].removeprefix('rate:')]}{where}: {quantity(one['packets'], 'packet')} refused"
        until = f", and until {moment(one['until'])}" if one["blocked"] else ""
        lines.append(f"  Beyond a limit: {says}, last {moment(one['refused_at'])}{until}")
        lines.append(f"    ({one['setting']} says {inert(one['limit'])})")
    return lines


def foreign_lines(layers: list[dict[str, Any]]) -> list[str]:
    """Which other tables may refuse."""
    lines = []
    for one in (layer for layer in layers if layer["layer"].startswith("foreign:")):
        name = " ".join(filter(None, (one.get("family", ""), one["layer"].removeprefix("foreign:"))))
        held = f"; it is in {', '.join(one['held'])} there" if one["held"] else ""
        lines.append(f"  Another table may refuse it: {inert(name + held)}.  nft list table {inert(name)}")
    return lines


def _row(entry: dict[str, Any]) -> tuple[str, ...]:
    parts = sorted((one for one in entry.get("parts", ()) if one["packets"]), key=lambda one: -one["packets"])
    told = ", ".join(f"{inert(one['of'])} {one['packets']:,}" for one in parts[:PARTS_SHOWN])
    if len(parts) > PARTS_SHOWN:
        told += ", …"
    what = KINDS.get(entry["what"], inert(entry["what"]))
    return (what, quantity(entry["packets"], "packet"), quantity(entry["bytes"], "byte"), told)
