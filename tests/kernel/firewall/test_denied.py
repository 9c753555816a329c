"""A deny filter ends what stands, as a block does: real connections lose their packets at the apply that brings it."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from tests.kernel.firewall.bases import apply, stand
from tests.kernel.firewall.sockets import as_user, connect, listening, talks
from tests.kernel.hosts import BEYOND, BEYOND6, CLIENT, CLIENT6, FAR, FAR6, SERVER, SERVER6, Trio
from tests.ruleset.laboratory import LABORATORY

from durward.catalog.traffic import parse_ports
from durward.config.filters import parse_filter
from durward.model import EVERYTHING, Standing, Subject
from durward.ruleset.levels import TABLE
from durward.ruleset.policy import Interface, Policy, Ports

pytestmark = pytest.mark.kernel
SILENCE_SECONDS = 0.3
OPEN = parse_ports("80,8080")
INBOUND = Ports(OPEN, OPEN, OPEN, OPEN)
SOMEBODY = 12_345
FAMILIES = pytest.mark.parametrize(("source", "to"), [(FAR[0], SERVER), (FAR6[0], SERVER6)], ids=["v4", "v6"])


def policy(*denied: str, allowed: tuple[str, ...] = (), **more: object) -> Policy:
    return Policy(
        inbound=INBOUND,
        deny_filters=tuple(map(parse_filter, denied)),
        allow_filters=tuple(map(parse_filter, allowed)),
        spoofing=LABORATORY,
        **{"inner_interfaces": ("inner",), **more},  # type: ignore[arg-type]
    )


def hears(one: socket.socket, other: socket.socket) -> bool:
    """Whether what one sends comes to the other."""
    other.settimeout(SILENCE_SECONDS)
    try:
        one.sendall(b"?")
        return other.recv(1) == b"?"
    except OSError:
        return False


@contextmanager
def standing(
    hosts: Trio, source: str, to: str, port: int, *, at_port: int | None = None, inner: bool = False
) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection from `source` that stands."""
    with ExitStack() as places:
        server = hosts.inner if inner else hosts.server
        door = places.enter_context(listening(server, at_port or port, six=":" in to))
        theirs = places.enter_context(connect(hosts.client, source, to, port))
        ours = places.enter_context(door.accept()[0])
        ours.settimeout(10)
        assert talks(theirs, ours)
        yield theirs, ours


@FAMILIES
@pytest.mark.parametrize(
    "denied",
    ["tcp|in|d=1_1000|s={source}", "tcp|in|s=1024_65535|s={source}", "tcp|in|d=80|d={to}", "tcp|in|d=*|s={source}"],
)
def test_what_stands_ends_at_the_apply(router: Trio, source: str, to: str, denied: str) -> None:
    apply(router.server, policy())
    with standing(router, source, to, 80) as (theirs, ours):
        apply(router.server, policy(denied.format(source=source, to=to)), "b")
        assert not hears(theirs, ours)


@FAMILIES
def test_another_address_and_another_port_stand(router: Trio, source: str, to: str) -> None:
    other = CLIENT6 if ":" in to else CLIENT
    apply(router.server, policy())
    with standing(router, other, to, 80) as a_stranger, standing(router, source, to, 8080) as at_another_port:
        apply(router.server, policy(f"tcp|in|d=1_1000|s={source}"), "b")
        assert hears(*a_stranger)
        assert hears(*at_another_port)


@FAMILIES
def test_allowed_means_passes_for_what_stands(router: Trio, source: str, to: str) -> None:
    denied = f"tcp|in|d=1_1000|s={source}"
    apply(router.server, policy())
    with standing(router, source, to, 80) as (theirs, ours):
        apply(router.server, policy(denied, allowed=(f"tcp|in|d=80|s={source}",)), "b")
        assert hears(theirs, ours)
        name = "allow6_128" if ":" in source else "allow4_32"
        stand(router.server, Standing("allow", Subject.parse(source), EVERYTHING, None, 1))
        apply(router.server, policy(denied))
        assert hears(theirs, ours)
        router.server.run("nft", "delete", "element", "inet", TABLE, name, f"{{ {source} }}")
        assert not hears(theirs, ours)


