"""Port scans by nmap against a running durward: every kind, both families, whether anything of ours runs or not."""

import re
import shutil
import time
from collections.abc import Iterator

import pytest
from arena.attacker import Answer
from arena.network import DOOR_IPV4, DOOR_IPV6, ROUTER_IPV4, ROUTER_IPV6
from tests.attacks.firewalled import OPEN, Firewalled
from tests.attacks.scene import SILENCE_SECONDS, is_silent

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(shutil.which("nmap") is None, reason="nmap is not installed"),
]
PORTS = "1,3,6,7,9,13,17,19,20,21,24,25,26,30,32,33,37,42,43,49"  # twenty that are closed
PROBED_MAX = 12
KINDS = ("-sS", "-sF", "-sX", "-sN", "-sA", "-sM", "-sY", "-sO", "-sU")
FAMILIES = pytest.mark.parametrize("ipv6", [False, True], ids=["IPv4", "IPv6"])
FAST = ("-T4", "--max-retries", "0")
LATE = (
    ("-sA", "-g", "443", "-p", "40000-40040"),
    ("-sM", "-g", "443", "-p", "40000-40040"),
    ("-sS", "--scanflags", "SYNACK", "-g", "443", "-p", "40000-40040"),
    ("-sS", "--scanflags", "RST", "-g", "443", "-p", "1000-1040"),
    ("-sU", "-g", "53", "-p", "40000-40040"),
)


@pytest.fixture(scope="module")
def scene() -> Iterator[Firewalled]:
    with Firewalled() as made:
        yield made


def scan(scene: Firewalled, source: str, *words: str) -> str:
    """Have nmap scan the door; give what it found."""
    six = ":" in source
    scene.network.add_address(source)
    argv = ["nmap", "-n", "-Pn", *(["-6"] if six else []), "-S", source, "-e", "eth0", *words]
    done = scene.network.run_in(
        scene.network.street, [*argv, DOOR_IPV6 if six else DOOR_IPV4], timeout_seconds=90.0, check=True
    )
    return done.stdout


def elements(scene: Firewalled) -> str:
    """Give our table with what packets put into its sets."""
    return scene.door.run(["nft", "-n", "list", "table", "inet", "durward"]).stdout


def probed(scene: Firewalled, source: str) -> int:
    """Give how many different ports of a source came as far as the rules for closed ports."""
    word = source.removesuffix("9") if ":" in source else source
    return len(set(re.findall(rf"{re.escape(word)} \. (?:6|17|132|tcp|udp|sctp) \. \w+", elements(scene))))


@FAMILIES
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_scan_is_blocked_and_explained(scene: Firewalled, kind: str, ipv6: bool) -> None:
    stranger = scene.stranger(ipv6=ipv6)
    assert stranger.knock(OPEN, SILENCE_SECONDS) is Answer.LET_IN
    scan(scene, stranger.address, kind, "-p", "60-90" if kind == "-sO" else PORTS, *FAST)
    scene.await_block(stranger.address)
    layer = scene.layer(stranger.address)
    assert layer["origin"] == "detector:port_scan"
    assert all(line["source"] == "packets" for line in layer["evidence"])
    assert probed(scene, stranger.address) <= PROBED_MAX
    assert is_silent(stranger, OPEN)
    if kind != "-sO":
        protocol = {"-sU": "UDP", "-sY": "SCTP"}.get(kind, "TCP")
        assert re.match(rf"{protocol}( \w+)? to port \d+, from port \d+$", layer["evidence"][0]["text"])
    told = scene.types("why", stranger.address).stdout
    assert layer["evidence"][0]["text"] in told
    assert layer["undo"] in told


@FAMILIES
def test_a_scan_by_whole_connections_is_blocked(scene: Firewalled, ipv6: bool) -> None:
    stranger = scene.stranger(ipv6=ipv6)
    for port in map(int, PORTS.split(",")[:11]):
        stranger.knock(port, 0.05)
    scene.await_block(stranger.address)
    assert is_silent(stranger, OPEN)


def test_the_make_of_a_system_is_guessed_only_until_the_block(scene: Firewalled) -> None:
    stranger = scene.stranger()
    scan(scene, stranger.address, "-O", "-p", f"{OPEN},{PORTS}", *FAST)
    scene.await_block(stranger.address)
    assert probed(scene, stranger.address) <= PROBED_MAX


@pytest.mark.slow
@FAMILIES
def test_a_slow_scan_in_random_order_finds_twelve_ports_at_most(scene: Firewalled, ipv6: bool) -> None:
    stranger = scene.stranger(ipv6=ipv6)
    scan(scene, stranger.address, "-sS", "-T2", "--max-retries", "0", "-p", PORTS)
    scene.await_block(stranger.address)
    assert probed(scene, stranger.address) <= PROBED_MAX


@pytest.mark.slow
def test_sources_that_share_the_work_are_found(scene: Firewalled) -> None:
    strangers = [f"198.18.{number}.9" for number in range(1, 13)]
    for number, source in enumerate(strangers):
        scan(scene, source, "-sS", "-p", str(2000 + number), *FAST)
    for source in strangers:
        scene.await_block(source)
    assert "one part of a scan by" in scene.layer(strangers[0])["reason"]


