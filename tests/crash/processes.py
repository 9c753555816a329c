"""The processes of a running durward, found from the outside, and ended without being asked."""

import os
import signal
from pathlib import Path

from tests.attacks.scene import Scene


def pid_of(scene: Scene, name: str) -> int | None:
    """Give the process of this name ("supervisor", "enforcer", "engine") of one durward; None while there is none."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"durward.daemons.{name}".encode() in words and str(scene.durward.home / "run").encode() in words:
            return int(entry.name)
    return None


def kill(scene: Scene, name: str) -> int:
    """End a process at once, wherever it is. Gives its number."""
    scene.wait(lambda: pid_of(scene, name) is not None, f"the {name} runs")
    pid = pid_of(scene, name)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


def status_of(pid: int) -> dict[str, str]:
    """Give what the kernel says of a process."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
