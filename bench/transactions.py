"""What a firewall adds to a request and its answer on a connection that stands (TCP_RR), a million networks listed.

    PYTHONPATH=. .venv/bin/python -m bench.transactions [--rounds 61] [--large 1000000] [--json FILE]

One process has both ends, each in a namespace of its own with a cable between: a byte there, a byte back, and nobody
has to be woken, so that the processor time of the process is that of the transaction. The rule set is at the server's
end. What each adds is its median less that of no rules at all.
"""

import argparse
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.interleaved import Judged, command, judgements, medians, write_json
from bench.lists import networks
from bench.measure import await_quiet, table
from bench.peers import csf, distribution, durward, plain
from tests.kernel.hosts import CLIENT, SERVER
from tests.kernel.namespaces import Namespace, join

from durward.ruleset.policy import MergedList

PORT = 22  # the one that everybody lets in without being told
TRANSACTIONS = 400  # in one turn
DENIED = range(0x0A000000, 0x0A000000 + 200)
SMALLEST_SHARE_MAX, CSF_SHARE_MAX = 1.6, 0.6
FEED, COUNTRIES = MergedList("feeds", "deny", early=True), MergedList("countries", "deny")
OURS, SMALLEST, NOTHING = "durward, high", "smallest stateful", "no rules"
Load = Callable[[Namespace], object]


def elsewhere(count: int) -> Iterator[str]:
    """A usual mixture of listed networks, none of which has the client."""
    return (text for text in networks(count) if not text.startswith("192."))


def ours(merged: MergedList, count: int) -> Load:
    """The whole profile, CSF's addresses blocked one by one, and a list."""
    return lambda server: durward.protect(
        server, durward.high_policy(server, (merged,)), DENIED, elsewhere(count) if count else ()
    )


def contest(large: int) -> dict[str, Load]:
    """Who takes part."""
    return {
        NOTHING: lambda _: None,
        SMALLEST: lambda server: plain.stateful(server, PORT),
        OURS: ours(FEED, large),
        f"{OURS}, no list": ours(FEED, 0),
        f"{OURS}, list of countries": ours(COUNTRIES, large),
        "CSF, nft": lambda server: csf.protect(server, "nft", DENIED),
        "CSF, legacy": lambda server: csf.protect(server, "legacy", DENIED),
        "CSF + ipset, list, nft": lambda server: _csf_lists("nft", server, large),
        "CSF + ipset, list, legacy": lambda server: _csf_lists("legacy", server, large),
        "ufw": lambda server: distribution.ufw(server, DENIED),
        "firewalld": lambda server: distribution.firewalld(server, DENIED, with_ipset=True),
    }


def _csf_lists(flavour: csf.Flavour, server: Namespace, count: int) -> None:
    csf.protect(server, flavour, DENIED, with_ipset=True, blocklists=(elsewhere(count),))


@contextmanager
def connected(load: Load) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection through a rule set. Raises OSError where it does not let them connect."""
    with ExitStack() as places:
        client, server = Namespace(), Namespace()
        for namespace in (client, server):
            places.callback(namespace.close)
        join(client, "near", server, "outer")
        client.address("near", f"{CLIENT}/24")
        server.address("outer", f"{SERVER}/24")
        server.ip(f"route add default via {CLIENT}")
        client.knows("near", server.hardware("outer"), SERVER)
        server.knows("outer", client.hardware("near"), CLIENT)
        load(server)
        with server.inside():
            listening = places.enter_context(socket.create_server((SERVER, PORT)))
        with client.inside():
            asking = places.enter_context(socket.create_connection((SERVER, PORT), timeout=5))
        answering = places.enter_context(listening.accept()[0])
        for end in (asking, answering):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            end.settimeout(None)
        yield asking, answering


def turn(ends: tuple[socket.socket, socket.socket]) -> Callable[[], float]:
    """Microseconds of processor time for each of a few hundred transactions."""
    asking, answering = ends

    def transact() -> float:
        ask, hear, answer, receive = asking.send, answering.recv, answering.send, asking.recv
        began = time.clock_gettime_ns(time.CLOCK_THREAD_CPUTIME_ID)
        for _ in range(TRANSACTIONS):
            ask(b"x")
            hear(1)
            answer(b"x")
            receive(1)
        return (time.clock_gettime_ns(time.CLOCK_THREAD_CPUTIME_ID) - began) / TRANSACTIONS / 1e3

    return transact


def targets_of(added: dict[str, float]) -> list[Judged]:
    """Durward beside the smallest rule set, and beside CSF: as it ships, and with the same list by its fastest way."""
    peers = ("CSF, nft", "CSF + ipset, list, nft", "CSF + ipset, list, legacy")
    return [
        Judged(f"added: {OURS} / {SMALLEST}", added[OURS] / added[SMALLEST], SMALLEST_SHARE_MAX),
        *(Judged(f"added: {OURS} / {peer}", added[OURS] / added[peer], CSF_SHARE_MAX) for peer in peers),
    ]


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=61)
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if missing := distribution.missing():
        raise SystemExit(f"not installed: {', '.join(missing)}")
    await_quiet()
    print(command())
    with ExitStack() as places:
        contestants = contest(options.large).items()
        turns = {name: turn(places.enter_context(connected(load))) for name, load in contestants}
        costs = medians(turns, options.rounds)
    added = {name: cost - costs[NOTHING] for name, cost in costs.items()}
    targets = targets_of(added)
    rows = [("microseconds for a transaction", "", "added", "x smallest")]
    rows += [
        (name, f"{cost:.2f}", f"{added[name]:.2f}", f"{added[name] / added[SMALLEST]:.2f}")
        for name, cost in costs.items()
    ]
    print(table(f"{options.large:,} listed networks, {len(DENIED)} blocked addresses", rows))
    print(table("Targets", judgements(targets)))
    write_json(options.json, {"microseconds": costs, "added": added}, targets)


if __name__ == "__main__":
    main()
