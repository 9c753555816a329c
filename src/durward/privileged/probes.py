"""Port scans as the enforcer has to do with them: it hands the copies over unread, and tells whom the kernel banned."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from durward.model import Subject
from durward.privileged.carrying import elements_there
from durward.privileged.names import present
from durward.privileged.nflog import PacketGroup
from durward.privileged.sets import Sets
from durward.ruleset.elements import Element, ElementKey
from durward.ruleset.port_scans import COPY_BYTES_MAX, GROUP

WAITING_BYTES = 8 << 20  # of copies that nobody has read yet: about twenty thousand
# Whatever the settings were when the kernel counted: the rest of the names says that.
OF_SOURCES = re.compile(r"meter_scan_(?:counted|flags|banned)(?P<version>[46])_[0-9a-f]{8}")
BANNED, PORTS = "meter_scan_banned", "meter_scan_ports"
PORTS_MAX = 20  # of one source are told
SIZES = {"4": 4, "6": 16}  # of a key, by family


@dataclass(slots=True)
class ProbeCopies:
    """The socket where copies of probes arrive, and the sets in which the kernel counts sources."""

    sets: Sets
    block_prefix_v6: int
    _group: PacketGroup | None = None

    def descriptor(self) -> int:
        """A descriptor of the copies, for the caller to close. Raises KernelError.

        The socket stays open here: what comes while the engine is started again waits for it.
        """
        if self._group is None:
            # Each at once: to wait for others would cost more than a scan takes.
            self._group = PacketGroup(GROUP, copy_bytes=COPY_BYTES_MAX, waiting_bytes=WAITING_BYTES)
        return self._group.descriptor()

    def banned(self, *, with_ports: bool = False) -> dict[str, list[tuple[int, int]]]:
        """Whom the kernel bans by itself at present: addresses and IPv6 networks. Raises KernelError.

        With the ports that it remembers of each, and the protocols' numbers: to find those takes about a second where
        very many scan, so they are asked for only after we were away.
        """
        names = sorted(present().sets)
        found: dict[bytes, list[tuple[int, int]]] = {one.key: [] for one in _elements(names, BANNED)}
        if with_ports and found:
            for element in _elements(names, PORTS):
                size = len(element.key) - 8  # each part of a key is padded to four bytes
                ports = found.get(element.key[:size])
                if ports is not None and len(ports) < PORTS_MAX:
                    ports.append((element.key[size], int.from_bytes(element.key[size + 4 : size + 6])))
        return {self._text(key): sorted(ports) for key, ports in sorted(found.items())}

    def forgive(self, subjects: Iterable[Subject]) -> None:
        """Have the kernel begin again at nothing for these sources. Raises KernelError."""
        packed = {one.network.network_address.packed for one in subjects if self._is_counted(one)}
        if not packed:
            return
        names = [(found[0], found["version"]) for name in present().sets if (found := OF_SOURCES.fullmatch(name))]
        keys = [ElementKey(name, key) for name, version in names for key in packed if len(key) == SIZES[version]]
        self.sets.remove(keys)

    def close(self) -> None:
        """Stop listening."""
        if self._group is not None:
            self._group.close()
            self._group = None

    def _is_counted(self, subject: Subject) -> bool:
        """Whether the kernel may count such a one: not a wider network."""
        if subject.kind not in ("address", "network"):
            return False
        network = subject.network
        return network.prefixlen == (32 if network.version == 4 else self.block_prefix_v6)

    def _text(self, key: bytes) -> str:
        address = ip_address(key)
        if address.version == 4 or self.block_prefix_v6 == 128:
            return str(address)
        return str(ip_network((address, self.block_prefix_v6), strict=False))


def _elements(names: Iterable[str], beginning: str) -> list[Element]:
    return elements_there(name for name in names if name.startswith(beginning))
