"""Elements as nftables text, so that a new skeleton and what belongs into it can be loaded in one transaction."""

from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from itertools import groupby

from durward.ruleset.elements import PROTOCOL_NUMBERS, Element
from durward.ruleset.levels import TABLE

PROTOCOL_NAMES = {number: name for name, number in PROTOCOL_NUMBERS.items()}


def filling(elements: Iterable[Element]) -> str:
    """Commands that add `elements`; to be put behind the text of a skeleton."""
    ordered = sorted(elements, key=lambda element: element.identity)
    return "".join(_commands(ordered))


def _commands(ordered: list[Element]) -> Iterator[str]:
    for name, group in groupby(ordered, key=lambda element: element.set_name):
        listed = ",\n".join(map(_element_text, group))
        yield f"add element inet {TABLE} {name} {{\n{listed}\n}}\n"


def _element_text(element: Element) -> str:
    text = _key_text(element.key)
    if element.timeout_seconds:
        # In days too, because nft takes no larger number of seconds than 32 bits of milliseconds have.
        seconds, milliseconds = divmod(max(round(element.timeout_seconds * 1000), 1), 1000)
        text += f" timeout {seconds // 86400}d{seconds % 86400}s{milliseconds}ms"
    # nft has no way to write a quotation mark within a string; our own comments have none.
    return text + (f' comment "{element.comment.replace(chr(34), chr(39))}"' if element.comment else "")


def _key_text(key: bytes) -> str:
    if len(key) in (4, 16):
        return str(ip_address(key))
    address, protocol, port = key[:-8], key[-8], int.from_bytes(key[-4:-2])
    return f"{ip_address(address)} . {PROTOCOL_NAMES[protocol]} . {port}"
