"""Whenever the engine dies, the store holds whole batches and nothing else."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.store.children.endless_writer import DECISIONS, LINES
from tests.store.samples import NOW

from durward.store import errands, positions
from durward.store.store import open_store

ROOT = Path(__file__).parents[2]
ROUNDS = 30
TABLES = {  # and their rows for each batch
    "decision": DECISIONS * 3 // 2,
    "incident": DECISIONS,
    "evidence": DECISIONS * LINES,
    "standing": DECISIONS // 2,
    "errand": 1,
}


def kill_a_writer(path: Path, after_seconds: float) -> None:
    """Start a process that writes without end, and kill it while it does."""
    command = [sys.executable, str(Path(__file__).parent / "children" / "endless_writer.py"), str(path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"writing\n"
        time.sleep(after_seconds)
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL


def sound(path: Path) -> bool:
    """SQLite's own judgement."""
    with closing(sqlite3.connect(path)) as connection:
        whole = connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return whole and connection.execute("PRAGMA foreign_key_check").fetchall() == []


def whole_batches(path: Path) -> int:
    """Open what a killed writer left; gives how many batches it holds. Every table has to agree."""
    result = open_store(path, NOW)
    with result.store as store:
        assert result.findings == ()
        batches = int(positions.load(store).get("journal", "0"))
        rows = {table: store.read(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}
        assert rows == {table: batches * in_each for table, in_each in TABLES.items()}
        assert store.read("SELECT coalesce(max(id), 0) FROM decision") == [(rows["decision"],)]
        assert len(errands.due(store, NOW)) == min(batches, errands.DUE_MAX)
    assert sound(path)
    return batches


@pytest.mark.slow
def test_whole_batches_survive_a_kill_at_any_moment(tmp_path: Path) -> None:
    path = tmp_path / "durward.db"
    chance = random.Random(20261123)
    batches = 0
    for _ in range(ROUNDS):
        kill_a_writer(path, chance.uniform(0.0, 0.08))
        assert Path(f"{path}-wal").stat().st_size > 0
        before, batches = batches, whole_batches(path)
        assert batches > before


def test_a_torn_log_costs_the_last_batches_and_no_more(tmp_path: Path) -> None:
    """What a power failure leaves: an end of the write-ahead log that did not reach the disk, or as noise."""
    path = tmp_path / "durward.db"
    kill_a_writer(path, 0.02)
    database, log = path.read_bytes(), Path(f"{path}-wal").read_bytes()
    chance = random.Random(20261123)
    survived = set()
    for end in (0, len(log), *(chance.randrange(len(log)) for _ in range(10))):
        path.write_bytes(database)
        Path(f"{path}-wal").write_bytes(log[:end] + chance.randbytes(chance.choice([0, 5000])))
        survived.add(whole_batches(path))
    assert len(survived) > 1
