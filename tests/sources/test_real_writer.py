"""A real daemon writes as fast as it can while its log is rotated under it; it reopens its log a little late."""

import subprocess
import sys
import time
from pathlib import Path

from tests.sources.inotify import Inotify
from tests.sources.opener import DirectOpener

from durward.sources.logfiles import LogFiles
from durward.sources.watching import read_changes

LINES = 30_000
DAEMON = """
import os, sys, time
path, count = sys.argv[1], int(sys.argv[2])
log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
seen = moved = 0
for number in range(count):
    os.write(log, b"line %d\\n" % number)
    if number % 100 == 0:
        time.sleep(0.005)
        renamed = not os.path.exists(path) or os.stat(path).st_ino != os.fstat(log).st_ino
        moved = moved + 1 if renamed else 0
        if moved > 5:
            os.close(log)
            log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
"""


def rotate(log: Path, create: bool) -> None:
    for number in range(4, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            older.rename(log.with_name(f"{log.name}.{number + 1}"))
    log.rename(log.with_name(f"{log.name}.1"))
    if create:
        log.touch()


def test_every_line_of_a_busy_daemon_comes_once(tmp_path: Path) -> None:
    log = tmp_path / "daemon.log"
    files = LogFiles(DirectOpener(), memory_seconds=0)
    found: list[bytes] = []
    with Inotify() as inotify:
        files.follow(str(log), [(inotify.watch(tmp_path), log.name)], None, now=time.time())
        with subprocess.Popen([sys.executable, "-c", DAEMON, str(log), str(LINES)]) as daemon:
            rotated_at, rotations = time.monotonic(), 0
            while daemon.poll() is None or files.waiting or files.restless:
                files.changed(read_changes(inotify.descriptor))
                # Once the daemon is gone nothing more can come: five quiet seconds need not be waited for.
                now = time.time() + (10 if daemon.poll() is not None else 0)
                for block in files.read(now):
                    found += block.data.splitlines()
                if time.monotonic() - rotated_at > 0.2 and log.exists() and daemon.poll() is None:
                    rotate(log, create=rotations % 2 == 0)
                    rotated_at, rotations = time.monotonic(), rotations + 1
                time.sleep(0.02)
            files.changed(read_changes(inotify.descriptor))
            found += [line for block in files.read(time.time() + 10) for line in block.data.splitlines()]
        assert daemon.returncode == 0
    files.close()
    assert rotations >= 3
    assert len(found) == LINES
    assert set(found) == {b"line %d" % number for number in range(LINES)}
