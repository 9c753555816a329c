"""ufw and firewalld, as Debian ships them: their own programs make their rules, in a namespace, from a copy of /etc."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.kernel.namespaces import Namespace

UFW, FIREWALLD = Path("/etc/ufw"), Path("/etc/firewalld")
RULES = "### RULES ###\n"
# ufw's way to put a line before those that let in ("ufw prepend deny from ADDRESS").
UFW_DENY = (
    "\n### tuple ### deny any any 0.0.0.0/0 any {address} in\n-A ufw-user-input -s {address} -j DROP\n"  # as it writes
)
# The daemon's own part that makes rules, without the bus that it is asked over.
FIREWALLD_START = """
import sys
from firewall import config
config.set_system_config_paths(sys.argv[1])
from firewall.core.fw import Firewall
Firewall().start()
"""
ZONE = '<?xml version="1.0" encoding="utf-8"?>\n<zone target="DROP">\n{sources}\n</zone>\n'
IPSET = '<?xml version="1.0" encoding="utf-8"?>\n<ipset type="hash:net">\n{entries}\n</ipset>\n'


def missing() -> list[str]:
    """Which of the programs are not installed."""
    return [name for name in ("ufw", "firewalld", "iptables", "ipset") if shutil.which(name) is None]


def ufw(namespace: Namespace, blocked: Iterable[int]) -> None:
    """`ufw allow ssh`, a `ufw prepend deny from` for each address, and `ufw enable`."""
    with _copied(UFW) as copy:
        within = f"mount --bind {copy} {UFW} && "
        namespace.run("unshare", "--mount", "sh", "-c", f"{within}ufw allow 22/tcp")
        path = copy / "user.rules"
        lines = "".join(UFW_DENY.format(address=IPv4Address(number)) for number in blocked)
        path.write_text(path.read_text().replace(RULES, RULES + lines, 1))
        namespace.run("unshare", "--mount", "sh", "-c", f"{within}ufw --force enable")


def firewalld(namespace: Namespace, blocked: Iterable[int], *, with_ipset: bool) -> None:
    """The sources of its zone `drop`: one by one, or in an ipset. All else is in the zone `public`."""
    with _copied(FIREWALLD) as copy:
        addresses = [str(IPv4Address(number)) for number in blocked]
        if with_ipset:
            entries = "\n".join(f"<entry>{address}</entry>" for address in addresses)
            (copy / "ipsets" / "blocked.xml").write_text(IPSET.format(entries=entries))
            sources = '<source ipset="blocked"/>'
        else:
            sources = "\n".join(f'<source address="{address}"/>' for address in addresses)
        (copy / "zones" / "drop.xml").write_text(ZONE.format(sources=sources))
        namespace.run("unshare", "--mount", "/usr/bin/python3", "-c", FIREWALLD_START, str(copy))


@contextmanager
def _copied(folder: Path) -> Iterator[Path]:
    with TemporaryDirectory() as work:
        copy = Path(work) / folder.name
        shutil.copytree(folder, copy, symlinks=True)
        yield copy
