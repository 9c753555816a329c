"""A log daemon that dies is noticed by a line that does not arrive, and so is its coming back."""

import pytest
from arena.host import Log
from tests.attacks.scene import Scene

pytestmark = pytest.mark.kernel

SETTINGS = """\
[firewall]
tcp_in = "22"

[sources]
syslog_check = "2s"

[services.sshd]
"""
FROM = {"syslog": 'files = ["/var/log/auth.log"]\njournal = []\n', "journal": "files = []\n"}
SOURCE = {"syslog": "file:/var/log/auth.log", "journal": "journal"}


def told(scene: Scene) -> list[str]:
    """What `status` says of the log."""
    return [line for line in scene.durward.ask("status")["degraded"] if "what services log" in line]


def found(scene: Scene) -> list[str]:
    """What `doctor` says of it: result and words."""
    return [f"{one['result']}: {one['detail']}" for one in scene.lines("doctor") if one["check"] == "syslog"]


@pytest.mark.parametrize("log", ["syslog", "journal"])
def test_a_log_daemon_that_dies_is_told_until_it_works_again(log: Log) -> None:
    with Scene(settings=SETTINGS + FROM[log], log=log) as scene:
        passed = [f"pass: what is written arrives in {SOURCE[log]}"]
        scene.wait(lambda: found(scene) == passed, "the line arrives")
        assert told(scene) == []
        scene.door.log.stop()
        scene.wait(lambda: bool(told(scene)), "it is told that nothing arrives", 12.0)
        assert found(scene)[0].startswith("fail: ")
        assert scene.durward.said().count("what services log") == 1
        scene.door.log.start()
        scene.wait(lambda: found(scene) == passed, "the line arrives again", 12.0)
        assert told(scene) == []
        assert "arrives again" in scene.durward.said()
        assert scene.log() == []
