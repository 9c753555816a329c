"""What `doctor` and `why` say of other tables: which of their chains decide before ours, and which may refuse.

They are looked at, not obeyed: what really becomes of a packet there depends on all that their rules ask.
"""

from typing import Any

from durward.control.channel import ChannelError
from durward.daemons.door import Door
from durward.model import Finding, Subject

CHECK = "foreign"
INBOUND = frozenset({"ingress", "prerouting", "input"})  # on the way of what comes to this host
FAMILIES_OF = {4: frozenset({"inet", "ip", "netdev"}), 6: frozenset({"inet", "ip6", "netdev"})}


def findings(door: Door) -> list[Finding]:
    """Every filtering base chain of others that decides before ours, or may refuse what ours accept."""
    try:
        chains, legacy = door.others()
    except ChannelError as error:
        return [Finding(CHECK, "tables", "error", str(error))]
    told = [one for one in chains if one["first"] or _may_refuse(one)]
    found = [Finding(CHECK, f"{_table(one)} {one['chain']}", "unknown", _said(one)) for one in told]
    for table in legacy:
        detail = "a table of the older iptables is there: it may refuse what durward accepts; iptables-legacy-save"
        found.append(Finding(CHECK, table, "unknown", detail))
    return found or [Finding(CHECK, "tables", "pass", "no chain of others decides before durward, or refuses")]


def layers(door: Door, subject: Subject) -> list[dict[str, Any]]:
    """One layer for each table of others that may refuse what comes from `subject`. It is never said to be certain."""
    try:
        chains, legacy = door.others(subject)
    except ChannelError:
        return []
    families = FAMILIES_OF[subject.network.version]
    by_table: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for one in chains:
        if one["family"] in families and one["hook"] in INBOUND and _may_refuse(one):
            by_table.setdefault((one["family"], one["table"]), []).append(one)
    found = [_layer(table, family, those) for (family, table), those in by_table.items()]
    old = [name for name in legacy if name.split()[0] in families]
    return found + [
        {"layer": f"foreign:{name}", "blocked": False, "may_refuse": True, "held": [], "chains": []} for name in old
    ]


def _layer(table: str, family: str, chains: list[dict[str, Any]]) -> dict[str, Any]:
    shown = ("chain", "hook", "priority", "drops_by_policy", "accepts", "refuses", "unclear", "first")
    return {
        "layer": f"foreign:{table}",
        "blocked": False,
        "may_refuse": True,
        "family": family,
        "held": list(dict.fromkeys(name for one in chains for name in one["held"])),
        "chains": [{name: one[name] for name in shown} for one in chains],
    }


def _may_refuse(chain: dict[str, Any]) -> bool:
    return bool(chain["drops_by_policy"] or chain["refuses"] or chain["unclear"])


def _table(chain: dict[str, Any]) -> str:
    return f"{chain['family']} {chain['table']}"


def _said(chain: dict[str, Any]) -> str:
    """`hook input, priority -11, asked before durward: accepts some, refuses some; its policy is drop`."""
    does = [word for word, key in (("accepts some", "accepts"), ("refuses some", "refuses")) if chain[key]]
    does += ["some rules decide by a map or a program"] if chain["unclear"] else []
    when = "before" if chain["first"] else "after"
    policy = "; its policy is drop" if chain["drops_by_policy"] else ""
    what = ", ".join(does) or "neither accepts nor refuses"
    advice = "; it may refuse what durward accepts" if _may_refuse(chain) else ""
    return f"hook {chain['hook']}, priority {chain['priority']}, asked {when} durward: {what}{policy}{advice}"
