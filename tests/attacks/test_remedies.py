"""What is done about an attack short of blocking all of it: throttled, its ports closed, or only written down."""

from collections.abc import Iterator

import pytest
from arena.attacker import Answer, Attacker
from arena.network import DOOR_IPV4
from tests.attacks.scene import FROM_LOG, SETTINGS, Scene, is_silent

pytestmark = pytest.mark.kernel
FAMILIES = pytest.mark.parametrize("ipv6", [False, True], ids=["IPv4", "IPv6"])
OTHER = 23  # nobody listens there, so whatever gets through is refused
BURST = 6


def settings(detector: str, *, more: str = "") -> str:
    return f"{SETTINGS}{FROM_LOG}{more}\n[detectors.brute_force]\n{detector}\n"


@pytest.fixture(scope="module")
def throttling() -> Iterator[Scene]:
    with Scene(settings=settings('remedy = "throttle"')) as scene:
        yield scene


@pytest.fixture(scope="module")
def closing() -> Iterator[Scene]:
    with Scene(settings=settings('remedy = "ports"')) as scene:
        yield scene


@pytest.fixture(scope="module")
def watching() -> Iterator[Scene]:
    with Scene(settings=settings('mode = "shadow"')) as scene:
        yield scene


def layers(scene: Scene, subject: str, name: str) -> list[dict[str, object]]:
    return [layer for layer in scene.why(subject)["layers"] if layer["layer"] == name and "decision" in layer]


def answers(attacker: Attacker, times: int) -> list[Answer]:
    return [attacker.knock(OTHER, 0.3) for _ in range(times)]


def get_throttled(scene: Scene, attacker: Attacker) -> None:
    scene.fail(attacker, 5)
    scene.wait(lambda: bool(layers(scene, attacker.address, "throttle")), f"{attacker.address} is throttled")


@FAMILIES
def test_the_throttled_begin_little_anew_and_keep_what_they_have(throttling: Scene, ipv6: bool) -> None:
    stranger = throttling.stranger(ipv6=ipv6)
    with stranger.connect(22) as connection:
        assert connection.recv(4) == b"SSH-"
        get_throttled(throttling, stranger)
        knocks = answers(stranger, BURST + 2)
        assert knocks[:BURST] == [Answer.REFUSED] * BURST
        assert Answer.NO_ANSWER in knocks[BURST:]
        connection.settimeout(5.0)
        connection.sendall(b"SSH-2.0-durward_test\r\n")
        assert len(connection.recv(4096)) > 0
    (layer,) = layers(throttling, stranger.address, "throttle")
    assert (layer["throttled"], layer["blocked"], layer["limit"]) == (True, False, "6/m burst 6 per source")
    assert layer["packets"] > 0
    assert len(layer["evidence"]) == 5
    assert layer["undo"] == f"durward unblock {layer['subject']}"
    page = throttling.durward.command("why", stranger.address)
    assert page.returncode == 0
    assert "is throttled" in page.stdout
    assert "what it begins anew: 6/m" in page.stdout
    assert layer["subject"] in {entry["subject"] for entry in throttling.lines("list", "throttled")}
    assert layer["subject"] not in {entry["subject"] for entry in throttling.lines("list", "blocked")}
    assert throttling.durward.ask("status")["throttles"] >= 1
    assert throttling.durward.ask("unblock", stranger.address)["enforced"] is True
    assert answers(stranger, 2 * BURST) == [Answer.REFUSED] * 2 * BURST
    assert layers(throttling, stranger.address, "throttle") == []


def test_whoever_goes_on_while_throttled_is_blocked(throttling: Scene) -> None:
    stranger = throttling.stranger()
    get_throttled(throttling, stranger)
    assert throttling.fail(stranger, 5)[:4] == [Answer.WRONG_PASSWORD] * 4
    throttling.await_block(stranger.address)
    assert is_silent(stranger)
    assert [past["verdict"] for past in throttling.why(stranger.address)["history"]] == ["block", "throttle"]
    assert throttling.durward.ask("unblock", stranger.address)["enforced"] is True
    assert [layer for layer in throttling.why(stranger.address)["layers"] if "decision" in layer] == []
    assert answers(stranger, 2 * BURST) == [Answer.REFUSED] * 2 * BURST


def test_a_throttle_is_there_after_a_restart_and_after_the_table_was_lost(throttling: Scene) -> None:
    stranger = throttling.stranger()
    get_throttled(throttling, stranger)
    throttling.durward.stop()
    assert Answer.NO_ANSWER in answers(stranger, BURST + 2), "it holds while nobody runs"
    throttling.door.run(["nft", "delete", "table", "inet", "durward"], check=True)
    throttling.durward.start()
    throttling.wait(
        lambda: bool(layers(throttling, stranger.address, "throttle")[0]["in_kernel"]), "the kernel has it again"
    )
    assert Answer.NO_ANSWER in answers(stranger, BURST + 2)
    throttling.fail(stranger, 5)
    assert throttling.durward.ask("unblock", stranger.address)["enforced"] is True


