"""The names of the chains and sets that the kernel's table holds."""

import errno

from durward.privileged.failure import KernelError
from durward.privileged.messages import INET_BODY, SUBSYSTEM
from durward.privileged.netlink import NETFILTER, Netlink, attribute, attributes
from durward.ruleset.levels import TABLE
from durward.ruleset.switch import Present

GET_CHAIN, GET_SET = SUBSYSTEM | 4, SUBSYSTEM | 10
TABLE_OF, CHAIN_NAME, SET_NAME = 1, 3, 2  # NFTA_CHAIN_TABLE and NFTA_SET_TABLE, NFTA_CHAIN_NAME, NFTA_SET_NAME


def present() -> Present:
    """What is there now. Raises KernelError."""
    with Netlink(NETFILTER) as netlink:
        return Present(_names(netlink, GET_CHAIN, CHAIN_NAME), _names(netlink, GET_SET, SET_NAME))


def _names(netlink: Netlink, kind: int, name: int) -> frozenset[str]:
    # The kernel filters chains by family only: other tables' chains come too.
    wanted = attribute(TABLE_OF, f"{TABLE}\0".encode())
    try:
        found = [attributes(body[4:]) for _, body in netlink.dump(kind, INET_BODY + wanted)]
    except KernelError as error:
        if error.number == errno.ENOENT:  # sets are asked for by table, and there is none
            return frozenset()
        raise
    return frozenset(_text_of(one[name]) for one in found if _text_of(one[TABLE_OF]) == TABLE)


def _text_of(value: memoryview) -> str:
    return bytes(value).rstrip(b"\0").decode("utf-8", "replace")
