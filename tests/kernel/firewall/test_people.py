"""Rules about who: allowed addresses in the skeleton's sets, users who send mail, whom a redirect shows."""

import socket

import pytest
from tests.kernel.firewall.bases import apply
from tests.kernel.firewall.probes import probe
from tests.kernel.firewall.sockets import as_user, connect, listening
from tests.kernel.hosts import BEYOND, BEYOND6, CLIENT, CLIENT6, FAR, FAR6, SERVER, SERVER6, Trio
from tests.ruleset.golden import Case, cases
from tests.ruleset.laboratory import LABORATORY

from durward.catalog.traffic import parse_ports
from durward.config.filters import parse_filter
from durward.ruleset.levels import TABLE
from durward.ruleset.policy import Policy, Ports, Smtp

pytestmark = pytest.mark.kernel
CASES: dict[str, Case] = {case.name: case for case in cases()}
MAIL_USER, SOMEBODY = 8, 12_345


def allow(hosts: Trio, name: str, element: str) -> None:
    hosts.server.run("nft", "add", "element", "inet", TABLE, name, f"{{ {element} timeout 1h }}")


@pytest.mark.parametrize(
    ("name", "element", "source", "to"),
    [
        ("allow4_32", FAR[0], FAR[0], SERVER),
        ("allow4_24", "198.51.100.0", FAR[0], SERVER),
        ("allow4_16", "10.20.0.0", FAR[3], SERVER),
        ("allow6_64", "2001:db8:2::", FAR6[0], SERVER6),
        ("allow6_48", "2001:db8:2::", FAR6[0], SERVER6),
    ],
)
def test_the_allowed_reach_everything(engine: Trio, name: str, element: str, source: str, to: str) -> None:
    denied = tuple(map(parse_filter, (f"tcp|in|d=81|s={source}", f"icmp|in|d=ping|s={source}")))
    apply(engine.server, Policy(deny_filters=denied, outbound=Ports(udp4=parse_ports("123")), spoofing=LABORATORY))
    assert probe("tcp", engine.client, source, to, 81, "silent") == "silent"
    allow(engine, name, element)
    for protocol, port in (("tcp", 81), ("udp", 5), ("ping", 0), ("tcp", 8080)):
        assert probe(protocol, engine.client, source, to, port) == "passes"
    assert probe("tcp", engine.client, source, BEYOND6 if ":" in to else BEYOND, 81) == "passes"
    assert probe("tcp", engine.server, to, source, 4444) == "passes"


@pytest.mark.parametrize(("version", "source", "to"), [(4, FAR[0], SERVER), (6, FAR6[0], SERVER6)])
def test_those_allowed_at_some_ports_reach_these(engine: Trio, version: int, source: str, to: str) -> None:
    apply(engine.server, Policy(spoofing=LABORATORY))
    name = f"allow_ports{version}_{32 if version == 4 else 128}"
    allow(engine, name, f"{source} . tcp . 81")
    allow(engine, name, f"{source} . tcp . 8080")
    assert probe("tcp", engine.client, source, to, 81) == "passes"
    assert probe("tcp", engine.client, source, to, 8080) == "passes"  # by the port that was asked for
    assert probe("tcp", engine.client, source, to, 82, "silent") == "silent"
    assert probe("tcp", engine.client, source, to, 8081, "silent") == "silent"  # which leads to the container's 8080


def test_destinations_that_are_allowed_are_reached(router: Trio) -> None:
    apply(router.server, Policy(outbound=Ports(tcp4=parse_ports("80")), spoofing=LABORATORY))
    assert probe("tcp", router.server, SERVER, FAR[0], 81) == "rejected"
    allow(router, "allow_out4_32", FAR[0])
    allow(router, "allow_out_ports4_32", f"{FAR[1]} . tcp . 82")
    assert probe("tcp", router.server, SERVER, FAR[0], 81) == "passes"
    assert probe("tcp", router.server, SERVER, FAR[1], 82) == "passes"
    assert probe("tcp", router.server, SERVER, FAR[1], 81) == "rejected"


@pytest.mark.parametrize(("ours", "theirs"), [(SERVER, CLIENT), (SERVER6, CLIENT6)])
def test_only_mail_users_send_mail(router: Trio, ours: str, theirs: str) -> None:
    apply(router.server, CASES["smtp"].policy)
    with as_user(SOMEBODY):
        assert probe("tcp", router.server, ours, theirs, 25) == "rejected"
        assert probe("tcp", router.server, ours, theirs, 80) == "passes"
    with as_user(MAIL_USER):
        assert probe("tcp", router.server, ours, theirs, 25) == "passes"
    with as_user(SOMEBODY), listening(router.server, 25, six=":" in ours), connect(router.server, ours, ours, 25):
        pass  # to this host itself everybody sends


def test_an_allow_filter_lets_one_user_send_mail(router: Trio) -> None:
    allowed = (parse_filter(f"tcp|out|d=25||u={SOMEBODY}"),)
    policy = CASES["smtp"].policy
    apply(router.server, Policy(smtp=policy.smtp, allow_filters=allowed, spoofing=LABORATORY))
    with as_user(SOMEBODY):
        assert probe("tcp", router.server, SERVER, CLIENT, 25) == "passes"
    with as_user(SOMEBODY + 1):
        assert probe("tcp", router.server, SERVER, CLIENT, 25) == "rejected"


