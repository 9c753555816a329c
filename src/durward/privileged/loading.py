"""Loads the skeleton with nft, in one transaction, and only where the table is not there already just so."""

import errno
import os
import subprocess
from collections import Counter
from collections.abc import Iterable
from io import FileIO
from pathlib import Path
from typing import Literal

from durward.privileged.failure import KernelError
from durward.privileged.messages import INET_BODY, SUBSYSTEM
from durward.privileged.netlink import ERROR, NETFILTER, Netlink, attribute, attributes, refusal_of, request
from durward.ruleset.elements import Element
from durward.ruleset.filling import filling
from durward.ruleset.levels import TABLE
from durward.ruleset.skeleton import marker_of, replacement, rule_counts

TableState = Literal["missing", "current", "different"]
DIRECTORIES = ("/usr/sbin", "/sbin", "/usr/bin", "/usr/local/sbin")
LOAD_SECONDS_MAX = 30
OUTPUT_BYTES_MAX = 4096  # of what nft says is kept
ENVIRONMENT = {"PATH": ":".join(DIRECTORIES), "LC_ALL": "C"}
GET_TABLE, GET_CHAIN, GET_RULE = SUBSYSTEM | 1, SUBSYSTEM | 4, SUBSYSTEM | 7
TABLE_NAME, TABLE_FLAGS, CHAIN_TABLE, CHAIN_NAME, RULE_TABLE, RULE_CHAIN = 1, 2, 1, 3, 1, 2


def load(text: str, elements: Iterable[Element] = ()) -> bool:
    """Make the kernel's table be the skeleton `text`; one that is current is left alone, with its live elements.

    Gives whether it had to be loaded. Then the table holds `elements` and no others: they come in the same transaction,
    so that nobody who is blocked gets through in between. Raises KernelError.
    """
    if table_state(text) == "current":
        return False
    run_nft(replacement(text) + filling(elements))
    return True


def unload() -> None:
    """Take the table away, with all blocks. Raises KernelError."""
    run_nft(f"table inet {TABLE}\ndelete table inet {TABLE}\n")


def table_state(text: str) -> TableState:
    """Whether the kernel has the skeleton `text`: its marker, awake, no rule missing or added. Raises KernelError."""
    table = f"{TABLE}\0".encode()
    with Netlink(NETFILTER) as netlink:
        found = _get(netlink, GET_TABLE, attribute(TABLE_NAME, table))
        if found is None:
            return "missing"
        marker = attribute(CHAIN_TABLE, table) + attribute(CHAIN_NAME, f"{marker_of(text)}\0".encode())
        asleep = any(attributes(found).get(TABLE_FLAGS, b""))
        if asleep or _get(netlink, GET_CHAIN, marker) is None:
            return "different"
        expected = rule_counts(text)
        return "current" if _rule_counts(netlink, table, expected) == expected else "different"


def run_nft(text: str) -> None:
    """Have nft load `text` as one transaction. Raises KernelError with what it said."""
    with _memory("rules", text.encode()) as rules, _memory("said", b"") as said:
        try:
            done = subprocess.run(
                [_nft_path(), "-f", "-"],
                stdin=rules,
                stdout=said,
                stderr=said,
                env=ENVIRONMENT,
                cwd="/",
                timeout=LOAD_SECONDS_MAX,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise KernelError(f"nft took more than {LOAD_SECONDS_MAX} s", errno.ETIMEDOUT) from None
        if done.returncode:
            output = os.pread(said.fileno(), OUTPUT_BYTES_MAX, 0).decode("utf-8", "replace").strip()
            raise KernelError(f"nft refused the rules: {output or f'exit status {done.returncode}'}")


def _memory(name: str, content: bytes) -> FileIO:
    file = FileIO(os.memfd_create(name, os.MFD_CLOEXEC), "r+b")
    file.write(content)
    file.seek(0)
    return file


def _nft_path() -> str:
    for directory in DIRECTORIES:
        path = Path(directory, "nft")
        if os.access(path, os.X_OK):
            return str(path)
    raise KernelError(f"nft is not installed; looked in {' '.join(DIRECTORIES)}", errno.ENOENT)


def _get(netlink: Netlink, kind: int, wanted: bytes) -> bytes | None:
    sequence = netlink.numbers()
    netlink.send(request(kind, 0, sequence, INET_BODY + wanted))
    while True:
        for message in netlink.receive():
            if message.sequence != sequence:
                continue
            if message.type != ERROR:
                return bytes(message.body[4:])
            refusal = refusal_of(message)
            if refusal.number == errno.ENOENT:
                return None
            raise KernelError(f"the kernel does not tell of its tables: {refusal.text}", refusal.number)


def _rule_counts(netlink: Netlink, table: bytes, chains: Iterable[str]) -> dict[str, int]:
    rules = [attributes(body[4:]) for _, body in netlink.dump(GET_RULE, INET_BODY + attribute(RULE_TABLE, table))]
    counted = Counter(_text_of(rule[RULE_CHAIN]) for rule in rules if _text_of(rule[RULE_TABLE]) == TABLE)
    return {chain: counted[chain] for chain in chains}


def _text_of(value: memoryview) -> str:
    return bytes(value).rstrip(b"\0").decode("utf-8", "replace")
