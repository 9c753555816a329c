"""Wrong settings are named with file, line, key and what was meant; and a protection that runs goes on as it was."""

import json
import signal

import pytest
from tests.attacks.scene import FROM_LOG, SETTINGS, Scene, is_silent
from tests.crash.processes import pid_of
from tests.crash.writer import Writer

pytestmark = pytest.mark.kernel

WRONG = {
    "a key that is not known": ("[detectors.brute_force]\ncuont = 3\n", "count", 7),
    "a table that is not known": ("[detectors.brute_froce]\ncount = 3\n", "brute_force", 6),
    "a value of the wrong kind": ('[detectors.brute_force]\ncount = "many"\n', "count", 7),
    "a duration that is none": ('[detectors.brute_force]\nwithin = "soon"\n', "within", 7),
    "no TOML at all": ("[detectors.brute_force\n", "", 6),
}


def write(scene: Scene, addition: str) -> None:
    scene.etc("durward.toml").write_text(SETTINGS + FROM_LOG + addition, encoding="utf-8")


def test_a_mistake_is_named_and_harms_no_protection_that_runs(scene: Scene) -> None:
    writer = Writer(scene.door)
    supervisor = pid_of(scene, "supervisor")
    first = scene.stranger()
    writer.fail([first.address] * 5)
    scene.await_block(first.address)
    for name, (addition, key, line) in WRONG.items():
        write(scene, addition)
        for verb in ("check", "run"):
            done = scene.durward.command(verb)
            said = done.stdout + done.stderr
            assert done.returncode == 2, (name, verb, said)
            assert f"durward.toml:{line}" in said, (name, verb, said)
            assert key in said, (name, verb, said)
            assert "Traceback" not in said
        problems = json.loads(scene.durward.command("check", "--json").stdout)
        assert problems["right"] is False
        assert scene.durward._process is not None
        scene.durward._process.send_signal(signal.SIGHUP)
        another = scene.stranger()
        writer.fail([another.address] * 5)
        scene.wait(lambda: scene.durward.command("status").returncode == 0, f"it protects in spite of {name}")
        scene.await_block(another.address)
        assert is_silent(another)
        assert pid_of(scene, "supervisor") == supervisor, scene.durward.said()
    assert is_silent(first)


def test_right_settings_are_taken_over_by_a_hangup(scene: Scene) -> None:
    writer, cautious = Writer(scene.door), scene.stranger()
    engine = pid_of(scene, "engine")
    write(scene, "\n[detectors.brute_force]\ncount = 3\n")
    assert scene.durward._process is not None
    scene.durward._process.send_signal(signal.SIGHUP)
    scene.wait(lambda: pid_of(scene, "engine") not in (None, engine), "the engine begins anew")
    scene.wait(lambda: scene.durward.command("status").returncode == 0, "and answers")
    writer.fail([cautious.address] * 3)
    scene.await_block(cautious.address)
    assert scene.layer(cautious.address)["threshold"] == 3


def test_without_any_settings_it_protects() -> None:
    with Scene(settings="") as scene:
        attacker = scene.stranger()
        scene.get_blocked(attacker)
        assert is_silent(attacker)
