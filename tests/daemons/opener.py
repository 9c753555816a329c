"""The enforcer's half of opening sources, without a kernel: a door that answers every word that begins with `open`."""

import os
import select
import socket
import threading
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Self, cast

from durward.control.channel import answer, listen, receive
from durward.control.words import decode
from durward.daemons.door import Door
from durward.daemons.enforcer import Enforcer
from durward.privileged.opening import Sources


class OpeningDoor:
    """Opens what `globs` name, in a thread of its own, until it is closed; `door` is connected to it."""

    def __init__(self, directory: Path, globs: Iterable[str], journal_roots: Iterable[str] = ()) -> None:
        self._sources = Sources(globs, journal_roots)
        self._path = directory / "enforcer.sock"
        self._listener = listen(self._path, socket.SOCK_SEQPACKET, 0o600)
        self._ended, self._end = socket.socketpair()
        self._thread = threading.Thread(target=self._serve)
        self.door = Door(self._path)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self.door.connect()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()
        self.door.channel.close()

    def close(self) -> None:
        """Go away, as an enforcer that dies."""
        if self._end.fileno() < 0:
            return
        self._end.close()
        self._thread.join()
        self._ended.close()
        self._listener.close()
        self._sources.close()

    def _serve(self) -> None:
        ready = select.select([self._listener], [], [], 10)[0]
        assert ready
        connection, _ = self._listener.accept()
        enforcer = cast("Enforcer", SimpleNamespace(_sources=self._sources))
        enforcer._of_the_kernel = partial(Enforcer._of_the_kernel, enforcer)
        with connection:
            while connection in select.select([connection, self._ended], [], [])[0]:
                packet, _ = receive(connection)
                if not packet:
                    return
                reply, descriptors = Enforcer._open(enforcer, decode(packet))
                answer(connection, reply, descriptors)
                for descriptor in descriptors:
                    os.close(descriptor)
