"""What why says of merged lists: which country, feed or long list refuses an address, and the line that lists it."""

import os
from pathlib import Path
from typing import Any

from durward.catalog.countries import feed_of, place_of
from durward.commands.asking import stored_firewall
from durward.commands.gate import ask_enforcer
from durward.commands.terminal import inert
from durward.config.home import Home
from durward.control.requests import NoAnswerError
from durward.model import Address, InvalidAddressError, parse_address
from durward.ruleset.policy import DENY_LIST, MergedList

COUNTRY, LISTS = "country", "lists"
SAYS = {
    "deny": "countries.deny refuses {}",
    "allow_only": "countries.allow_only lets in others only",
    "deny_ports": "countries.deny_ports refuses {} at some ports",
}


def add_lists(reply: dict[str, Any], home: Home) -> None:
    """Put the layers of merged lists into what the engine said of an address, and where the address is."""
    if os.geteuid() != 0:
        return
    try:
        address = parse_address(reply["subject"])
    except InvalidAddressError:
        return
    reply["layers"] += layers_of(home, address, passes=bool(reply["allowed"]))
    reply["blocked"] = reply["blocked"] or any(layer["blocked"] for layer in reply["layers"])
    reply |= place_facts(home, address)


def layers_of(home: Home, address: Address, *, passes: bool) -> list[dict[str, Any]]:
    """One layer for each merged list that decides now; `passes` is whether the address is allowed."""
    from durward.ruleset.merged import lists_in

    try:
        state = ask_enforcer("firewall state")["firewall"]
        lists = lists_in(stored_firewall(home, state)) if state in {"trial", "confirmed"} else ()
    except (NoAnswerError, ValueError):
        return []
    return [
        layer
        for merged in lists
        if merged.mode != "allow_ports"
        for layer in _layers(merged, home, address, passes=passes)
    ]


def place_facts(home: Home, address: Address) -> dict[str, Any]:
    """In which country and network by number an address is, as far as the lists that are here say."""
    from durward.facts.lists import lines_of

    found: dict[str, Any] = {}
    for path in sorted(home.lists.glob("*.txt")) if home.lists.is_dir() else ():
        place = place_of(path.name)
        if place is None or not (lines := lines_of(path, address)):
            continue
        if place.startswith("AS"):
            found.setdefault("asn", int(place[2:]))
        else:
            found.setdefault("country", place)
        found.setdefault("network", lines[0].network)
    return found


def list_lines(layers: list[dict[str, Any]]) -> list[str]:
    """The lists that refuse, as people read it."""
    return [
        f"  {inert(layer['reason'])}" + (f" ({inert(layer['file'])}:{layer['line']})" if "file" in layer else "") + "."
        for layer in layers
        if layer["blocked"] and (layer["layer"] in {COUNTRY, LISTS} or layer["layer"].startswith("feed:"))
    ]


def _layers(merged: MergedList, home: Home, address: Address, *, passes: bool) -> list[dict[str, Any]]:
    from durward.facts.lists import listed_in

    found = listed_in(merged, home.lists, home.etc / DENY_LIST, address)
    blocked = not passes and (bool(found) != (merged.mode == "allow_only"))
    lines = [{"network": one.network, "file": one.file, "line": one.line} for one in found]
    if merged.name == "feeds":
        names = [feed_of(Path(one.file).name) for one in found]
        return [
            {"layer": f"feed:{name}", "blocked": blocked, "reason": f"the feed {name} lists {one['network']}", **one}
            for name, one in zip(names, lines, strict=True)
        ]
    place = place_of(Path(found[0].file).name) if found else None
    layer: dict[str, Any] = {"layer": LISTS if DENY_LIST in merged.files else COUNTRY, "blocked": blocked}
    if layer["layer"] == LISTS:
        reason = f"{DENY_LIST} lists {lines[0]['network']}" if lines else ""
    else:
        reason = SAYS[merged.mode].format(place)
        layer["setting"] = {"deny": "countries.deny", "allow_only": "countries.allow_only"}.get(
            merged.mode, "countries.deny_ports"
        )
    layer |= {"reason": reason} if blocked else {}
    if merged.mode == "deny_ports":
        layer["ports"] = ",".join(
            [*(f"{ports}/tcp" for ports in merged.tcp), *(f"{ports}/udp" for ports in merged.udp)]
        )
    return [layer | (lines[0] if lines else {})]