def test_what_was_lifted_while_the_enforcer_was_away_is_gone(throttling: Scene) -> None:
    stranger = throttling.stranger()
    get_throttled(throttling, stranger)
    number = layers(throttling, stranger.address, "throttle")[0]["decision"]
    assert throttling.durward.ask("undo", str(number))["undone"] == number
    assert answers(stranger, 2 * BURST) == [Answer.REFUSED] * 2 * BURST


@FAMILIES
def test_an_administrator_is_not_throttled_from_where_he_is_logged_in(throttling: Scene, ipv6: bool) -> None:
    desk = throttling.stranger(ipv6=ipv6)
    with desk.open_session("root"):
        throttling.fail(desk, 6, user="bob")
        throttling.wait(lambda: any("refused" in one for one in throttling.why(desk.address)["history"]), "it is told")
        assert answers(desk, 2 * BURST) == [Answer.REFUSED] * 2 * BURST


@FAMILIES
def test_only_the_way_to_the_service_is_closed(closing: Scene, ipv6: bool) -> None:
    stranger = closing.stranger(ipv6=ipv6)
    layer = closing.get_blocked(stranger)
    assert (layer["ports"], layer["layer"]) == ("22", "block")
    assert is_silent(stranger)
    assert stranger.knock(OTHER) is Answer.REFUSED
    page = closing.durward.command("why", stranger.address)
    assert "Ports" in page.stdout
    closing.durward.stop()
    assert is_silent(stranger)
    closing.durward.start()
    assert is_silent(stranger)
    assert stranger.knock(OTHER) is Answer.REFUSED
    assert closing.layer(stranger.address)["ports"] == "22"
    assert closing.durward.ask("unblock", stranger.address)["enforced"] is True
    assert stranger.can_connect()


def test_a_block_of_a_port_and_one_of_all_stand_side_by_side(closing: Scene) -> None:
    stranger = closing.stranger()
    closing.get_blocked(stranger)
    assert closing.durward.ask("block", stranger.address, "--for", "1h")["enforced"] is True
    assert is_silent(stranger, OTHER)
    blocks = layers(closing, stranger.address, "block")
    assert sorted(str(one["ports"]) for one in blocks) == ["", "22"]
    whole = next(one for one in blocks if not one["ports"])
    assert closing.durward.ask("undo", str(whole["decision"]))["undone"] == whole["decision"]
    assert stranger.knock(OTHER) is Answer.REFUSED
    assert is_silent(stranger), "the block of the port stands as before"
    assert closing.durward.ask("unblock", stranger.address)["enforced"] is True
    assert stranger.can_connect()


def test_an_administrator_keeps_his_port_too(closing: Scene) -> None:
    desk = closing.stranger()
    with desk.open_session("root"):
        closing.fail(desk, 6, user="bob")
        closing.wait(lambda: any("refused" in one for one in closing.why(desk.address)["history"]), "it is told")
        assert desk.can_connect()


def test_in_shadow_mode_it_is_written_down_counted_and_not_done(watching: Scene) -> None:
    stranger = watching.stranger()
    assert watching.fail(stranger, 6) == [Answer.WRONG_PASSWORD] * 6
    watching.wait(lambda: bool(watching.why(stranger.address)["history"]), "it is decided")
    (past,) = watching.why(stranger.address)["history"]
    assert (past["verdict"], past["simulated"]) == ("block", True)
    assert stranger.can_connect()
    page = watching.durward.command("why", stranger.address)
    assert page.returncode == 0
    assert "is not blocked" in page.stdout
    assert "would block" in page.stdout
    assert watching.lines("list") == []
    assert watching.durward.ask("status")["shadow"] == {"detector:brute_force": {"block": 1}}
    assert "block: 1" in watching.durward.command("status").stdout
    assert DOOR_IPV4 not in watching.durward.command("list").stdout


def test_ssh_is_closed_where_it_really_is() -> None:
    elsewhere = {"Port": "22\nPort 2222"}
    with Scene(settings=settings('remedy = "ports"'), sshd_settings=elsewhere) as scene:
        stranger = scene.stranger()
        assert stranger.can_connect(2222)
        assert scene.get_blocked(stranger)["ports"] == "22,2222"
        assert is_silent(stranger, 2222)
        assert stranger.knock(OTHER) is Answer.REFUSED


def test_ports_that_somebody_wrote_down_are_meant() -> None:
    written = '[services.sshd]\nports = "22,24"\n'
    with Scene(settings=settings('remedy = "ports"').replace("[services.sshd]\n", written)) as scene:
        stranger = scene.stranger()
        assert scene.get_blocked(stranger)["ports"] == "22,24"