@pytest.mark.slow
def test_neighbours_that_share_the_work_are_blocked_as_one(scene: Firewalled) -> None:
    for number in range(12):
        scan(scene, f"198.19.7.{number + 1}", "-sS", "-p", str(3000 + number), *FAST)
    scene.await_block("198.19.7.200")
    assert scene.layer("198.19.7.200")["subject"] == "198.19.7.0/24"


def test_decoys_do_not_hide_a_scanner_and_do_not_make_us_cut_our_way_out(scene: Firewalled) -> None:
    stranger = scene.stranger()
    scan(scene, stranger.address, "-sS", "-p", PORTS, "-D", f"{ROUTER_IPV4},192.0.2.10,ME", *FAST)
    scene.await_block(stranger.address)
    assert not scene.is_blocked(ROUTER_IPV4)


@pytest.mark.parametrize("router", [ROUTER_IPV4, ROUTER_IPV6])
def test_whoever_forges_our_way_out_does_not_make_us_block_it(scene: Firewalled, router: str) -> None:
    for kind in ("-sS", "-sF", "-sU"):
        scan(scene, router, kind, "-p", PORTS, *FAST)
    time.sleep(SILENCE_SECONDS)
    assert not scene.is_blocked(router)
    refused = [entry for entry in scene.log() if entry["subject"] in (router, "2001:db8:1::/64")]
    assert len(refused) == 1  # told of once, and no more
    assert re.search("the gateway|this host's own address", refused[0]["refused"])  # both are in that /64
    ports = elements(scene)
    assert not re.search(rf"meter_scan_banned[46]\w+ \{{[^}}]*{re.escape(router)}", ports)


@FAMILIES
def test_late_answers_and_an_honest_client_are_never_blocked(scene: Firewalled, ipv6: bool) -> None:
    stranger = scene.stranger(ipv6=ipv6)
    for words in LATE:
        scan(scene, stranger.address, *words, *FAST)
    for _ in range(50):
        assert stranger.knock(OPEN, 5.0) is Answer.LET_IN
    for port in (110, 143, 993):
        assert stranger.knock(port, 0.05) is Answer.NO_ANSWER
    time.sleep(SILENCE_SECONDS)
    assert not scene.is_blocked(stranger.address)
    assert scene.count_of(stranger.address) <= 3


@FAMILIES
def test_who_is_let_in_again_begins_at_nothing(scene: Firewalled, ipv6: bool) -> None:
    stranger = scene.stranger(ipv6=ipv6)
    scan(scene, stranger.address, "-sS", "-p", PORTS, *FAST)
    scene.await_block(stranger.address)
    scene.does("unblock", scene.layer(stranger.address)["subject"])
    assert stranger.knock(OPEN, SILENCE_SECONDS) is Answer.LET_IN
    for port in range(2000, 2009):
        assert stranger.knock(port, 0.05) is Answer.NO_ANSWER
    time.sleep(SILENCE_SECONDS)
    assert not scene.is_blocked(stranger.address)
    assert stranger.knock(OPEN, SILENCE_SECONDS) is Answer.LET_IN


def test_whom_a_list_ignores_is_let_be_after_a_moment(scene: Firewalled) -> None:
    stranger = scene.stranger()
    scene.does("ignore", stranger.address)
    scan(scene, stranger.address, "-sS", "-p", PORTS, *FAST)
    scene.wait(lambda: stranger.knock(OPEN, SILENCE_SECONDS) is Answer.LET_IN, "the kernel's own ban is lifted")
    assert not scene.is_blocked(stranger.address)


@pytest.mark.slow
def test_the_reflex_works_while_nothing_of_ours_runs_and_becomes_a_decision_then() -> None:
    with Firewalled() as scene:
        four, six, other = scene.stranger(), scene.stranger(ipv6=True), scene.stranger()
        scene.durward.stop()
        for stranger in (four, six):
            assert stranger.knock(OPEN, SILENCE_SECONDS) is Answer.LET_IN
        scan(scene, four.address, "-sS", "-p", PORTS, *FAST)
        scan(scene, six.address, "-sX", "-p", PORTS, *FAST)
        answers = [one.knock(OPEN, SILENCE_SECONDS) for one in (four, six, other)]
        assert answers == [Answer.NO_ANSWER, Answer.NO_ANSWER, Answer.LET_IN]
        assert probed(scene, four.address) == 10
        scene.durward.start()
        for stranger in (four, six):
            scene.await_block(stranger.address)
            assert scene.layer(stranger.address)["origin"] == "detector:port_scan"
        lines = [line["text"] for line in scene.layer(four.address)["evidence"]]
        assert len(lines) == 10
        assert all(re.fullmatch(r"TCP to port \d+", line) for line in lines)
        scene.does("unblock", four.address)
        assert four.knock(OPEN, SILENCE_SECONDS) is Answer.LET_IN
