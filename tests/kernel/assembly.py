"""A small firewall around one part of it, in the order of the real one, so that each part can be tried alone."""

import json
from collections.abc import Iterable

from tests.kernel.namespaces import Namespace

from durward.ruleset.fragment import Fragment
from durward.ruleset.levels import TABLE
from durward.ruleset.switch import BASES

GENERATION = "a"


def assembled(part: Fragment, opened: Iterable[str] = ("accept",), *, with_flush: bool = True) -> str:
    """The text of a table in which `opened` are the rules that accept what the part has let through."""
    judged = [
        'iif "lo" accept',
        *part.ending,
        *part.untracked,
        "ct state invalid counter drop",
        "ct state established,related accept",
        "meta l4proto ipv6-icmp accept",
        *part.arriving,
        *part.accepting,
        *opened,
        "counter drop",
    ]
    leaving = ['oif "lo" accept', "ct state established,related accept", *part.leaving]
    bases = {"raw": part.raw, "input": judged, "forward": judged, "output": leaving}
    chains = [f"chain base_{name} {{ {BASES[name]}\n" + "\n".join(rules) + "\n}" for name, rules in bases.items()]
    body = "\n".join((*part.sets, *part.chains, *chains))
    flush = f"table inet {TABLE} {{}}\nflush table inet {TABLE}\n" if with_flush else ""
    return f"{flush}table inet {TABLE} {{\n{body}\n}}\n"


def load_into(namespace: Namespace, text: str) -> None:
    """Put `text` in the place of the table that is there."""
    namespace.run("nft", "-f", "-", given=f"table inet {TABLE}\ndelete table inet {TABLE}\n{text}")


def counters(namespace: Namespace, chain: str) -> dict[str, int]:
    """The packets that the rules of a chain have counted, by their comments."""
    listed = json.loads(namespace.run("nft", "-j", "list", "chain", "inet", TABLE, chain))["nftables"]
    counted: dict[str, int] = {}
    for rule in (entry["rule"] for entry in listed if "rule" in entry):
        for expression in rule["expr"]:
            if "counter" in expression:
                comment = rule.get("comment", "")
                counted[comment] = counted.get(comment, 0) + expression["counter"]["packets"]
    return counted
