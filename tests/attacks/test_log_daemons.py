"""The same promise whichever daemon keeps the log: stamps of the ISO kind, and systemd's journal without any file."""

from collections.abc import Iterator

import pytest
from arena.attacker import Answer
from tests.attacks.scene import Scene, is_silent

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def iso() -> Iterator[Scene]:
    with Scene(stamps="iso") as scene:
        yield scene


@pytest.fixture(scope="module")
def journal() -> Iterator[Scene]:
    with Scene(log="journal") as scene:
        yield scene


FAMILIES = pytest.mark.parametrize("ipv6", [False, True], ids=["IPv4", "IPv6"])


@FAMILIES
def test_stamps_of_the_iso_kind(iso: Scene, ipv6: bool) -> None:
    attacker = iso.stranger(ipv6=ipv6)
    assert iso.fail(attacker, 4) == [Answer.WRONG_PASSWORD] * 4
    iso.await_count(attacker.address, 4)
    layer = iso.get_blocked(attacker)
    assert is_silent(attacker)
    log = iso.door.outside(iso.door.auth_log).read_bytes()
    assert [line["source"] for line in layer["evidence"]] == [f"file:{iso.door.auth_log}"] * 5
    for line in layer["evidence"]:
        assert log[line["position"] :].startswith(line["text"].encode() + b"\n")


@FAMILIES
def test_the_journal_alone(journal: Scene, ipv6: bool) -> None:
    attacker = journal.stranger(ipv6=ipv6)
    assert journal.fail(attacker, 4) == [Answer.WRONG_PASSWORD] * 4
    journal.await_count(attacker.address, 4)
    layer = journal.get_blocked(attacker)
    assert is_silent(attacker)
    assert (layer["count"], layer["threshold"]) == (5, 5)
    assert {line["source"] for line in layer["evidence"]} == {"journal"}
    assert all(attacker.address in line["text"] for line in layer["evidence"])
    assert len({line["position"] for line in layer["evidence"]}) == 5
    assert journal.durward.command("unblock", layer["receipt"]).returncode == 0
    assert attacker.can_connect()
