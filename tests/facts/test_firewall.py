"""From settings, lists and facts to the policy; and what is asked for and not there, with its file and line."""

import grp
import pwd
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from durward.catalog.document import Problem, ProblemsError
from durward.catalog.traffic import parse_ports
from durward.config.home import Home
from durward.config.loading import load, load_lists
from durward.facts.firewall import policy_of
from durward.facts.host import Host, host_now
from durward.facts.interfaces import NetworkInterface, OwnAddress
from durward.facts.listeners import Listener
from durward.ruleset.policy import EVERYTHING, Interface, Knock, Policy, Ports, Redirect, Smtp


def own(address: str, network: str, *, first: bool = True, lasts: bool = True) -> OwnAddress:
    return OwnAddress(ip_address(address), ip_network(network), first, lasts)


ETH0 = NetworkInterface(
    "eth0",
    (
        own("192.0.2.4", "192.0.2.0/24"),
        own("192.0.2.5", "192.0.2.0/24", first=False),
        own("192.0.2.6", "192.0.2.0/24", first=False),
        own("2001:db8::4", "2001:db8::/64"),
        own("2001:db8::5", "2001:db8::/64", first=False),
    ),
)
HOST = Host(
    (NetworkInterface("lo", (own("127.0.0.1", "127.0.0.0/8"),)), ETH0, NetworkInterface("eth1")),
    ssh_ports=(22, 2222),
    listeners=(
        Listener("tcp", 22, ip_address("::")),
        Listener("udp", 68, ip_address("0.0.0.0")),
        Listener("tcp", 443, ip_address("192.0.2.5")),
    ),
    one_way_out=True,
    resolvers=(ip_address("192.0.2.53"),),
)


class Etc:
    """A directory of settings, and the policy that it gives on HOST."""

    def __init__(self, home: Home) -> None:
        self.home = home
        home.etc.mkdir(parents=True)

    def write(self, settings: str = "", **lists: str) -> None:
        (self.home.etc / "durward.toml").write_text(settings)
        for name, text in lists.items():
            (self.home.etc / f"{name}.list").write_text(text)

    def policy(self, settings: str = "", host: Host = HOST, **lists: str) -> Policy:
        self.write(settings, **lists)
        return policy_of(load(self.home).settings, load_lists(self.home), host, self.home.etc)

    def problems(self, settings: str = "", host: Host = HOST, **lists: str) -> list[Problem]:
        with pytest.raises(ProblemsError) as raised:
            self.policy(settings, host, **lists)
        return raised.value.problems


@pytest.fixture
def etc(tmp_path: Path) -> Etc:
    return Etc(Home.below(tmp_path))


def test_nothing_written(etc: Etc) -> None:
    policy = etc.policy()
    web = parse_ports("22,80,443")
    assert policy.inbound == Ports(web, parse_ports("443"), web, parse_ports("443"))
    assert policy.ssh_ports == (22, 2222)
    assert (policy.interfaces, policy.smtp, policy.knocks, policy.redirects) == ((), None, (), ())
    assert (policy.udp_flood, policy.spoofing.unused_addresses, policy.ftp_helper) == (None, (), False)
    assert (policy.spoofing.bogons, policy.spoofing.reverse_path) == (True, True)
    assert policy.resolvers == ("192.0.2.53",)
    assert policy.block_prefix_v6 == 64


def test_ports_of_both_families_and_of_one_interface(etc: Etc) -> None:
    policy = etc.policy(
        '[firewall]\ntcp_in = "80"\ntcp_in_ipv6 = "81"\nudp_in = ""\nudp_out_ipv6 = "53"\nssh_ports = "2022"\n'
        'interfaces = { eth1 = "trusted", "docker*" = "ignored" }\n[firewall.interface_tcp_in]\neth0 = "3306"\n'
    )
    assert (policy.inbound.tcp4, policy.inbound.tcp6) == (parse_ports("80"), parse_ports("81"))
    assert (policy.outbound.udp4, policy.outbound.udp6) == (parse_ports("1:65535"), parse_ports("53"))
    assert policy.ssh_ports == (2022,)
    eth0 = Ports(parse_ports("3306"), (), parse_ports("3306"), ())
    assert policy.interfaces == (
        Interface("eth1", "trusted"),
        Interface("docker*", "ignored"),
        Interface("eth0", "public", eth0),
    )


def test_what_may_leave_if_nothing_is_said_and_if_nothing_may(etc: Etc) -> None:
    every = parse_ports("*")
    assert etc.policy().outbound == EVERYTHING
    assert etc.policy('[firewall]\ntcp_out = ""\n').outbound == Ports((), every, (), every)
    assert etc.policy('[firewall]\ntcp_out = ""\nudp_out = ""\n').outbound == Ports()
    assert etc.policy('[firewall]\nudp_out_ipv6 = ""\n').outbound == Ports(every, every, every, ())
    assert etc.policy('[firewall]\ntcp_out = "*"\nudp_out = "0:65535"\n').outbound == EVERYTHING


def test_an_interface_that_is_not_there(etc: Etc) -> None:
    [missing, quoted] = etc.problems('[firewall]\ninterfaces = { eht1 = "trusted", "a\\"b" = "ignored" }\n')
    assert (missing.line, missing.nearest) == (2, "eth1")
    assert missing.file.endswith("durward.toml")
    assert "no name of an interface" in quoted.message


def test_mail_users_are_looked_up(etc: Etc) -> None:
    policy = etc.policy('[firewall]\nsmtp_block = true\nsmtp_users = ["nobody", "12345"]\nsmtp_groups = ["mail"]\n')
    users = (0, pwd.getpwnam("nobody").pw_uid, 12345)
    assert policy.smtp == Smtp(users, (grp.getgrnam("mail").gr_gid,), (25, 465, 587))
    redirected = etc.policy('[firewall]\nsmtp_block = true\nsmtp_redirect = true\nsmtp_ports = "25"\n').smtp
    assert redirected is not None
    assert (redirected.redirected, redirected.ports, redirected.users[0]) == (True, (25,), 0)


