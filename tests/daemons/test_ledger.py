"""The ledger: with a full disk decisions are kept and written later, and damage costs a database, not the engine."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.store.samples import NOW, address, decision

from durward.daemons import ledger as ledger_module
from durward.daemons.ledger import Ledger
from durward.model import Finding, Subject
from durward.store import decisions, findings, positions, standing


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path / "durward.db", NOW)
    yield made
    made.close()


def fill(ledger: Ledger) -> None:
    """From now on the database may not grow."""
    ((pages,),) = ledger.store.read("PRAGMA page_count")
    ledger.store.read(f"PRAGMA max_page_count = {pages}")


def make_room(ledger: Ledger) -> None:
    ledger.store.read("PRAGMA max_page_count = 1073741823")


def write_until_full(ledger: Ledger) -> int:
    """Write decisions until the disk is full; gives how many were made."""
    fill(ledger)
    for number in range(1000):
        ledger.write(ledger.number([decision(address(number), lines=20)]), {"file:a": str(number)}, NOW)
        if ledger.degraded:
            return number + 1
    pytest.fail("the disk did not become full")


def written(ledger: Ledger) -> int:
    ((count,),) = ledger.store.read("SELECT count(*) FROM decision")
    return int(count)


def test_decisions_and_positions_are_written_together(ledger: Ledger) -> None:
    (made,) = ledger.number([decision("203.0.113.9", lines=5)])
    ledger.write([made], {"file:a": "100"}, NOW)
    entry = decisions.by_id(ledger.store, made.id)
    assert entry is not None
    assert (entry.decision.receipt, positions.load(ledger.store)) == (made.receipt, {"file:a": "100"})


def test_on_a_full_disk_nothing_is_lost_and_nothing_is_half_written(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    made = write_until_full(ledger)
    before, place = written(ledger), positions.load(ledger.store)
    assert before < made
    assert "cannot be written" in ledger.degraded
    for number in range(made, made + 10):
        ledger.write(ledger.number([decision(address(number), lines=20)]), {"file:a": str(number)}, NOW)
    ledger.refuse({made + 10: "it is the gateway"}, NOW)
    assert (written(ledger), positions.load(ledger.store)) == (before, place)
    make_room(ledger)
    ledger.write([], {}, NOW)
    assert ledger.degraded == ""
    assert written(ledger) == made + 10
    assert positions.load(ledger.store) == {"file:a": str(made + 9)}
    entry = decisions.by_id(ledger.store, made + 10)
    assert entry is not None
    assert entry.refused == "it is the gateway"
    assert standing.count(ledger.store, "block") == made + 9
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2, "once when it begins, once when it is over"


def test_what_waits_for_the_disk_is_bounded_and_the_newest_is_kept(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "WAITING_MAX", 5)
    made = write_until_full(ledger)
    for number in range(made, made + 20):
        ledger.write(ledger.number([decision(address(number), lines=20)]), {}, NOW)
    make_room(ledger)
    ledger.write([], {}, NOW)
    assert [entry.decision.id for entry in decisions.latest(ledger.store, 5)] == list(range(made + 20, made + 15, -1))
    assert decisions.by_id(ledger.store, made + 15) is None


def test_a_full_disk_stops_neither_expiry_nor_findings_from_being_asked_for(ledger: Ledger) -> None:
    write_until_full(ledger)
    ledger.count(1, 10, 1000)
    ledger.report([Finding("source", "file:" + "x" * 50_000, "fail", "d" * 50_000)], NOW)
    assert "cannot be written" in ledger.degraded
    ledger.expire(NOW + 10**6)
    ledger.prune(NOW + 10**6)
    make_room(ledger)
    assert len(ledger.expire(NOW + 10**6)) + standing.count(ledger.store, "block") <= written(ledger)


def test_what_has_ended_is_taken_out(ledger: Ledger) -> None:
    ledger.write(
        ledger.number([decision("203.0.113.9", until=NOW + 60), decision("203.0.113.10", until=None)]), {}, NOW
    )
    assert [one.subject.value for one in ledger.expire(NOW + 60)] == ["203.0.113.9"]
    assert [one.subject.value for one in standing.all_of(ledger.store, "block")] == ["203.0.113.10"]


def test_what_a_guard_refused_does_not_stand(ledger: Ledger) -> None:
    made = ledger.number([decision("203.0.113.9"), decision("203.0.113.10")])
    ledger.write(made, {}, NOW)
    ledger.refuse({made[0].id: "it is the gateway"}, NOW)
    assert [one.subject for one in standing.all_of(ledger.store, "block")] == [Subject.parse("203.0.113.10")]


def test_a_damaged_database_is_set_aside_and_a_new_one_begun(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "durward.db"
    path.write_bytes(b"this was a database once" * 1000)
    ledger = Ledger(path, NOW)
    assert ledger.began_anew
    ledger.write(ledger.number([decision("203.0.113.9")]), {}, NOW)
    assert standing.count(ledger.store, "block") == 1
    assert len(findings.known(ledger.store)) == 1
    assert "database" in capsys.readouterr().err
    ledger.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM decision").fetchone() == (1,)
    connection.close()
