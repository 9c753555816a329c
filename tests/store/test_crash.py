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


@pytest.mark.slow
def test_whole_batches_survive_a_kill_at_any_moment(tmp_path: Path) -> None:
    path = tmp_path / "durward.db"
    chance = random.Random(20261123)
    torn = batches = 0
    for _ in range(ROUNDS):
        kill_a_writer(path, chance.uniform(0.0, 0.08))
        torn += Path(f"{path}-wal").stat().st_size > 0
        result = open_store(path, NOW)
        with result.store as store:
            assert result.findings == ()
            before, batches = batches, int(positions.load(store)["journal"])
            assert batches > before
            counts = {
                table: store.read(f"SELECT count(*) FROM {table}")[0][0]
                for table in ("decision", "incident", "evidence", "errand")
            }
            assert counts == {
                "decision": batches * DECISIONS * 3 // 2,
                "incident": batches * DECISIONS,
                "evidence": batches * DECISIONS * LINES,
                "errand": batches,
            }
            assert store.read("SELECT max(id) FROM decision") == [(counts["decision"],)]
            assert store.read("SELECT count(*) FROM standing") == [(batches * DECISIONS // 2,)]
            assert len(errands.due(store, NOW)) == min(batches, errands.DUE_MAX)
        assert sound(path)
    assert torn == ROUNDS
