"""No gap: packets that get in while the firewall is applied, the daemons come and go, and others change our table.

    PYTHONPATH=. .venv/bin/python -m bench.gap [--applies 200] [--starts 50] [--changes 5]

A door with a confirmed firewall, in namespaces of its own. All the while a process sends 5,000 packets a second, in
turn from two blocked sources to an open UDP port and to SSH, and from two others to a closed UDP and a closed TCP port,
over IPv4 and IPv6; and, as a proof that packets flow, some to an open port. A table of the bench's own in the door's
kernel counts what comes over the cable, and what is left of it when all rules have been asked. Every third apply is
confirmed, every third rolled back; every second stop is a kill -9 of all processes. What others do lasts until durward
has mended it: packets that get in meanwhile are counted from before their command until a second after it.
"""

import argparse
import time
from collections.abc import Callable

from arena.errors import require_programs
from arena.pressure import Pressure
from bench.measure import await_quiet, table
from tests.attacks.firewalled import Firewalled
from tests.crash.pressed import FOREIGN, LET_IN, apply_again, begin_again, came, got_in, pressed

CHANGE_SECONDS = 1.0
Row = tuple[str, ...]
HEAD: Row = ("what", "times", "seconds", "packets", "a second", "got in", "proof: let in")


def pressing(scene: Firewalled, what: str, times: int, act: Callable[[int], object]) -> Row:
    """Do something so often, under pressure; give what was counted."""
    with pressed(scene) as pressure:
        began = time.monotonic()
        for turn in range(times):
            act(turn)
        return row(pressure, what, times, time.monotonic() - began)


def row(pressure: Pressure, what: str, times: int, seconds: float) -> Row:
    """What was counted until now."""
    counts = pressure.counts()
    sent, proof = came(counts), sum(counts[name].got_in for name in LET_IN)
    wrong = sum(got_in(counts).values())
    return (what, f"{times}", f"{seconds:.0f}", f"{sent:,}", f"{sent / seconds:,.0f}", f"{wrong:,}", f"{proof:,}")


def changing(scene: Firewalled, what: str, text: str, times: int) -> Row:
    """Have somebody change our table so often."""

    def change(_turn: int) -> None:
        scene.door.run(["nft", "-f", "-"], input=text, check=True)
        time.sleep(CHANGE_SECONDS)

    return pressing(scene, what, times, change)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--applies", type=int, default=200)
    parser.add_argument("--starts", type=int, default=50)
    parser.add_argument("--changes", type=int, default=5, help="of each kind")
    options = parser.parse_args()
    require_programs(["ip", "nft"])
    await_quiet()
    rows = [HEAD]
    with Firewalled() as scene:
        rows.append(pressing(scene, "apply", options.applies, lambda turn: apply_again(scene, turn)))
        rows.append(pressing(scene, "daemons stop and start", options.starts, lambda turn: begin_again(scene, turn)))
    with Firewalled() as scene:
        rows += [changing(scene, what, text, options.changes) for what, text in FOREIGN.items() if options.changes]
    print(table("Packets that must not get in, 5,000 a second", rows))


if __name__ == "__main__":
    main()
