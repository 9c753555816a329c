"""The firewall in a real kernel, with a real client: on trial, confirmed, rolled back, found again after a start."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.kernel.firewall.probes import probe
from tests.kernel.hosts import CLIENT, CLIENT6, SERVER, SERVER6, Pair
from tests.ruleset.laboratory import LABORATORY

from durward.catalog.traffic import parse_ports
from durward.privileged import firewall as firewall_module
from durward.privileged.failure import KernelError
from durward.privileged.firewall import CONFIRMED, TRIAL, FirewallError, KernelFirewall
from durward.privileged.loading import load, run_nft, unload
from durward.ruleset.firewall import firewall
from durward.ruleset.policy import Policy, Ports
from durward.ruleset.skeleton import skeleton
from durward.ruleset.switch import Firewall, Generation

pytestmark = pytest.mark.kernel

WAYS = [(CLIENT, SERVER), (CLIENT6, SERVER6)]
HERE, ELSEWHERE = "203.0.113.9 40022 192.0.2.1 22", "203.0.113.9 40023 192.0.2.1 22"
TRIAL_SECONDS = 60
EXPIRY_SECONDS_MAX = 5.0  # a trial of one second is over well before


class Keeping:
    """A server whose kernel firewall is kept in `directory`, and a client that tries its ports."""

    def __init__(self, pair: Pair, directory: Path) -> None:
        self.pair, self.directory = pair, directory
        self.kept = KernelFirewall(directory, skeleton())

    def apply(self, ports: str, seconds: int = TRIAL_SECONDS, connection: str = HERE) -> None:
        self.kept.apply(self.made(ports), seconds, connection, time.monotonic())

    def confirm(self, connection: str = ELSEWHERE) -> None:
        self.kept.confirm(connection, time.monotonic())

    def made(self, ports: str, generation: Generation | None = None) -> Firewall:
        generation = generation or self.kept.next_generation()
        allowed = Ports(tcp4=parse_ports(ports), tcp6=parse_ports(ports))
        policy = Policy(inbound=allowed, ssh_ports=(), spoofing=LABORATORY)
        return Firewall.marked(generation, firewall(policy, generation))

    def start_anew(self) -> None:
        """What the next enforcer does."""
        self.kept = KernelFirewall(self.directory, skeleton())
        load(skeleton())
        self.kept.restore(time.monotonic())

    def state(self) -> str:
        return self.kept.state(time.monotonic())

    def open_ports(self, *ports: int) -> list[list[int]]:
        """Which of these ports pass, for each family; all are tried at once."""
        with ThreadPoolExecutor(len(WAYS) * len(ports)) as people:
            asked = [
                [people.submit(probe, "tcp", self.pair.client, source, to, port, "silent") for port in ports]
                for source, to in WAYS
            ]
        return [
            [port for port, one in zip(ports, answers, strict=True) if one.result() == "passes"] for answers in asked
        ]

    def passes_only(self, *ports: int) -> bool:
        """Whether, of 80, 81 and 82, exactly these pass, over IPv4 and IPv6."""
        return self.open_ports(80, 81, 82) == [list(ports), list(ports)]

    def await_expiry(self) -> None:
        """Wait until the kernel has let go of the trial; nobody helps it."""
        until = time.monotonic() + EXPIRY_SECONDS_MAX
        while "expires" in self.pair.server.run("nft", "list", "set", "inet", "durward", "trial"):
            assert time.monotonic() < until
            time.sleep(0.05)


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.close()


@pytest.fixture
def keeping(pair: Pair, tmp_path: Path) -> Iterator[Keeping]:
    with pair.server.inside():
        load(skeleton())
        yield Keeping(pair, tmp_path)
        unload()


def test_before_anything_is_applied_everything_passes(keeping: Keeping) -> None:
    keeping.start_anew()
    assert keeping.state() == "off"
    assert keeping.passes_only(80, 81, 82)
    assert (keeping.kept.next_generation(), keeping.kept.trial_seconds(time.monotonic())) == ("a", 0)


def test_a_first_trial_decides_and_then_everything_passes_again_by_itself(keeping: Keeping) -> None:
    keeping.apply("80", seconds=1)
    assert keeping.state() == "trial"
    assert probe("tcp", keeping.pair.client, CLIENT, SERVER, 81, "silent") == "silent"
    keeping.await_expiry()
    assert keeping.passes_only(80, 81, 82)


def test_a_trial_beside_one_that_is_kept_falls_back_to_it(keeping: Keeping) -> None:
    keeping.apply("80")
    keeping.confirm()
    keeping.apply("81", seconds=1)
    assert probe("tcp", keeping.pair.client, CLIENT6, SERVER6, 81) == "passes"
    keeping.await_expiry()
    assert keeping.passes_only(80)


def test_what_is_over_is_cleared_away_once(keeping: Keeping) -> None:
    keeping.apply("80", seconds=5)
    now = time.monotonic()
    assert not keeping.kept.tick(now)
    assert keeping.kept.tick(now + 6)
    assert not keeping.kept.tick(now + 7)
    assert keeping.state() == "off"
    assert keeping.passes_only(80, 81, 82)
    assert not (keeping.directory / TRIAL).exists()


def test_from_the_same_connection_nothing_is_confirmed(keeping: Keeping) -> None:
    keeping.apply("80")
    with pytest.raises(FirewallError, match="new connection"):
        keeping.confirm(HERE)
    assert keeping.state() == "trial"
    keeping.confirm(ELSEWHERE)
    assert keeping.state() == "confirmed"
    assert keeping.passes_only(80)


def test_at_a_console_there_is_no_connection_to_compare(keeping: Keeping) -> None:
    keeping.apply("80", connection="")
    keeping.confirm("")
    assert keeping.state() == "confirmed"


def test_what_nobody_applied_is_neither_confirmed_nor_rolled_back(keeping: Keeping) -> None:
    with pytest.raises(FirewallError, match="no firewall on trial"):
        keeping.confirm()
    with pytest.raises(FirewallError, match="no firewall on trial"):
        keeping.kept.rollback()
    keeping.apply("80", seconds=5)
    with pytest.raises(FirewallError, match="no firewall on trial"):
        keeping.kept.confirm(ELSEWHERE, time.monotonic() + 6)
    assert keeping.state() == "off"


def test_rolled_back_is_as_before(keeping: Keeping) -> None:
    keeping.apply("80")
    keeping.confirm()
    keeping.apply("81")
    assert keeping.passes_only(81)
    keeping.kept.rollback()
    assert (keeping.state(), keeping.passes_only(80)) == ("confirmed", True)


def test_generations_alternate_and_a_second_trial_takes_the_place_of_the_first(keeping: Keeping) -> None:
    seen = []
    for port in ("80", "81", "82"):
        seen.append(keeping.kept.next_generation())
        keeping.apply("22")
        keeping.apply(port)
        keeping.confirm()
    assert seen == ["a", "b", "a"]
    assert keeping.passes_only(82)


def test_what_the_kernel_refuses_changes_nothing(keeping: Keeping) -> None:
    keeping.apply("80")
    keeping.confirm()
    broken = Firewall.marked("b", keeping.made("81", "b").text + "table inet durward { chain input_b { nonsense; }; }")
    with pytest.raises(KernelError, match="nft refused"):
        keeping.kept.apply(broken, 60, HERE, time.monotonic())
    assert keeping.state() == "confirmed"
    assert keeping.passes_only(80)
    assert [path.name for path in keeping.directory.iterdir()] == [CONFIRMED]


def test_what_cannot_be_written_is_not_confirmed_and_the_trial_goes_on(keeping: Keeping) -> None:
    keeping.apply("80")
    (keeping.directory / CONFIRMED).mkdir()
    (keeping.directory / CONFIRMED / "something").touch()
    with pytest.raises(KernelError, match=r"confirmed.nft cannot be written"):
        keeping.confirm()
    assert keeping.state() == "trial"
    keeping.kept.rollback()
    assert keeping.passes_only(80, 81, 82)


def test_the_next_enforcer_finds_what_was_confirmed(keeping: Keeping) -> None:
    keeping.apply("80")
    keeping.confirm()
    keeping.start_anew()
    assert (keeping.state(), keeping.kept.next_generation()) == ("confirmed", "b")
    assert keeping.passes_only(80)
    unload()
    assert keeping.passes_only(80, 81, 82)
    keeping.start_anew()
    assert keeping.passes_only(80)


def test_the_next_enforcer_leaves_counters_alone(keeping: Keeping) -> None:
    keeping.apply("80")
    keeping.confirm()
    assert keeping.passes_only(80)
    before = keeping.pair.server.run("nft", "-a", "list", "chain", "inet", "durward", "input_a")
    keeping.start_anew()
    assert keeping.pair.server.run("nft", "-a", "list", "chain", "inet", "durward", "input_a") == before


def test_the_next_enforcer_goes_on_with_a_trial(keeping: Keeping) -> None:
    keeping.apply("80")
    keeping.start_anew()
    assert keeping.state() == "trial"
    assert 0 < keeping.kept.trial_seconds(time.monotonic()) <= TRIAL_SECONDS
    with pytest.raises(FirewallError, match="new connection"):
        keeping.confirm(HERE)
    keeping.confirm(ELSEWHERE)
    assert keeping.passes_only(80)


def test_a_trial_that_ended_meanwhile_is_over(keeping: Keeping) -> None:
    keeping.apply("80")
    keeping.kept = KernelFirewall(keeping.directory, skeleton())
    keeping.kept.restore(time.monotonic() + TRIAL_SECONDS + 1)
    assert keeping.state() == "off"
    assert keeping.passes_only(80, 81, 82)


def test_a_trial_of_another_boot_is_over(keeping: Keeping, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keeping.apply("80")
    (tmp_path / "boot").write_text("another\n")
    monkeypatch.setattr(firewall_module, "BOOT_PATH", tmp_path / "boot")
    keeping.start_anew()
    assert keeping.state() == "off"
    assert keeping.passes_only(80, 81, 82)
    assert not (keeping.directory / TRIAL).exists()


def test_what_died_between_kernel_and_file_lets_everything_pass_again(keeping: Keeping) -> None:
    keeping.apply("80")
    (keeping.directory / TRIAL).unlink()
    keeping.start_anew()
    assert (keeping.state(), keeping.passes_only(80, 81, 82)) == ("off", True)


@pytest.mark.parametrize("text", ["", "{", "[]", "[1, 2]", "null", '["a", "b", "c"]', "\0" * 100, "# durward firewall"])
def test_files_that_make_no_sense_are_none(keeping: Keeping, text: str) -> None:
    for name in (CONFIRMED, TRIAL):
        (keeping.directory / name).write_text(text)
    keeping.start_anew()
    assert keeping.state() == "off"
    keeping.apply("80")
    keeping.confirm()
    assert keeping.passes_only(80)


@pytest.mark.parametrize("how", ["foreign", "link", "fifo"])
def test_a_file_that_somebody_else_put_there_is_not_read(keeping: Keeping, how: str) -> None:
    keeping.apply("80")
    keeping.confirm()
    path = keeping.directory / CONFIRMED
    if how == "foreign":
        os.chown(path, 65534, 65534)
    elif how == "link":
        path.rename(keeping.directory / "elsewhere")
        path.symlink_to("elsewhere")
    else:
        path.unlink()
        os.mkfifo(path)
    assert KernelFirewall(keeping.directory, skeleton()).state(time.monotonic()) == "off"


def test_off_is_off_and_blocks_stay(keeping: Keeping) -> None:
    run_nft(f"add element inet durward block4_32 {{ {CLIENT} }}\n")
    keeping.apply("80")
    keeping.confirm()
    keeping.kept.off()
    assert keeping.open_ports(80, 81) == [[], [80, 81]]
    keeping.start_anew()
    assert keeping.state() == "off"
    assert keeping.open_ports(80, 81) == [[], [80, 81]]


def test_a_reload_brings_back_what_somebody_took_out(keeping: Keeping) -> None:
    keeping.apply("80")
    keeping.confirm()
    keeping.pair.server.run("nft", "flush", "chain", "inet", "durward", "input_a")
    assert not keeping.passes_only(80)
    keeping.kept.restore(time.monotonic(), reload=True)
    assert keeping.passes_only(80)


def test_the_boot_loads_it_with_nft_alone(keeping: Keeping) -> None:
    """A fresh kernel, no Python: what `durward-restore.service` does, and once more, as when it is restarted."""
    keeping.apply("81")
    keeping.confirm()
    keeping.apply("80")
    keeping.confirm()
    fresh = Pair()
    try:
        with fresh.server.inside():
            for _ in range(2):
                subprocess.run(["nft", "--file", keeping.directory / CONFIRMED], check=True, timeout=30)
        booted = Keeping(fresh, keeping.directory)
        assert booted.passes_only(80)
        with fresh.server.inside():
            booted.start_anew()
        assert (booted.state(), booted.passes_only(80)) == ("confirmed", True)
    finally:
        fresh.close()


def test_the_clock_may_be_set_while_a_trial_is_on(keeping: Keeping) -> None:
    """What is written down names no time of day, only how long this boot has lasted."""
    keeping.apply("80")
    ends_at = json.loads((keeping.directory / TRIAL).read_text())[3]
    assert time.monotonic() < ends_at <= time.monotonic() + TRIAL_SECONDS
