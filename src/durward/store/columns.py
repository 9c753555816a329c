"""How the model's values are written into columns and read back."""

from functools import lru_cache
from typing import Any, get_args

from durward.model import Network, Scope, Subject
from durward.model.address import text_of
from durward.model.subject import Kind
from durward.store.errors import StoreCorruptError

TEXT_MAX = 4096  # characters of a text that came from outside; the rest is cut off
KINDS: tuple[Kind, ...] = get_args(Kind)


def stored(text: str, most: int = TEXT_MAX) -> str:
    """A text as it can be stored: cut to `most` characters; lone surrogates, which are no text, shown as escapes."""
    text = text[:most]
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def subject_of(kind: Any, value: Any) -> Subject:
    """The subject that two columns stand for. Raises StoreCorruptError where we cannot have written them."""
    if kind not in KINDS:
        raise StoreCorruptError(f"{kind!r} is no kind of subject")
    try:
        return Subject(kind, value)
    except (ValueError, TypeError, AttributeError) as error:
        raise StoreCorruptError(f"{value!r} is no {kind}: {error}") from error


@lru_cache(maxsize=1024)
def scope_of(text: str) -> Scope:
    """The scope that a column stands for. Raises StoreCorruptError."""
    try:
        return Scope.parse(text)
    except (ValueError, TypeError, AttributeError) as error:
        raise StoreCorruptError(f"{text!r} is no scope") from error


def canonical(scope: Scope) -> Scope:
    """The same scope with its ports in order and each once, so that two ways to write it are one key."""
    if len(scope.ports) < 2:
        return scope
    ports = sorted(set(scope.ports), key=lambda port: (port.number, port.protocol))
    return Scope(tuple(ports), scope.direction)


def containing(network: Network) -> list[str]:
    """The texts of all networks that contain `network`, itself first: 33 for an IPv4 address, 129 for an IPv6 one."""
    return [text_of(network.supernet(new_prefix=bits)) for bits in range(network.prefixlen, -1, -1)]


def network_of(subject: Subject) -> Network | None:
    """The addresses that a subject covers; None where it is a user, a process or a file."""
    return subject.network if subject.kind in ("address", "network") else None
