"""A local user writes sshd's words with the real `logger`: nobody is blocked, and it is told who did it."""

from collections.abc import Iterator
from typing import Any

import pytest
from arena.forwarding import HANDED_ON
from tests.attacks.scene import Scene

pytestmark = pytest.mark.kernel

VICTIM = "203.0.113.250"
SETTINGS = """\
[firewall]
tcp_in = "22"

[services.sshd]
files = ["/var/log/auth.log"]

[sources]
unexplained = "manual"
unexplained_files = ["/var/log/sys*"]
unexplained_ignored = ["nothing to see: {text}"]
"""
WITHOUT_JOURNAL = SETTINGS.replace("[sources]", "journal = []\n\n[sources]")
FORGED = f"Failed password for root from {VICTIM} port 40022 ssh2"
UID = "64201"


def forge(scene: Scene, times: int, *options: str) -> None:
    """Have alice write it, a line at a time, through whatever socket the options say."""
    for number in range(times):
        words = ["logger", *options, "--priority", "auth.info", "--tag", f"sshd[{7000 + number}]", FORGED]
        scene.door.run(["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", *words], check=True)


def found(scene: Scene, check: str) -> list[str]:
    return [
        f"{one['result']} {one['subject']}: {one['detail']}" for one in scene.lines("doctor") if one["check"] == check
    ]


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with Scene(settings=SETTINGS, log="both") as made:
        yield made


def test_the_real_sshd_still_blocks_though_each_line_comes_twice(scene: Scene) -> None:
    stranger = scene.stranger()
    assert scene.get_blocked(stranger)["count"] == 5


def test_whoever_poses_as_sshd_has_nobody_blocked_and_is_told_of(scene: Scene) -> None:
    forge(scene, 8)
    scene.wait(lambda: bool(found(scene, "forged")), "it is told")
    (told,) = found(scene, "forged")
    assert told.startswith(
        "fail user alice (uid 64201) as sshd: user alice (uid 64201) wrote 8 lines that pose as sshd"
    )
    assert VICTIM in (scene.door.work / "log" / "auth.log").read_text()
    assert scene.count_of(VICTIM) == 0
    assert not scene.is_blocked(VICTIM)


def test_nor_does_whoever_writes_past_the_journal(scene: Scene) -> None:
    forge(scene, 8, "--socket", str(HANDED_ON))
    stranger = scene.stranger()  # whose lines come later
    scene.get_blocked(stranger)
    assert (scene.door.work / "log" / "auth.log").read_text().count(VICTIM) >= 16
    assert scene.count_of(VICTIM) == 0


def test_what_nothing_explains_can_be_seen(scene: Scene) -> None:
    for words in ("disk 12 is full", "disk 7 is full", "nothing to see: 3 times"):
        scene.door.run(["logger", "--priority", "daemon.err", "--tag", "tool", words], check=True)
    scene.wait(lambda: any("disk" in one["sample"] for one in scene.lines("log", "--unexplained")), "it is collected")
    scene.wait(lambda: [one["lines"] for one in unexplained(scene) if "disk" in one["sample"]] == [2], "both are")
    assert not any("nothing to see" in one["sample"] for one in unexplained(scene))
    assert {one["source"] for one in unexplained(scene)} == {"file:/var/log/syslog"}


def unexplained(scene: Scene) -> list[dict[str, Any]]:
    return scene.lines("log", "--unexplained", "--lines", "1000")


def test_whoever_tries_su_is_known_from_the_journal_alone(scene: Scene) -> None:
    asks = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "sh", "-c", "echo wrong | su root -c true"]
    scene.door.run(asks)
    told = "authentication failure; logname= uid=64201"
    scene.wait(lambda: told in scene.door.read_log(), "su has logged")
    scene.wait(lambda: any("su_use" in one["origin"] for one in scene.log()), "it is told")


def test_where_no_journal_tells_the_risk_is_said() -> None:
    with Scene(settings=WITHOUT_JOURNAL) as scene:
        forge(scene, 5)
        scene.await_block(VICTIM)
        (told,) = [one for one in found(scene, "trust") if " file:/var/log/auth.log: " in one]
        assert told.startswith("unknown file:/var/log/auth.log: any account here may write into it")
        (source,) = [one for one in scene.durward.ask("status")["sources"] if one["name"] == "file:/var/log/auth.log"]
        assert source["unproven"] == "whole"
