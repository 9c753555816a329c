"""A large deny list on the arena's door: a process that fills it and, each time that it is told to, replaces it.

    nsenter --net=DOOR python -m tests.kernel.replacing FILE OTHER_FILE

It says "ready" when the list of FILE denies; a line on its standard input makes it replace that by OTHER_FILE's, the
next one the other way round, and so on. Each time it says how many elements there are, and the seconds that it took.
"""

import sys
import time
from pathlib import Path

from durward.catalog.traffic import parse_ports
from durward.privileged.loading import run_nft
from durward.privileged.merged import MergedSets, Refused, reading
from durward.ruleset.firewall import firewall
from durward.ruleset.merged import Filling, MergedList
from durward.ruleset.policy import Policy, Ports, Spoofing
from durward.ruleset.prefixes import Prefixes
from durward.ruleset.skeleton import replacement, skeleton
from durward.ruleset.switch import Firewall, Present, switch

OPEN, OPEN_UDP = 8080, 5353
LIST = MergedList("feeds", "deny")


def rules() -> str:
    """A firewall with a deny list that is empty yet."""
    ports = Ports(*(parse_ports(str(port)) for port in (OPEN, OPEN_UDP, OPEN, OPEN_UDP)))
    policy = Policy(inbound=ports, merged=(LIST,), spoofing=Spoofing(bogons=False, reverse_path=False))
    kept = Firewall.marked("a", firewall(policy, "a"))
    return replacement(skeleton()) + switch(Present(frozenset(), frozenset()), kept)


def replace(sets: MergedSets, path: Path, number: int, retired: Filling | None) -> tuple[Filling, int]:
    """Have the list of a file deny instead of another filling; give its filling and how many elements it has."""
    prefixes, refused = Prefixes(), Refused()
    with path.open(encoding="utf-8") as texts:
        for _ in reading(texts, prefixes, refused):
            pass
    filling = prefixes.filling(number)
    *_, count = sets.fill(LIST.name, filling, prefixes)
    sets.swap(LIST, filling, ["a"], retired)
    return filling, count


def main() -> None:
    """Fill, say so, and replace."""
    paths = [Path(word) for word in sys.argv[1:3]]
    run_nft(rules())
    with MergedSets() as sets:
        filling, _ = replace(sets, paths[0], 1, None)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        for number, _ in enumerate(sys.stdin, 2):
            began = time.monotonic()
            filling, count = replace(sets, paths[(number + 1) % 2], number, filling)
            sys.stdout.write(f"{count} {time.monotonic() - began:.3f}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
