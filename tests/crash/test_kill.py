"""Fifty times a process is killed in the middle of an attack: no block is lost, no line is counted twice."""

import contextlib
import random
import time
from collections import Counter
from contextlib import ExitStack

import pytest
from arena.attacker import Attacker
from arena.stamps import Stamps
from tests.attacks.scene import Scene, is_silent
from tests.crash.processes import kill, pid_of
from tests.crash.writer import Writer

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

ROUNDS = 50
NAMES = ("engine", "enforcer", "engine", "enforcer", "supervisor")
SEED = 20_261_123
GUILTY_PER_ROUND = 6  # exactly five failures each: blocked, once
INNOCENT_PER_ROUND = 6  # four failures each: never blocked
PAUSE_SECONDS_MAX = 0.15
STREAM_PORT = 7000


class Crowd:
    """Addresses that are only written about, and the order of their attempts in one round."""

    def __init__(self) -> None:
        self.guilty: list[str] = []
        self.innocent: list[str] = []

    def gather(self, number: int, chance: random.Random) -> list[str]:
        """Give the attempts of one round, mixed."""
        guilty = [f"2001:db8:{number:x}:{place:x}::9" for place in range(1, GUILTY_PER_ROUND // 2 + 1)]
        guilty += [f"203.0.113.{self._host(number, place)}" for place in range(GUILTY_PER_ROUND - len(guilty))]
        innocent = [f"2001:db8:{number:x}:{place + 0x100:x}::9" for place in range(INNOCENT_PER_ROUND)]
        self.guilty += guilty
        self.innocent += innocent
        attempts = guilty * 5 + innocent * 4
        chance.shuffle(attempts)
        return attempts

    def _host(self, number: int, place: int) -> int:
        return 50 + number * (GUILTY_PER_ROUND // 2) + place


def subject_of(address: str) -> str:
    return address.replace("::9", "::/64") if ":" in address else address


def test_whatever_is_killed_nothing_is_lost_and_nothing_is_counted_twice() -> None:
    chance = random.Random(SEED)
    crowd = Crowd()
    with Scene() as scene, ExitStack() as streams:
        writer = Writer(scene.door)
        blocked = [scene.at("198.51.100.7"), scene.at("2001:db8:2::9")]
        stamps = [
            streams.enter_context(Stamps(attacker, STREAM_PORT + place, rate_per_second=100.0))
            for place, attacker in enumerate(blocked)
        ]
        assert all(stream.wait_until_passing(True) for stream in stamps)
        block_for_good(scene, writer, blocked)
        assert all(stream.wait_until_passing(False) for stream in stamps)
        shut_at = time.monotonic()
        for number in range(ROUNDS):
            one_round(scene, writer, crowd.gather(number, chance), NAMES[number % len(NAMES)], chance)
        await_all(scene, crowd)
        for stream in stamps:
            passed = [stamp for stamp in stream.stamps() if stamp.sent_at > shut_at and stamp.passed_at is not None]
            assert passed == [], "a packet of a blocked address came through"
            assert sum(stamp.sent_at > shut_at for stamp in stream.stamps()) > 500
        assert all(is_silent(attacker) for attacker in blocked)
        assert_counted_once(scene, crowd, blocked)


def block_for_good(scene: Scene, writer: Writer, attackers: list[Attacker]) -> None:
    for attacker in attackers:
        writer.fail([attacker.address] * 5)
        scene.await_block(attacker.address)


def one_round(scene: Scene, writer: Writer, attempts: list[str], name: str, chance: random.Random) -> None:
    """Write a round's attempts in pieces; somewhere among them the process dies."""
    cuts = sorted(chance.sample(range(1, len(attempts)), 5))
    pieces = [attempts[start:end] for start, end in zip([0, *cuts], [*cuts, len(attempts)], strict=True)]
    deadly = chance.randrange(len(pieces))
    for place, piece in enumerate(pieces):
        writer.fail(piece)
        time.sleep(chance.uniform(0, PAUSE_SECONDS_MAX))
        if place == deadly:
            kill(scene, name)
            if name == "supervisor":
                start_again(scene)


def start_again(scene: Scene) -> None:
    """What systemd would do. The children of the dead supervisor end by themselves."""
    scene.wait(lambda: pid_of(scene, "engine") is None and pid_of(scene, "enforcer") is None, "its children end")
    with contextlib.suppress(OSError):
        scene.durward._process.wait(1)  # type: ignore[union-attr]
    scene.durward.start()


def await_all(scene: Scene, crowd: Crowd) -> None:
    """Wait until everything is up and every line was read: then all who are to be blocked are."""
    subjects = {subject_of(address) for address in crowd.guilty}

    def all_listed() -> bool:
        return subjects <= {line["subject"] for line in scene.lines("list", "blocked")}

    scene.wait(all_listed, "everybody who is guilty is blocked", 30.0)


def assert_counted_once(scene: Scene, crowd: Crowd, others: list[Attacker]) -> None:
    log = scene.log()
    blocks = Counter(entry["subject"] for entry in log if entry["verdict"] == "block")
    guilty = {subject_of(address) for address in crowd.guilty} | {
        scene.layer(attacker.address)["subject"] for attacker in others
    }
    assert blocks == dict.fromkeys(guilty, 1)
    assert not {subject_of(address) for address in crowd.innocent} & set(blocks)
    for address in crowd.guilty[:: len(crowd.guilty) // 40]:
        layer = scene.layer(address)
        assert (layer["count"], layer["in_kernel"]) == (5, True)
        lines = [line["position"] for line in layer["evidence"]]
        assert len(set(lines)) == 5
        assert all(address in line["text"] for line in layer["evidence"])
    for address in crowd.innocent[:: len(crowd.innocent) // 40]:
        assert scene.count_of(address) == 4, f"{address} failed four times"
    kernel = scene.door.run(["nft", "list", "table", "inet", "durward"], check=True).stdout
    missing = {subject for subject in guilty if subject.partition("/")[0] not in kernel}
    assert missing == set()
