"""A network of our own that is thrown away: work done by a child process in a network namespace that nobody else is in.

Nothing that is done there can reach the host's own network. The namespace goes with the process.
"""

import ctypes
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from durward.facts.failure import FactsError

CLONE_NEWNET = 0x40000000
SECONDS_MAX = 60  # then the kernel ends the child, and there is no answer
ANSWER_BYTES_MAX = 16 << 20  # a longer answer is refused
OWN_NAMESPACE = Path("/proc/self/ns/net")


def in_throwaway_network(work: Callable[[], Any]) -> Any:
    """Do `work`, which gives what JSON can say, in a new network namespace; give the same. Raises FactsError."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work(work, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as answers:
        answer = answers.read(ANSWER_BYTES_MAX)
    os.waitpid(child, 0)
    try:
        given = json.loads(answer)
    except ValueError:
        raise FactsError(f"the throw-away network gave no answer within {SECONDS_MAX} s") from None
    if "error" in given:
        raise FactsError(f"in a throw-away network: {given['error']}")
    return given["done"]


def _work(work: Callable[[], Any], writing: int) -> NoReturn:
    """The child's life. It must not come back into the parent's code."""
    answer: dict[str, Any] = {}
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(SECONDS_MAX)
        _leave()
        answer = {"done": work()}
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent is to say it
        answer = {"error": str(error) or type(error).__name__}
    finally:
        try:
            with os.fdopen(writing, "wb") as answers:
                answers.write(json.dumps(answer).encode())
        finally:
            os._exit(0)


def _leave() -> None:
    """Leave the host's network for a new one, and make sure of it. Raises FactsError."""
    home = OWN_NAMESPACE.stat().st_ino
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(CLONE_NEWNET) != 0:
        raise FactsError(f"it cannot be made: {os.strerror(ctypes.get_errno())}")
    if OWN_NAMESPACE.stat().st_ino == home:
        raise FactsError("it is still the host's own")
