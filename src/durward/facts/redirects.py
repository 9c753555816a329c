"""Reads the redirect list, in the grammar of csf.redirect: `*|666|*|25|tcp`, one a line, `#` begins a comment."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Literal

from durward.catalog.document import Problem, ProblemsError
from durward.model import InvalidAddressError, parse_address
from durward.ruleset.policy import Redirect

FILE_BYTES_MAX = 1 << 20  # a larger file is refused
REDIRECTS_MAX = 10_000  # more lines are refused
EXPECTED = "ADDRESS|PORT|TO_ADDRESS|TO_PORT|tcp was expected, where * is any address or port, or this host"


def read_redirects(path: Path, forwards: Collection[int] = (4, 6)) -> tuple[Redirect, ...]:
    """Read the list; empty where the file is not there. Raises ProblemsError with everything that is wrong with it.

    `forwards` are the versions of IP that this host forwards: what leads to another machine would go nowhere otherwise.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise ProblemsError([Problem(str(path), 1, "", error.strerror or "cannot be read")]) from None
    if len(raw) > FILE_BYTES_MAX:
        raise ProblemsError([Problem(str(path), 1, "", f"is larger than {FILE_BYTES_MAX} bytes")])
    found: dict[Redirect, tuple[int, Redirect]] = {}  # by what is asked for
    problems: list[Problem] = []
    for number, line in enumerate(raw.decode("utf-8", "replace").splitlines(), 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        try:
            redirect = parse_redirect(text)
            wider = (found[asked] for asked in _wider(redirect) if asked in found)
            first = next(wider, None) or found.setdefault(_asked(redirect), (number, redirect))
            _check_effect(redirect, first, forwards)
        except ValueError as error:
            problems.append(Problem(str(path), number, "", str(error)))
    if len(found) > REDIRECTS_MAX:
        problems.append(Problem(str(path), 1, "", f"holds more than {REDIRECTS_MAX} redirects"))
    if problems:
        raise ProblemsError(problems)
    return tuple(redirect for _, redirect in found.values())


def _asked(redirect: Redirect) -> Redirect:
    return replace(redirect, to_address=None, to_port=None)


def _wider(redirect: Redirect) -> tuple[Redirect, ...]:
    """What an earlier line may ask for that takes in all that this one asks for."""
    asked = _asked(redirect)
    any_address, any_port = replace(asked, address=None), replace(asked, port=None)
    return tuple(one for one in (any_address, any_port) if one != asked)


def _check_effect(redirect: Redirect, first: tuple[int, Redirect], forwards: Collection[int]) -> None:
    """Raises ValueError where a line could have no effect; `first` is the first one that asks for the same."""
    if first[1] != redirect:
        raise ValueError(f"line {first[0]} leads the same elsewhere already, so this one has no effect")
    if redirect.to_address is not None:
        version = 6 if ":" in redirect.to_address else 4
        if version not in forwards:
            setting = "net.ipv6.conf.all.forwarding" if version == 6 else "net.ipv4.ip_forward"
            what = f"leads to another machine, and this host does not forward IPv{version}"
            raise ValueError(f"{what}: set {setting} = 1 in /etc/sysctl.d and with sysctl -w")


def parse_redirect(text: str) -> Redirect:
    """Read one line. Raises ValueError, which says what was expected."""
    parts = [part.strip() for part in text.split("|")]
    if len(parts) != 5 or parts[4].lower() not in ("tcp", "udp"):
        raise ValueError(f"{text!r} is no redirect; {EXPECTED}")
    protocol: Literal["tcp", "udp"] = "udp" if parts[4].lower() == "udp" else "tcp"
    address, port, to_address, to_port = _address(parts[0]), _port(parts[1]), _address(parts[2]), _port(parts[3])
    if (port is None) != (to_port is None):
        raise ValueError(f"{text!r} has one port; both or none were expected")
    if to_address is None and port is None:
        raise ValueError(f"{text!r} leads nowhere else; a port or an address to lead to was expected")
    if to_address is not None and address is None:
        raise ValueError(f"{text!r} leads to another host; the address of this host that it is for was expected first")
    if address and to_address and (":" in address) != (":" in to_address):
        raise ValueError(f"{text!r} leads from one version of IP to the other, which no redirect does")
    return Redirect(protocol, address, port, to_address, to_port)


def _address(text: str) -> str | None:
    try:
        return None if text == "*" else str(parse_address(text))
    except InvalidAddressError as error:
        raise ValueError(f"{error}; {EXPECTED}") from None


def _port(text: str) -> int | None:
    if text == "*":
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= 65535):
        raise ValueError(f"{text!r} is no port; {EXPECTED}")
    return int(text)
