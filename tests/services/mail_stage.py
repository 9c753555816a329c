"""A stage for mail servers: a network and a view of the file system of its own, and a real rsyslogd that keeps the log.

Debian's mail servers cannot be installed side by side, so some are unpacked only: on the stage they look installed.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from arena.processes import end_processes_in, identity_of
from tests.kernel.namespaces import Namespace

OWN, STRANGER, CUSTOMER = "127.0.0.1", "127.0.0.9", "127.0.0.4"
PASSWORD = "correct-horse-9"
WAIT_SECONDS_MAX = 30.0
UNPACKED = Path(__file__).parents[2] / "build" / "unpacked"
QUIET = {"DEBIAN_FRONTEND": "noninteractive"}
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
LOGGING = """\
module(load="imuxsock" SysSock.RateLimit.Interval="0")
module(load="builtin:omfile" Template="RSYSLOG_TraditionalFileFormat")
*.* {directory}/logs/mail.log
"""
# Binds what the stage has over the host's, then becomes rsyslogd. The host sees none of it.
SETTING = """\
set -e
mount --make-rprivate /
{overlays}
for name in {devices}; do touch {directory}/dev/$name; mount --bind /dev/$name {directory}/dev/$name; done
mount --bind {directory}/passwd /etc/passwd
mount --bind {directory}/group /etc/group
mount --bind {directory}/run /run
mount --rbind {directory}/dev /dev
exec rsyslogd -n -iNONE -f {directory}/rsyslog.conf
"""


class Stage:
    """Where mail servers run. `directory` is theirs, under the same name inside and outside."""

    def __init__(self, directory: Path, network: Namespace, packages: Sequence[str], users: Sequence[str]) -> None:
        self.directory = directory
        self.network = network
        self._processes: list[subprocess.Popen[bytes]] = []
        for name in ("dev", "run", "logs", "etc", "empty"):
            (directory / name).mkdir()
        (directory / "logs").chmod(0o777)  # the servers are users of their own
        directory.chmod(0o755)
        _write_names(directory, users)
        (directory / "rsyslog.conf").write_text(LOGGING.format(directory=directory))
        overlays = "\n".join(_overlay(directory, packages, name) for name in ("usr", "etc", "var"))
        setting = SETTING.format(overlays=overlays, devices=" ".join(DEVICES), directory=directory)
        with network.inside():
            self._logger = subprocess.Popen(["unshare", "--mount", "sh", "-c", setting])
        self._processes.append(self._logger)
        until((directory / "dev/log").is_socket)

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
        """Start a server that stays in the foreground. It is ended with the stage at the latest."""
        with self.network.inside(), (self.directory / "logs/output").open("ab") as output:
            command = self._entering(arguments, variables)
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        self._processes.append(process)
        return process

    def run(self, *arguments: str) -> str:
        """Run a program to its end and give what it printed."""
        return self.network.run(*self._entering(arguments, {}))

    def await_port(self, port: int) -> None:
        """Wait until something listens."""
        until(lambda: self._listens(port))

    def log(self, name: str = "mail.log") -> str:
        """What a log says so far."""
        path = self.directory / "logs" / name
        return path.read_text(errors="replace") if path.exists() else ""

    def stop(self) -> None:
        """End everything, the youngest first, and then what became independent of those that we started."""
        if self._logger.poll() is not None:
            return
        place = identity_of(Path(f"/proc/{self._logger.pid}/ns/mnt"))
        for process in reversed(self._processes[1:]):
            process.terminate()
            process.wait(30)
        end_processes_in("mnt", place)
        self._logger.wait(30)

    def _entering(self, arguments: Sequence[str], variables: dict[str, str]) -> tuple[str, ...]:
        named = [f"{name}={value}" for name, value in variables.items()]
        return ("nsenter", f"--mount=/proc/{self._logger.pid}/ns/mnt", "--", "env", *named, *arguments)

    def _listens(self, port: int) -> bool:
        with self.network.inside(), socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def staged(*, packages: Sequence[str] = (), users: Sequence[str] = ()) -> Iterator[Stage]:
    """A stage with these packages unpacked onto it, and these users in addition to the host's."""
    network = Namespace()
    directory = Path(tempfile.mkdtemp(prefix="durward-mail-"))
    try:
        stage = Stage(directory, network, packages, users)
        try:
            yield stage
        finally:
            stage.stop()
    finally:
        network.close()
        shutil.rmtree(directory)


def unpacked(package: str) -> Path:
    """Where a package of Debian's is unpacked; it is fetched once, and the libraries that it needs are installed."""
    folder = UNPACKED / package
    if not folder.exists():
        with tempfile.TemporaryDirectory() as place:
            tried = subprocess.run(["apt-get", "download", package], check=False, cwd=place, capture_output=True)
            if tried.returncode:
                _apt("update")
                subprocess.run(["apt-get", "download", package], cwd=place, check=True, capture_output=True)
            (archive,) = Path(place).glob("*.deb")
            subprocess.run(["dpkg-deb", "--extract", str(archive), f"{place}/out"], check=True)
            _apt("install", "--yes", "--no-install-recommends", *_libraries(package))
            UNPACKED.mkdir(parents=True, exist_ok=True)
            shutil.move(f"{place}/out", folder)
    return folder


def _libraries(package: str) -> list[str]:
    """The libraries that a package depends on, which have other names in each release of Debian."""
    said = subprocess.run(["apt-cache", "depends", package], check=True, capture_output=True, text=True).stdout
    depends = [line.split(":", 1)[1].strip() for line in said.splitlines() if line.startswith("  Depends:")]
    return [name for name in depends if name.startswith("lib") and not name.endswith("-dev")]


def _apt(*words: str) -> None:
    subprocess.run(["apt-get", "--quiet", *words], check=True, capture_output=True, env={**os.environ, **QUIET})


def _overlay(directory: Path, packages: Sequence[str], name: str) -> str:
    """The command that lays a folder of the packages over the host's. What is written there stays on the stage."""
    lower = [str(folder) for package in packages if (folder := unpacked(package) / name).exists()]
    if not lower:
        return ""
    for place in ("written", "writing"):
        (directory / place / name).mkdir(parents=True)
    written = f"upperdir={directory}/written/{name},workdir={directory}/writing/{name}"
    return f"mount -t overlay overlay -o lowerdir={':'.join(lower)}:/{name},{written} /{name}"


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds. Raises AssertionError if it does not for long."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not holds():
        assert time.monotonic() < deadline, "this took too long"
        time.sleep(0.05)


def _write_names(directory: Path, users: Sequence[str]) -> None:
    """The host's users and groups, and ours beside them."""
    passwd, group = Path("/etc/passwd").read_text(), Path("/etc/group").read_text()
    for number, name in enumerate(users, 64301):
        passwd += f"{name}:x:{number}:{number}::{directory}/empty:/usr/sbin/nologin\n"
        group += f"{name}:x:{number}:\n"
    (directory / "passwd").write_text(passwd)
    (directory / "group").write_text(group)
