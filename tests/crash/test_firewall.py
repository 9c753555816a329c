"""The firewall when processes die: the kernel alone lets go of a trial, and what was confirmed is there again."""

import contextlib
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from arena.attacker import Attacker
from arena.network import Network
from arena.stamps import Stamps
from tests.attacks.firewalled import CLOSED, CLOSED_UDP, ELSEWHERE, OPEN, Firewalled, listen, reached_ports
from tests.attacks.scene import is_silent
from tests.crash.processes import kill, pid_of

pytestmark = pytest.mark.kernel

NAMES = ("supervisor", "enforcer", "engine")
OPEN_ONLY, BOTH = [[OPEN], [OPEN]], [[OPEN, CLOSED], [OPEN, CLOSED]]
REFUSED = 3


@pytest.fixture
def scene() -> Iterator[Firewalled]:
    with Firewalled() as scene:
        yield scene


@pytest.fixture
def unapplied() -> Iterator[Firewalled]:
    with Firewalled(begin="off") as scene:
        yield scene


def kill_all(scene: Firewalled) -> None:
    """End every process of durward at once, and see that none is left."""
    found = [pid for name in NAMES if (pid := pid_of(scene, name)) is not None]
    assert len(found) == len(NAMES)
    for pid in found:
        with contextlib.suppress(ProcessLookupError):  # its supervisor took it along
            os.kill(pid, signal.SIGKILL)
    running = scene.durward._process
    assert running is not None
    running.wait(5)
    scene.wait(lambda: all(pid_of(scene, name) is None for name in NAMES), "no process is left")


def test_with_no_process_left_the_kernel_lets_go_of_a_first_trial(unapplied: Firewalled) -> None:
    unapplied.does("apply", "--confirm-within", "2s")
    kill_all(unapplied)
    stranger = unapplied.stranger()
    assert is_silent(stranger, CLOSED)
    unapplied.wait(lambda: unapplied.reaches(stranger, CLOSED), "everything passes again")
    assert all(pid_of(unapplied, name) is None for name in NAMES)
    assert unapplied.reached_ports() == BOTH
    unapplied.durward.start()
    assert (unapplied.firewall(), unapplied.reached_ports()) == ("off", BOTH)
    assert "_a {" not in unapplied.table(), "its remains are cleared away"


def test_with_no_process_left_the_kernel_goes_back_to_what_was_confirmed(scene: Firewalled) -> None:
    scene.set_ports(f"22,{CLOSED}")
    scene.does("apply", "--confirm-within", "2s")
    kill_all(scene)
    stranger = scene.stranger()
    assert is_silent(stranger, OPEN)
    scene.wait(lambda: scene.reaches(stranger, OPEN), "the confirmed firewall decides again")
    assert all(pid_of(scene, name) is None for name in NAMES)
    assert scene.reached_ports() == OPEN_ONLY
    scene.durward.start()
    assert (scene.firewall(), scene.reached_ports()) == ("confirmed", OPEN_ONLY)


def test_what_was_confirmed_outlives_the_enforcer_and_a_new_start_without_a_gap(scene: Firewalled) -> None:
    with Stamps(scene.stranger(), CLOSED_UDP) as four, Stamps(scene.stranger(ipv6=True), CLOSED_UDP) as six:
        first = kill(scene, "enforcer")
        scene.wait(lambda: pid_of(scene, "enforcer") not in (None, first), "the enforcer is there again")
        scene.wait(lambda: scene.durward.ask("status")["firewall"] == "confirmed", "it knows what was confirmed")
        assert scene.reached_ports() == OPEN_ONLY
        assert scene.durward.stop() == 0
        assert scene.reached_ports() == OPEN_ONLY
        scene.durward.start()
        assert (scene.firewall(), scene.reached_ports()) == ("confirmed", OPEN_ONLY)
        for stream in (four, six):
            assert len(stream.stamps()) > 100
            assert stream.last_passed_at() is None


def test_a_trial_goes_on_under_the_next_enforcer_and_knows_who_applied_it(unapplied: Firewalled) -> None:
    unapplied.does("apply")
    first = kill(unapplied, "enforcer")
    unapplied.wait(lambda: pid_of(unapplied, "enforcer") not in (None, first), "the enforcer is there again")
    unapplied.wait(lambda: unapplied.firewall() == "trial", "the trial goes on")
    assert unapplied.types("confirm").returncode == REFUSED
    unapplied.does("confirm", connection=ELSEWHERE)
    assert (unapplied.firewall(), unapplied.reached_ports()) == ("confirmed", OPEN_ONLY)


def test_stopped_stays_stopped_when_the_enforcer_dies(scene: Firewalled) -> None:
    scene.does("stop")
    first = kill(scene, "enforcer")
    scene.wait(lambda: pid_of(scene, "enforcer") not in (None, first), "the enforcer is there again")
    scene.wait(lambda: scene.firewall() == "stopped", "it keeps to what was said")
    assert (scene.table(), scene.reached_ports()) == ("", BOTH)
    scene.does("start")
    assert (scene.firewall(), scene.reached_ports()) == ("confirmed", OPEN_ONLY)


def test_the_boot_needs_no_process_of_ours(scene: Firewalled) -> None:
    """The text that the boot unit loads decides on another machine, where nothing of durward runs."""
    text = Path(scene.durward.home, "lib", "confirmed.nft").read_text(encoding="utf-8")
    with Network() as network:
        network.run_in(network.door, ["nft", "-f", "-"], input=text, check=True)
        with ExitStack() as places:
            listen(network, places)
            strangers = [Attacker(network, "203.0.113.9"), Attacker(network, "2001:db8:2::9")]
            assert reached_ports(*strangers) == OPEN_ONLY
            network.run_in(network.door, ["nft", "delete", "table", "inet", "durward"], check=True)
            assert reached_ports(*strangers) == BOTH
