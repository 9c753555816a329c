"""Authorised knocks as the enforcer has to do with them: it has them copied, and hands the copies over unread."""

from dataclasses import dataclass, field
from pathlib import Path

from durward.config.knock_keys import read_knock_keys
from durward.privileged.failure import KernelError
from durward.privileged.loading import run_nft
from durward.privileged.names import present
from durward.privileged.nflog import PacketGroup
from durward.ruleset.knock_copies import COPY_BYTES_MAX, GROUP, knock_copies
from durward.ruleset.switch import Present

WAITING_BYTES = 1 << 20  # of copies that nobody has read yet: about a thousand, also while the engine is restarted


@dataclass(slots=True)
class KnockCopies:
    """The rules that copy knocks, and the socket where the copies arrive. `port` 0 means that nobody may knock."""

    keys: Path
    port: int
    block_prefix_v6: int
    _stamp: tuple[int, ...] | None = None
    _ids: list[bytes] = field(default_factory=list)
    _group: PacketGroup | None = None

    def keep(self, *, again: bool = False) -> bool:
        """Make the kernel have the rules that are wanted; gives whether something was loaded. Raises KernelError.

        The file of keys is read again if it has changed. `again`: after somebody changed our table, who knows what.
        """
        stamp = _stamp_of(self.keys)
        if stamp != self._stamp:
            self._ids = [key.id for key in read_knock_keys(self.keys).keys] if self.port else []
            self._stamp = stamp
        found = present()
        if again:
            commands = knock_copies(0, (), self.block_prefix_v6, found)
            found = Present(frozenset(), frozenset())
        else:
            commands = ""
        commands += knock_copies(self.port, self._ids, self.block_prefix_v6, found)
        if commands:
            run_nft(commands)
        return bool(commands)

    def descriptor(self) -> int:
        """A descriptor of the copies, for the caller to close. Raises KernelError.

        The socket stays open here: what comes while the engine is started again waits for it.
        """
        if not self.port:
            raise KernelError("no port for authorised knocks is set")
        if self._group is None:
            self._group = PacketGroup(GROUP, copy_bytes=COPY_BYTES_MAX, waiting_bytes=WAITING_BYTES)
        return self._group.descriptor()

    def close(self) -> None:
        """Stop listening."""
        if self._group is not None:
            self._group.close()
            self._group = None


def _stamp_of(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except OSError:
        return ()
    return (status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_size)
