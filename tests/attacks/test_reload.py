"""reload: the daemons that run begin again with the settings as they are now, and nothing gets through meanwhile."""

from collections.abc import Iterator

import pytest
from tests.attacks.scene import FROM_LOG, SETTINGS, Scene, is_silent

pytestmark = pytest.mark.kernel

FEWER = 2


@pytest.fixture
def scene() -> Iterator[Scene]:
    with Scene(settings=SETTINGS + FROM_LOG) as scene:
        yield scene


def test_a_detectors_setting_holds_after_reload_and_blocks_hold_meanwhile(scene: Scene) -> None:
    blocked, attacker = scene.stranger(), scene.stranger()
    scene.durward.command("block", blocked.address)
    before = {one["name"]: one["pid"] for one in scene.durward.ask("status")["processes"]}
    told = scene.durward.command("config", "set", f"detectors.brute_force.count={FEWER}")
    assert "durward reload" in told.stdout
    done = scene.durward.command("reload", "--json", timeout_seconds=40.0)
    assert done.returncode == 0, (done.stderr, scene.durward.said())
    after = {one["name"]: one["pid"] for one in scene.durward.ask("status")["processes"]}
    assert after.keys() == before.keys()
    assert not set(after.values()) & set(before.values())
    assert is_silent(blocked)
    scene.fail(attacker, FEWER)
    scene.await_block(attacker.address)
    assert scene.layer(attacker.address)["threshold"] == FEWER


def test_settings_with_a_mistake_change_nothing(scene: Scene) -> None:
    before = scene.durward.ask("status")["processes"]
    text = scene.etc("durward.toml").read_text()
    scene.etc("durward.toml").write_text(text + "\n[detectors.brute_force]\ncuont = 3\n")
    done = scene.durward.command("reload")
    assert done.returncode == 2
    assert "did you mean" in done.stderr
    after = scene.durward.ask("status")["processes"]
    assert [one["pid"] for one in after] == [one["pid"] for one in before]
