"""On a disk that is really full nothing is half written, and writing goes on when there is room again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.kernel
def test_a_full_disk_costs_nothing_but_time(tmp_path: Path) -> None:
    child = Path(__file__).parent / "children" / "full_disk.py"
    done = subprocess.run(
        ["unshare", "--mount", sys.executable, str(child), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n") == ["refused durward.db", "refused another.db", "done", ""]
