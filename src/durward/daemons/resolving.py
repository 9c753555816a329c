"""Asks the name service, through the host's own resolver. Every answer may come from an attacker's name server.

The resolver of the C library asks as /etc/resolv.conf and nsswitch.conf say, so that stub resolvers, /etc/hosts and
systemd-resolved work as for every other program. It blocks: call this in a thread that nobody waits for.
"""

import os
import socket
from contextlib import suppress

from durward.catalog.host_names import InvalidNameError, parse_host_name
from durward.control.naming import ADDRESSES_MAX, Answer, Outcome, Question
from durward.model import InvalidAddressError, parse_address

NAMES_MAX = 4  # of one address are tried; whoever gives it more has to live with these
# Quicker than by default, so that dead name servers hold no thread for half a minute; what the host sets is kept.
OPTIONS = "timeout:2 attempts:2"
# No search list: a name that an attacker wrote is the whole name, and is asked for as it stands.
WITHOUT_SEARCH = "."
HOST_NOT_FOUND, NO_DATA = 1, 4  # netdb.h: the name service has said no
NO_SUCH_NAME = (socket.EAI_NONAME, socket.EAI_NODATA)


class UnansweredError(OSError):
    """The name service did not say yes and did not say no."""


def prepare() -> None:
    """Set how this process asks; before it asks for the first time."""
    os.environ.setdefault("RES_OPTIONS", OPTIONS)
    os.environ["LOCALDOMAIN"] = WITHOUT_SEARCH


def resolve(question: Question) -> Answer:
    """Answer a question; `failed` where the name service cannot be asked. Takes as long as the resolver does."""
    try:
        if question.kind == "name":
            addresses = addresses_of(question.value)
            outcome: Outcome = "found" if addresses else "nameless"
            return Answer(question.id, outcome, addresses=addresses[:ADDRESSES_MAX])
        return _confirm(question)
    except UnansweredError:
        return Answer(question.id, "failed")


def _confirm(question: Question) -> Answer:
    """The first name of an address that leads back to it. Whoever has an address can give it any name at all."""
    claimed = names_of(question.value)
    unanswered = False
    for name in claimed:
        try:
            if question.value in addresses_of(name):
                return Answer(question.id, "confirmed", name)
        except UnansweredError:
            unanswered = True
    if unanswered:
        return Answer(question.id, "failed")
    return Answer(question.id, "denied", claimed[0]) if claimed else Answer(question.id, "nameless")


def names_of(address: str) -> list[str]:
    """What an address claims to be called: NAMES_MAX at most, without what is no name. Raises UnansweredError."""
    try:
        first, more, _addresses = socket.gethostbyaddr(address)
    except socket.herror as error:
        if error.errno in (HOST_NOT_FOUND, NO_DATA):
            return []
        raise UnansweredError(str(error)) from None
    except (OSError, UnicodeError) as error:  # gaierror: the address itself
        raise UnansweredError(str(error)) from None
    names = []
    for text in (first, *more)[:NAMES_MAX]:
        with suppress(InvalidNameError):
            names.append(parse_host_name(text))
    return list(dict.fromkeys(names))


def addresses_of(name: str) -> tuple[str, ...]:
    """The addresses of a canonical name, in canonical text; none where there are none. Raises UnansweredError."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno in NO_SUCH_NAME:
            return ()
        raise UnansweredError(str(error)) from None
    except (OSError, UnicodeError) as error:
        raise UnansweredError(str(error)) from None
    addresses = []
    for _family, _type, _protocol, _canonical, place in found:
        with suppress(InvalidAddressError):
            addresses.append(str(parse_address(str(place[0]))))
    return tuple(dict.fromkeys(addresses))
