"""No gap: not one packet gets in while the firewall is applied again and again and the daemons come and go."""

import os
import re
import signal
from collections.abc import Iterator

import pytest
from tests.attacks.firewalled import Firewalled
from tests.attacks.test_firewall import without_elements
from tests.crash.pressed import FOREIGN, apply_again, begin_again, came, got_in, pressed, reports
from tests.crash.processes import kill, pid_of

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

APPLIES, STARTS = 60, 16  # bench/gap.py has more of both
BLOCKED_KINDS = 8  # of packets, that must not get in


@pytest.fixture
def scene() -> Iterator[Firewalled]:
    with Firewalled() as scene:
        yield scene


def test_nothing_gets_in_while_the_firewall_is_applied(scene: Firewalled) -> None:
    with pressed(scene) as pressure:
        for turn in range(APPLIES):
            apply_again(scene, turn)
        counts = pressure.counts()
    assert got_in(counts) == {}
    assert came(counts) > 10_000
    assert min(counts["open4"].got_in, counts["open6"].got_in) > 100


def test_nothing_gets_in_while_the_daemons_come_and_go(scene: Firewalled) -> None:
    with pressed(scene) as pressure:
        for turn in range(STARTS):
            begin_again(scene, turn)
        counts = pressure.counts()
    assert got_in(counts) == {}
    assert came(counts) > 10_000
    assert min(counts["open4"].got_in, counts["open6"].got_in) > 100


def test_a_start_after_a_stop_needs_no_engine_to_refuse_the_blocked(scene: Firewalled) -> None:
    with pressed(scene) as pressure:
        engine = pid_of(scene, "engine")
        assert engine is not None
        scene.does("stop")
        scene.wait(lambda: len(got_in(pressure.counts())) == BLOCKED_KINDS, "everything gets in")
        os.kill(engine, signal.SIGSTOP)
        try:
            scene.does("start")
            before = pressure.counts()
            scene.wait(lambda: came(pressure.counts()) > came(before) + 1000, "more came")
            assert got_in(pressure.counts()) == got_in(before)
        finally:
            os.kill(engine, signal.SIGCONT)


def test_an_enforcer_with_other_sets_takes_the_blocks_over(scene: Firewalled) -> None:
    """As after an upgrade with another skeleton: the next enforcer makes the table anew, and no engine is there."""
    with pressed(scene) as pressure:
        scene.etc("durward.toml").write_text(
            scene.etc("durward.toml").read_text(encoding="utf-8") + "\n[ipv6]\nblock_prefix = 56\n", encoding="utf-8"
        )
        assert "block6_56" not in scene.table()
        engine = pid_of(scene, "engine")
        assert engine is not None
        os.kill(engine, signal.SIGSTOP)
        try:
            kill(scene, "enforcer")
            scene.wait(lambda: "block6_56" in scene.table(), "the table is made anew")
            before = pressure.counts()
            scene.wait(lambda: came(pressure.counts()) > came(before) + 1000, "more came")
            counts = pressure.counts()
        finally:
            os.kill(engine, signal.SIGCONT)
    assert got_in(counts) == {}


@pytest.fixture(scope="module")
def kept() -> Iterator[Firewalled]:
    """A confirmed firewall that is mended each time."""
    with Firewalled() as scene:
        yield scene


@pytest.mark.parametrize("what", FOREIGN)
def test_what_somebody_else_does_is_mended_and_told(kept: Firewalled, what: str) -> None:
    with pressed(kept) as pressure:
        before, told = sorted(without_elements(kept.table())), len(reports(kept))
        kept.door.run(["nft", "-f", "-"], input=FOREIGN[what], check=True)
        kept.wait(lambda: len(reports(kept)) > told, "it is told")
        kept.wait(lambda: sorted(without_elements(kept.table())) == before, "all rules are there again")
        kept.wait(lambda: kept.durward.ask("status")["protecting"], "the engine has compared what it knows")
        counts = pressure.counts()
        kept.wait(lambda: came(pressure.counts()) > came(counts) + 1000, "more came")
        assert got_in(pressure.counts()) == got_in(counts), "nothing gets in any more"
    (report,) = reports(kept)[told:]
    assert re.search(r"process \d+ \(nft\) changed (rules or sets|elements) of table inet durward", report)
