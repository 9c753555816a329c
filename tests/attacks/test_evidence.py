"""`why` names exactly his lines, counts what was kept out since, and a receipt is as good as an address."""

import json
import re
from typing import Any

import pytest
from arena.attacker import Attacker
from tests.attacks.scene import Scene, is_silent

pytestmark = pytest.mark.kernel

FAMILIES = pytest.mark.parametrize("ipv6", [False, True], ids=["IPv4", "IPv6"])
RECEIPT = re.compile(r"[0-9A-Z]{4}-[0-9A-Z]{4}")


def log_bytes(scene: Scene) -> bytes:
    return scene.door.outside(scene.door.auth_log).read_bytes()


def assert_proves(scene: Scene, layer: dict[str, Any], attacker: Attacker) -> None:
    """Every line of evidence stands in the log where it is said to, and is about him."""
    log = log_bytes(scene)
    for line in layer["evidence"]:
        written = line["text"].encode()
        assert line["source"] == f"file:{scene.door.auth_log}"
        assert log[line["position"] :].startswith(written + b"\n")
        assert line["position"] == 0 or log[line["position"] - 1 : line["position"]] == b"\n"
        assert re.search(rf"(?<![\w.:]){re.escape(attacker.address)}(?![\w.:])", line["text"])
    positions = [line["position"] for line in layer["evidence"]]
    assert positions == sorted(set(positions))


@FAMILIES
def test_the_evidence_is_his_lines_where_they_stand(scene: Scene, ipv6: bool) -> None:
    attacker, other = scene.stranger(ipv6=ipv6), scene.stranger(ipv6=ipv6)
    scene.fail(other, 2)
    layer = scene.get_blocked(attacker)
    assert (layer["count"], layer["threshold"], len(layer["evidence"])) == (5, 5, 5)
    assert layer["origin"] == "detector:brute_force"
    assert layer["reason"].startswith("5 failed ")
    assert_proves(scene, layer, attacker)
    pids = {re.search(r"\[(\d+)\]:", line["text"])[1] for line in layer["evidence"]}  # type: ignore[index]
    assert len(pids) == 5, "five attempts, five processes of sshd: no attempt is counted for two of its lines"


def test_packets_that_knock_in_vain_are_counted(scene: Scene) -> None:
    attacker = scene.stranger()
    before = scene.get_blocked(attacker)
    for _ in range(3):
        assert is_silent(attacker, 23)
    after = scene.layer(attacker.address)
    assert after["packets"] >= before["packets"] + 3
    assert after["bytes"] >= before["bytes"] + 3 * 40


def test_a_receipt_explains_and_unblocks_like_the_address(scene: Scene) -> None:
    attacker = scene.stranger()
    receipt = scene.get_blocked(attacker)["receipt"]
    assert RECEIPT.fullmatch(receipt)
    for spelt in (receipt, receipt.lower(), receipt.replace("-", "")):
        answer = scene.why(spelt)
        assert (answer["subject"], answer["blocked"]) == (attacker.address, True)
    assert scene.durward.command("unblock", receipt).returncode == 0
    assert attacker.can_connect()
    assert not scene.is_blocked(attacker.address)
    gone = scene.durward.command("unblock", receipt)
    assert gone.returncode == 1, gone.stdout + gone.stderr


def test_an_unknown_receipt_is_no_address(scene: Scene) -> None:
    for verb in ("why", "unblock"):
        done = scene.durward.command(verb, "ZZZZ-ZZZZ")
        assert (done.returncode, done.stdout) == (2, "")
        assert "receipt" in done.stderr


def test_the_page_for_people_shows_the_lines_and_the_undo(scene: Scene) -> None:
    attacker = scene.stranger()
    layer = scene.get_blocked(attacker)
    shown = scene.durward.command("why", attacker.address)
    assert shown.returncode == 1
    assert all(line["text"] in shown.stdout for line in layer["evidence"])
    assert layer["undo"] in shown.stdout
    assert layer["receipt"] in shown.stdout


def test_who_was_never_seen_is_not_blocked_and_his_count_is_told(scene: Scene) -> None:
    done = scene.durward.command("why", "198.51.100.200", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["blocked"] is False
    attacker = scene.stranger()
    scene.fail(attacker, 2)
    scene.await_count(attacker.address, 2)
    assert scene.why(attacker.address)["layers"] == [{"layer": "block", "blocked": False, "count": 2, "threshold": 5}]


def test_the_kernels_element_names_its_decision(scene: Scene) -> None:
    attacker = scene.stranger()
    layer = scene.get_blocked(attacker)
    table = scene.door.run(["nft", "-j", "list", "table", "inet", "durward"], check=True).stdout
    elements = [
        element["elem"]
        for thing in json.loads(table)["nftables"]
        for element in thing.get("set", {}).get("elem", [])
        if isinstance(element, dict) and element["elem"]["val"] == attacker.address
    ]
    assert len(elements) == 1
    assert str(layer["decision"]) in elements[0]["comment"]
    assert 0 < elements[0]["timeout"] <= 3600
    assert "counter" in elements[0]
