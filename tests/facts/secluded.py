"""Runs as root in a mount and network namespace of its own: a real sshd on chosen ports, and what is learnt of it.

Arguments: a directory to work in, the ports that sshd.conf names, and whether sshd runs ("yes" or "no"). Writes JSON.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

from durward.facts.sshd import find_ssh

PATIENCE_SECONDS = 10.0


def main() -> None:
    """Prepare /run and /etc/ssh for this namespace only, start sshd, and say what was found."""
    directory, ports, runs = Path(sys.argv[1]), sys.argv[2].split(","), sys.argv[3] == "yes"
    configuration = directory / "sshd_config"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / "key"], check=True)
    configuration.write_text(f"HostKey {directory}/key\nPidFile none\n" + "".join(f"Port {port}\n" for port in ports))
    subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], check=True)
    Path("/run/sshd").mkdir(mode=0o755)
    subprocess.run(["mount", "--bind", configuration, "/etc/ssh/sshd_config"], check=True)
    running = subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", configuration]) if runs else None
    if running:
        # What is configured changes after sshd was started, as when somebody edits the file and has not restarted it.
        limit = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < limit and not any("listens" in text for one in find_ssh() for text in one.learnt):
            time.sleep(0.05)
        configuration.write_text(f"HostKey {directory}/key\nPort 2299\n")
    found = {one.port: one.learnt for one in find_ssh()}
    if running:
        running.terminate()
        running.wait()
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
