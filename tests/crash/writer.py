"""Writes lines exactly as sshd and rsyslog do, straight into the door's auth.log: attempts cost nothing."""

import os
import re
import time
from collections.abc import Iterable
from itertools import count

from arena.host import Door


class Writer:
    """Appends to the log. Every attempt has a process number and a port of its own, as with a real sshd."""

    def __init__(self, door: Door) -> None:
        self._path = door.outside(door.auth_log)
        self._numbers = count(10_000)

    def fail(self, addresses: Iterable[str]) -> None:
        """Append one failed attempt for each address, in this order, in one write."""
        self.append("".join(map(self.attempt, addresses)).encode())

    def attempt(self, address: str) -> str:
        """Give the two lines of one failed attempt, on an account that nobody else tries: this is no common attack."""
        account = "u" + re.sub(r"[^0-9a-f]", "x", address)
        number = next(self._numbers)
        begin = f"{time.strftime('%b %e %H:%M:%S')} door sshd[{number}]: "
        rhost = f"logname= uid=0 euid=0 tty=ssh ruser= rhost={address}  user={account}"
        return (
            f"{begin}pam_unix(sshd:auth): authentication failure; {rhost}\n"
            f"{begin}Failed password for {account} from {address} port {number + 20_000} ssh2\n"
        )

    def append(self, data: bytes) -> None:
        """Append bytes as they are."""
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(descriptor, data)
        finally:
            os.close(descriptor)
