"""The resolver against a real name server: good, missing, lying, slow, dead and mangled answers."""

import ctypes
import json
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.daemons.forked import forked
from tests.daemons.nameserver import HOST, PTR, A, NameServer, Zone, host, pointer
from tests.kernel.namespaces import Namespace

from durward.control.naming import Kind, Question
from durward.daemons.resolving import prepare, resolve
from durward.daemons.seclusion import CLONE_NEWNS, MS_BIND, MS_PRIVATE, MS_REC, libc

pytestmark = pytest.mark.kernel

CRAWLER = "crawl-203-0-113-7.googlebot.com"
ZONE: Zone = {
    **host(CRAWLER, "203.0.113.7"),
    **host("mail.example.com", "203.0.113.20", "2001:db8::20"),
    (pointer("198.51.100.9"), PTR): [CRAWLER],  # a lie: the name does not lead back
    (pointer("198.51.100.10"), PTR): ["198.51.100.10"],  # a name that would be taken for an address
    (pointer("198.51.100.11"), PTR): ["0xc633640b"],
    (pointer("198.51.100.12"), PTR): ['"; rm -rf \x1b.example.com'],
    (pointer("198.51.100.13"), PTR): ["a" * 63 + "." + "b" * 63 + "." + "c" * 63 + ".example.com"],
    (pointer("198.51.100.14"), PTR): ["one.example.net", "two.example.net"],
    ("two.example.net", A): ["198.51.100.14"],
    ("one.example.net", A): ["192.0.2.1"],
    (pointer("198.51.100.15"), PTR): ["short.example"],
    ("short.example.example.org", A): ["198.51.100.15"],  # the search list of the host must not make it true
    ("many.example.net", A): [f"192.0.2.{number}" for number in range(1, 25)],
}


@pytest.fixture
def network() -> Iterator[Namespace]:
    made = Namespace()
    yield made
    made.close()


def asked(network: Namespace, directory: Path, *questions: tuple[Kind, str]) -> list[Any]:
    """What the resolver answers in a process whose name server is ours."""
    settings = directory / "resolv.conf"
    settings.write_text(f"nameserver {HOST}\nsearch example.org\noptions timeout:1 attempts:1\n")

    def within() -> str:
        with network.inside():
            assert libc.unshare(CLONE_NEWNS) == 0
            libc.mount(b"none", b"/", None, ctypes.c_ulong(MS_REC | MS_PRIVATE), None)
            assert libc.mount(str(settings).encode(), b"/etc/resolv.conf", None, ctypes.c_ulong(MS_BIND), None) == 0
            prepare()
            os.environ["RES_OPTIONS"] = "timeout:1 attempts:1"
            answers = [resolve(Question(1, kind, value)) for kind, value in questions]
        return json.dumps([[one.outcome, one.name, list(one.addresses)] for one in answers])

    return json.loads(forked(within))  # type: ignore[no-any-return]


def answer(network: Namespace, directory: Path, address: str) -> list[Any]:
    return asked(network, directory, ("address", address))[0][:2]  # type: ignore[no-any-return]


def test_names_that_lead_back_are_confirmed_and_no_others(network: Namespace, tmp_path: Path) -> None:
    wanted = {
        "203.0.113.7": ["confirmed", CRAWLER],
        "2001:db8::20": ["confirmed", "mail.example.com"],
        "198.51.100.9": ["denied", CRAWLER],
        "198.51.100.10": ["nameless", ""],
        "198.51.100.11": ["nameless", ""],
        "198.51.100.12": ["nameless", ""],
        "198.51.100.13": ["denied", "a" * 63 + "." + "b" * 63 + "." + "c" * 63 + ".example.com"],
        "198.51.100.15": ["denied", "short.example"],
        "192.0.2.99": ["nameless", ""],
    }
    with NameServer(network, ZONE):
        found = asked(network, tmp_path, *(("address", address) for address in wanted))
    assert {address: one[:2] for address, one in zip(wanted, found, strict=True)} == wanted


def test_addresses_of_a_name(network: Namespace, tmp_path: Path) -> None:
    with NameServer(network, ZONE) as server:
        names = ("mail.example.com", "many.example.net", "gone.example.net", "short.example")
        mail, many, gone, short = asked(network, tmp_path, *(("name", name) for name in names))
        assert sorted(mail[2]) == ["2001:db8::20", "203.0.113.20"]
        assert len(many[2]) == 24
        assert gone == ["nameless", "", []]
        assert short == ["nameless", "", []]
        assert not [name for name in server.asked if name.endswith("example.org")]


def test_no_answer_is_no_no(network: Namespace, tmp_path: Path) -> None:
    with NameServer(network, dict(ZONE)) as server:
        server.dead = {pointer("203.0.113.7")}
        server.broken = {"mail.example.com"}
        server.delays = {pointer("198.51.100.9"): 0.5}
        assert answer(network, tmp_path, "203.0.113.7") == ["failed", ""]
        assert answer(network, tmp_path, "203.0.113.20") == ["failed", ""]
        assert answer(network, tmp_path, "198.51.100.9") == ["denied", CRAWLER]
        assert asked(network, tmp_path, ("name", "mail.example.com"))[0][0] == "failed"
    assert answer(network, tmp_path, "203.0.113.7") == ["failed", ""], "nobody is there at all"


def test_nothing_that_a_name_server_says_confirms_a_stranger_or_breaks_the_resolver(
    network: Namespace, tmp_path: Path
) -> None:
    chance = random.Random(20261123)

    def mangled() -> Callable[[bytes], bytes]:
        def mangle(packet: bytes) -> bytes:
            body = bytearray(packet)
            for _ in range(chance.randrange(1, 6)):
                body[chance.randrange(12, len(body))] = chance.randrange(256)
            return bytes(body[: chance.randrange(12, len(body) + 1)])

        return mangle

    with NameServer(network, dict(ZONE)) as server:
        server.mangle = mangled()
        found = asked(network, tmp_path, *(("address", "198.51.100.9") for _ in range(15)))
    assert {one[0] for one in found} <= {"denied", "nameless", "failed"}