@pytest.mark.parametrize(("ours", "theirs"), [(SERVER, CLIENT), (SERVER6, CLIENT6)])
def test_mail_of_others_is_led_to_our_own_server(router: Trio, ours: str, theirs: str) -> None:
    apply(router.server, CASES["smtp_redirect"].policy)
    with (
        listening(router.server, 2500, six=":" in ours) as here,
        listening(router.client, 25, six=":" in ours) as there,
    ):
        with as_user(SOMEBODY), connect(router.server, ours, theirs, 25):
            here.accept()[0].close()
        with as_user(MAIL_USER), connect(router.server, ours, theirs, 25):
            there.accept()[0].close()


@pytest.mark.parametrize(("ours", "theirs"), [(SERVER, CLIENT), (SERVER6, CLIENT6)])
def test_mail_that_is_led_here_stays_at_its_port(router: Trio, ours: str, theirs: str) -> None:
    apply(router.server, Policy(outbound=Ports(), smtp=Smtp(users=(MAIL_USER,), redirected=True), spoofing=LABORATORY))
    for port in (25, 587):
        with (
            listening(router.server, port, six=":" in ours) as here,
            as_user(SOMEBODY),
            connect(router.server, ours, theirs, port),
        ):
            here.accept()[0].close()
    with (
        as_user(MAIL_USER),
        listening(router.client, 587, six=":" in ours) as there,
        connect(router.server, ours, theirs, 587),
    ):
        there.accept()[0].close()


@pytest.mark.parametrize(
    ("source", "to", "shown"), [(CLIENT, SERVER, "203.0.113.99"), (CLIENT6, SERVER6, "2001:db8:b::2")]
)
def test_a_redirect_to_another_machine_answers_by_this_one(router: Trio, source: str, to: str, shown: str) -> None:
    apply(router.server, CASES["redirects"].policy)
    with listening(router.inner, 80, six=":" in to) as door, connect(router.client, source, to, 8000):
        accepted, peer = door.accept()
        accepted.close()
    assert peer[0] == shown


def test_a_target_that_answers_by_this_host_sees_who_asked(router: Trio) -> None:
    apply(router.server, CASES["redirects"].policy)
    with listening(router.inner, 81, kind=socket.SOCK_DGRAM) as door:
        probe("udp", router.client, CLIENT, SERVER, 8001, "silent")
        assert door.recvfrom(10)[1][0] == CLIENT


def test_a_redirect_within_this_host_arrives(router: Trio) -> None:
    apply(router.server, CASES["redirects"].policy)
    with listening(router.server, 4000) as door, connect(router.client, CLIENT, SERVER, 2222):
        accepted, peer = door.accept()
        accepted.close()
    assert peer[0] == CLIENT
    with listening(router.server, 4000, six=True) as door, connect(router.client, CLIENT6, SERVER6, 2222):
        door.accept()[0].close()


def test_a_deny_filter_holds_for_a_redirected_port_too(router: Trio) -> None:
    denied = tuple(map(parse_filter, ("tcp|in|d=2222|s=192.0.2.2", "tcp|in|d=4000|s=198.51.100.1")))
    redirects = CASES["redirects"].policy.redirects
    apply(router.server, Policy(redirects=redirects, deny_filters=denied, inner_interfaces=(), spoofing=LABORATORY))
    assert probe("tcp", router.client, CLIENT, SERVER, 2222, "silent") == "silent"
    assert probe("tcp", router.client, FAR[0], SERVER, 2222, "silent") == "silent"
    assert probe("tcp", router.client, FAR[1], SERVER, 2222) == "passes"


@pytest.mark.parametrize("helper", [True, False])
def test_the_data_connections_of_ftp(router: Trio, helper: bool) -> None:
    ports = parse_ports("21")
    apply(
        router.server,
        Policy(
            inbound=Ports(tcp4=ports), outbound=Ports(tcp4=parse_ports("80")), ftp_helper=helper, spoofing=LABORATORY
        ),
    )
    with listening(router.server, 21) as door, connect(router.client, CLIENT, SERVER, 21) as theirs:
        ours, _ = door.accept()
        with ours:
            ours.sendall(b"220 ready\r\n")
            theirs.recv(100)
            theirs.sendall(b"USER somebody\r\n")  # the kernel reads on from the end of a line that it has seen
            ours.recv(100)
            theirs.sendall(b"PORT 192,0,2,2,78,32\r\n")
            ours.recv(100)
            data = probe("tcp", router.server, SERVER, CLIENT, 78 * 256 + 32, source_port=20)
    assert data == ("passes" if helper else "rejected")


def test_dhcp_and_dns_work_without_a_port_in_the_lists(router: Trio) -> None:
    apply(
        router.server,
        Policy(outbound=Ports(tcp4=parse_ports("80")), inner_interfaces=("inner",), spoofing=LABORATORY),
    )
    assert probe("udp", router.client, CLIENT, SERVER, 68, source_port=67) == "passes"
    assert probe("udp", router.client, CLIENT, SERVER, 68, "silent", source_port=66) == "silent"
    assert probe("udp", router.server, SERVER, CLIENT, 67, source_port=68) == "passes"
    assert probe("udp", router.server, SERVER, CLIENT, 4444, source_port=53) == "rejected"
    for protocol in ("tcp", "udp"):
        assert probe(protocol, router.inner, BEYOND, "203.0.113.99", 53) == "passes"
        assert probe(protocol, router.inner, BEYOND, "203.0.113.99", 54, "silent") == "silent"