@FAMILIES
def test_a_trusted_interface_and_this_host_itself_are_not_asked(router: Trio, source: str, to: str) -> None:
    denied = ("tcp|in|d=1_1000|s=0.0.0.0/0", "tcp|in|d=1_1000|s=::/0")
    apply(router.server, policy())
    with (
        listening(router.server, 80, six=":" in to) as door,
        connect(router.server, to, to, 80) as theirs,
        door.accept()[0] as ours,
    ):
        apply(router.server, policy(*denied), "b")
        assert hears(theirs, ours)
    with standing(router, source, to, 8080) as (theirs, ours):
        apply(router.server, policy(*(one.replace("1_1000", "8000_9000") for one in denied)))
        assert not hears(theirs, ours)
    apply(router.server, policy(), "b")
    with standing(router, source, to, 80) as (theirs, ours):
        apply(router.server, policy(*denied, interfaces=(Interface("outer", "trusted"),)))
        assert hears(theirs, ours)


@pytest.mark.parametrize(("source", "to"), [(FAR[0], SERVER), (FAR6[0], SERVER6)], ids=["v4", "v6"])
def test_a_published_port_is_denied_by_the_port_that_was_asked_for(engine: Trio, source: str, to: str) -> None:
    apply(engine.server, policy())
    with standing(engine, source, to, 8080, at_port=80, inner=True) as (theirs, ours):
        apply(engine.server, policy(f"tcp|in|d=1_1000|s={source}"), "b")
        assert hears(theirs, ours)  # the container's port 80 is not what he asked for
        apply(engine.server, policy(f"tcp|in|d=8000_9000|s={source}"))
        assert not hears(theirs, ours)


@pytest.mark.parametrize(("ours", "theirs"), [(SERVER, CLIENT), (SERVER6, CLIENT6)], ids=["v4", "v6"])
@pytest.mark.parametrize("denied", ["tcp|out|d=1_1000|d={theirs}", f"tcp|out|d=81||u={SOMEBODY}"])
def test_what_leaves_ends_too(router: Trio, ours: str, theirs: str, denied: str) -> None:
    apply(router.server, policy())
    with listening(router.client, 81, six=":" in ours) as door:
        with as_user(SOMEBODY):
            sending = connect(router.server, ours, theirs, 81)
        with sending, door.accept()[0] as taking:
            assert talks(sending, taking)
            apply(router.server, policy(denied.format(theirs=theirs)), "b")
            assert not hears(sending, taking)


@pytest.mark.parametrize(("source", "to"), [(BEYOND, CLIENT), (BEYOND6, CLIENT6)], ids=["v4", "v6"])
def test_what_a_container_opened_ends_too(router: Trio, source: str, to: str) -> None:
    apply(router.server, policy())
    with (
        listening(router.client, 81, six=":" in to) as door,
        connect(router.inner, source, to, 81) as sending,
        door.accept()[0] as taking,
    ):
        assert talks(sending, taking)
        apply(router.server, policy(f"tcp|in|d=1_1000|s={to}"), "b")
        assert hears(sending, taking)  # it came in by no port of ours
        apply(router.server, policy(f"tcp|out|d=1_1000|d={to}"))
        assert not hears(sending, taking)


@FAMILIES
def test_datagrams_that_were_answered_are_judged_too(router: Trio, source: str, to: str) -> None:
    apply(router.server, policy())
    with listening(router.server, 80, six=":" in to, kind=socket.SOCK_DGRAM) as door:
        with router.client.inside():
            sending = socket.socket(door.family, socket.SOCK_DGRAM)
        with sending:
            sending.bind((source, 0))
            sending.connect((to, 80))
            sending.send(b"?")
            door.sendto(b"!", door.recvfrom(1)[1])
            assert sending.recv(1) == b"!"
            apply(router.server, policy(f"udp|in|d=1_1000|s={source}"), "b")
            assert not hears(sending, door)