def test_a_written_name_must_exist_and_one_of_the_default_need_not(etc: Etc) -> None:
    assert etc.policy("[firewall]\nsmtp_block = true\n").smtp is not None
    [problem] = etc.problems('[firewall]\nsmtp_block = true\n\nsmtp_users = ["nobdy"]\n')
    assert (problem.line, problem.nearest) == (4, "nobody")
    assert "no user 'nobdy'" in problem.message
    assert etc.policy('[firewall]\nsmtp_users = ["nobdy"]\n').smtp is None  # nobody asks for him
    [ports] = etc.problems('[firewall]\nsmtp_block = true\nsmtp_ports = "1:1000"\n')
    assert "1 to 64 ports" in ports.message


def test_filters_that_are_no_plain_block(etc: Etc) -> None:
    policy = etc.policy(
        deny="192.0.2.9\ntcp|in|d=22|s=192.0.2.10\nicmp|in|d=ping|s=192.0.2.11\ntcp|out|d=25||u=nobody\n",
        allow="tcp|in|s=22|s=192.0.2.12\n",
    )
    assert [one.network or one.user for one in policy.deny_filters] == [
        "192.0.2.11",
        str(pwd.getpwnam("nobody").pw_uid),
    ]
    assert [one.network for one in policy.allow_filters] == ["192.0.2.12"]


def test_what_is_wrong_with_a_list_stops_everything(etc: Etc) -> None:
    unknown, wrong = sorted(
        etc.problems(deny="tcp|out|d=25||g=maill\n", allow="# fine\n\nnonsense\n"), key=lambda one: one.line
    )
    assert (unknown.line, unknown.nearest) == (1, "mail")
    assert (Path(wrong.file).name, wrong.line) == ("allow.list", 3)


def test_knocking_closes_the_port_that_it_opens(etc: Etc) -> None:
    settings = '[firewall]\ntcp_in = "80"\nknocks = ["2222/tcp 20s 7000 8000 9000"]\n'
    policy = etc.policy(settings)
    assert policy.knocks == (Knock(2222, "tcp", (7000, 8000, 9000), 20),)
    assert policy.ssh_ports == (22,)
    [problem] = etc.problems(settings.replace('"80"', '"2000:3000"'))
    assert (problem.line, "opens port 2222 to everybody" in problem.message) == (3, True)


def test_redirects(etc: Etc) -> None:
    (etc.home.etc / "redirect.list").write_text("*|666|*|25|tcp\n")
    assert etc.policy().redirects == (Redirect("tcp", None, 666, None, 25),)
    (etc.home.etc / "redirect.list").write_text("*|666|*|25|smtp\n")
    assert [problem.line for problem in etc.problems()] == [1]
    [missing] = etc.problems('[firewall]\nredirects = "other.list"\n')
    assert "other.list is not there" in missing.message


def test_floods_logging_and_the_rest(etc: Etc) -> None:
    policy = etc.policy(
        '[firewall]\nudp_flood = "50/s"\nudp_flood_users = ["nobody"]\nping = "off"\nanswer_ping = false\n'
        'drop_log = "kernel"\nsilent_ports = "137:139"\nftp_helper = true\nreverse_path = "off"\nbogons = false\n'
        'syn_flood = "off"\nconn_limit = ["22 5"]\nport_flood = "22;tcp;5;300"\n[ipv6]\nblock_prefix = 56\n'
    )
    assert policy.udp_flood_exempt == (0, pwd.getpwnam("nobody").pw_uid)
    assert (policy.ping, policy.syn_flood, policy.icmp.answers_ping) == (None, None, False)
    assert (policy.logging.kernel_lines, policy.logging.silent_ports) == (True, parse_ports("137:139"))
    assert (policy.spoofing.bogons, policy.spoofing.reverse_path) == (False, False)
    assert (policy.ftp_helper, policy.block_prefix_v6) == (True, 56)
    assert len(policy.connection_limits) == len(policy.port_floods) == 1


def test_reverse_path_only_where_it_cannot_err(etc: Etc) -> None:
    two_ways = Host(interfaces=(ETH0,))
    assert not etc.policy(host=two_ways).spoofing.reverse_path
    assert etc.policy('[firewall]\nreverse_path = "on"\n', two_ways).spoofing.reverse_path


def test_names_are_looked_up_at_each_call(etc: Etc, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = iter((1001, 1002))
    real = pwd.getpwnam

    def renamed(name: str) -> object:
        return pwd.struct_passwd(("bob", "x", next(numbers), 0, "", "/", "/")) if name == "bob" else real(name)

    monkeypatch.setattr(pwd, "getpwnam", renamed)
    etc.write('[firewall]\nsmtp_block = true\nsmtp_users = ["bob"]\nsmtp_groups = []\n')
    settings, lists = load(etc.home).settings, load_lists(etc.home)
    found = [policy_of(settings, lists, HOST).smtp for _ in range(2)]
    assert [smtp and smtp.users for smtp in found] == [(0, 1001), (0, 1002)]


@pytest.mark.parametrize("gather", [host_now, lambda: host_now((2022, 22))], ids=["found", "given"])
def test_this_host_as_it_is_now(etc: Etc, gather: Callable[[], Host]) -> None:
    host = gather()
    assert "lo" in {one.name for one in host.interfaces}
    policy = etc.policy(host=host)
    assert policy.ssh_ports == host.ssh_ports
    assert policy.ssh_ports
