"""All elements that the kernel has now, so that they can be carried over into a table that is made anew."""

import errno
from collections.abc import Iterable

from durward.privileged.failure import KernelError
from durward.privileged.messages import INET_BODY, LIST_SET, LIST_TABLE, SUBSYSTEM, elements_in
from durward.privileged.netlink import NETFILTER, Netlink, attribute
from durward.ruleset.elements import Element
from durward.ruleset.levels import TABLE

GET_ELEMENTS = SUBSYSTEM | 13


def elements_there(set_names: Iterable[str]) -> list[Element]:
    """What these sets hold; of a set that is not there, nothing. Raises KernelError.

    It takes about a second for a hundred thousand: for the beginning and for repairs, when no decision waits.
    """
    with Netlink(NETFILTER) as netlink:
        return [element for name in set_names for element in _elements(netlink, name)]


def _elements(netlink: Netlink, name: str) -> list[Element]:
    wanted = attribute(LIST_TABLE, f"{TABLE}\0".encode()) + attribute(LIST_SET, f"{name}\0".encode())
    try:
        found = netlink.dump(GET_ELEMENTS, INET_BODY + wanted)
    except KernelError as error:
        if error.number == errno.ENOENT:
            return []
        raise
    return [element for _, body in found for element in elements_in(memoryview(body))]
