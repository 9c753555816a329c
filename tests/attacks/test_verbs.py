"""What the verbs promise to scripts: exit statuses, JSON and nothing else with --json, the log as it comes."""

import json
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from arena.network import ROUTER_IPV4
from tests.attacks.scene import PATIENCE_SECONDS, Scene, read_lines

pytestmark = pytest.mark.kernel

DONE, NO, WRONG, REFUSED, NO_ANSWER = range(5)
USELESS = "203.0.113.300"


def test_every_exit_status_has_its_meaning(scene: Scene) -> None:
    stranger = scene.stranger().address
    expected = [
        (DONE, "status"),
        (DONE, "why", stranger),
        (DONE, "block", stranger),
        (NO, "why", stranger),
        (DONE, "list"),
        (DONE, "log"),
        (DONE, "unblock", stranger),
        (NO, "unblock", stranger),
        (NO, "disallow", stranger),
        (NO, "unignore", stranger),
        (NO, "undo", "4000000000"),
        (WRONG, "block", USELESS),
        (WRONG, "block", stranger, "--for", "soon"),
        (WRONG, "block", stranger, "--port", "http"),
        (WRONG, "block", stranger, "--port", "0"),
        (WRONG, "block"),
        (WRONG, "list", "everything"),
        (WRONG, "no-such-verb"),
        (WRONG, "why", USELESS),
        (REFUSED, "block", ROUTER_IPV4),
        (DONE, "check"),
        (DONE, "doctor"),
    ]
    for status, *words in expected:
        done = scene.durward.command(*words)
        assert done.returncode == status, f"{words}: {done.returncode} {done.stdout}{done.stderr}"


def test_wrong_words_change_nothing(scene: Scene) -> None:
    before = scene.log()
    for words in ((USELESS,), ("203.0.113.9", "--for", "-5s"), ("203.0.113.9", "--port", "99999"), ("fe80::1%eth0",)):
        done = scene.durward.command("block", *words, "--json")
        assert (done.returncode, done.stdout) == (WRONG, ""), words
        assert done.stderr
        assert "Traceback" not in done.stderr
    assert scene.log() == before


def test_json_is_all_that_is_printed(scene: Scene) -> None:
    stranger = scene.stranger().address
    objects = [
        ("status",),
        ("why", stranger),
        ("block", stranger),
        ("unblock", stranger),
        ("allow", stranger),
        ("disallow", stranger),
        ("ignore", stranger),
        ("unignore", stranger),
        ("check",),
    ]
    for words in objects:
        done = scene.durward.command(*words, "--json")
        assert done.returncode == DONE, (words, done.stderr)
        assert done.stdout.count("\n") == 1, words
        assert isinstance(json.loads(done.stdout), dict)
    for words in (("list", "blocked"), ("list", "allowed"), ("list", "ignored"), ("log",), ("doctor",)):
        for entry in read_lines(scene.durward.command(*words, "--json").stdout):
            assert isinstance(entry, dict), words


def test_what_is_enforced_is_said_of_every_change(scene: Scene) -> None:
    stranger = scene.stranger().address
    for verb in ("block", "unblock", "allow", "disallow", "ignore", "unignore"):
        reply = scene.durward.ask(verb, stranger)
        assert reply["enforced"] is True, verb
        assert reply["subject"] == stranger
    assert "no word" not in scene.durward.said(), "the enforcer understood everything"


def test_the_log_tells_what_was_decided_in_order(scene: Scene) -> None:
    stranger = scene.stranger().address
    for verb in ("block", "unblock", "allow", "disallow", "ignore", "unignore"):
        scene.durward.ask(verb, stranger)
    mine = [entry for entry in scene.log() if entry["subject"] == stranger]
    assert [entry["verdict"] for entry in mine] == ["block", "unblock", "allow", "disallow", "ignore", "unignore"]
    numbers = [entry["decision"] for entry in scene.log()]
    assert numbers == sorted(set(numbers))
    assert len(scene.lines("log", "-n", "2")) == 2


def test_the_log_is_followed_as_decisions_come(scene: Scene) -> None:
    attacker = scene.stranger()
    following = scene.door.popen(
        [Path(sys.executable).with_name("durward"), "log", "--follow", "-n", "1", "--json"],
        env=scene.durward._environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert next_line(following)["decision"] == scene.log()[-1]["decision"]
        scene.fail(attacker, 5)
        entry = next_line(following)
        assert (entry["subject"], entry["verdict"]) == (attacker.address, "block")
    finally:
        following.terminate()
        following.wait(5)
        following.stdout.close()


def next_line(following: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Give what comes next on its output, which must not wait for a buffer to be full."""
    assert following.stdout is not None
    assert select.select([following.stdout], [], [], PATIENCE_SECONDS)[0], "nothing came"
    return dict(json.loads(following.stdout.readline()))


def test_list_gives_what_stands(scene: Scene) -> None:
    stranger = scene.stranger().address
    made = scene.durward.ask("block", stranger, "--port", "443", "--for", "1h", "--reason", "an example")
    (entry,) = [entry for entry in scene.lines("list", "blocked") if entry["subject"] == stranger]
    assert {name: entry[name] for name in ("ports", "direction", "decision", "receipt", "reason", "until")} == {
        "ports": "443",
        "direction": "in",
        "decision": made["decision"],
        "receipt": made["receipt"],
        "reason": "an example",
        "until": made["until"],
    }


def test_a_stopped_durward_does_not_answer_and_keeps_its_blocks() -> None:
    with Scene() as scene:
        stranger = scene.stranger()
        scene.durward.ask("block", stranger.address)
        assert scene.durward.stop() == 0
        for words in (("status",), ("why", stranger.address), ("unblock", stranger.address), ("list",), ("log",)):
            done = scene.durward.command(*words, "--json")
            assert (done.returncode, done.stdout) == (NO_ANSWER, ""), words
            assert "durward run" in done.stderr
        assert not stranger.can_connect(timeout_seconds=0.5), "stopped, the kernel still holds the block"
        scene.durward.start()
        assert scene.is_blocked(stranger.address)
