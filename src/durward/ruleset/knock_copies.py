"""The rules that copy authorised knocks to whoever verifies them. They decide nothing: no packet ends here.

They stand before the blocks, or who is blocked could not knock. What they copy goes on as every other packet to that
port, so a scan sees what it sees of all closed ports. Packets that name a known key have a share of their own: a flood
by somebody who never saw a knock takes nothing away from those who may.
"""

import hashlib
from collections.abc import Iterable, Iterator

from durward.catalog.traffic import Rate
from durward.model.knock import KEY_ID_BYTES, KNOCK_BYTES, VERSION
from durward.ruleset.levels import TABLE
from durward.ruleset.matching import VERSIONS, chain, meter, of_version, rate_text, source_of
from durward.ruleset.switch import Present

GROUP = 6  # of NFLOG; nobody else may listen to it meanwhile
PREFIX = "dw:knock"
COPY_BYTES_MAX = 256  # both headers with options, and the knock
HOOK = "type filter hook prerouting priority -310; policy accept;"  # after fragments are put together, before blocks
# Named as what leads into the firewall, so that whoever mends the table lets them be.
LEAD = "firewall_knock"
BASE, ALL = LEAD, f"{LEAD}_copies"
UDP_BYTES = 8 + KNOCK_BYTES
SHARE = Rate(1, 1, 10)  # of one source
TOTAL = Rate(500, 1, 500)  # holds alone where the meter is full
UNKNOWN_TOTAL = Rate(5, 1, 10)  # of packets that name no known key: enough to tell the administrator of them
MEMORY_SECONDS = 60
METERS = {"knockers4": "ipv4", "knockers6": "ipv6"}
COPY = f'log prefix "{PREFIX}" group {GROUP} snaplen {COPY_BYTES_MAX}'


def knock_copies(port: int, key_ids: Iterable[bytes], block_prefix_v6: int, present: Present) -> str:
    """Commands, one transaction, that have knocks at UDP `port` copied; without port or key they take the rules away.

    Empty where the kernel has just these rules. `present` is what it has now.
    """
    known = sorted(set(key_ids))
    there = sorted(name for name in present.chains if name.startswith(LEAD))
    if not port or not known:
        return _removal(there) + "".join(f"delete set inet {TABLE} {name}\n" for name in METERS if name in present.sets)
    rules = (f"udp dport {port} fib daddr type local jump {ALL}", *_of_all(known), *_of_known_keys(block_prefix_v6))
    known_chain = f"{LEAD}_{hashlib.sha256(repr(rules).encode()).hexdigest()[:16]}"
    if there == sorted((BASE, ALL, known_chain)):
        return ""
    sets = "".join(f"\t{meter(name, f'{kind}_addr', MEMORY_SECONDS)}\n" for name, kind in METERS.items())
    way, *others = (rule.replace("KNOWN", known_chain) for rule in rules)
    count = len(list(_of_all(known)))
    chains = (chain(known_chain, others[count:]), chain(ALL, others[:count]), chain(BASE, (HOOK, way)))
    return f"{_removal(there)}table inet {TABLE} {{\n{sets}" + "\n".join(chains) + "\n}\n"


def _removal(there: list[str]) -> str:
    """Flushed first, because one leads to the other."""
    return "".join(f"{act} chain inet {TABLE} {name}\n" for act in ("flush", "delete") for name in there)


def _of_all(known: list[bytes]) -> Iterator[str]:
    """What has not the form of a knock is nobody's mistake but a scanner's: it is not even told of."""
    yield f"udp length != {UDP_BYTES} counter return"
    keys = ", ".join(f"0x{key.hex()}" for key in known)
    yield f"@th,64,8 {VERSION} @th,72,{KEY_ID_BYTES * 8} {{ {keys} }} goto KNOWN"
    yield f"{rate_text(UNKNOWN_TOTAL, over=False)} counter {COPY}"


def _of_known_keys(block_prefix_v6: int) -> Iterator[str]:
    for version in VERSIONS:
        source = source_of(version, block_prefix_v6)
        share = f"update @knockers{version} {{ {source} {rate_text(SHARE, over=True)} }}"
        yield f"{of_version(version)} {share} counter return"
    yield f"{rate_text(TOTAL, over=False)} counter {COPY}"
