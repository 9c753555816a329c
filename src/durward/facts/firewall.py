"""From settings, lists and facts about the host to the firewall's policy. Names are looked up anew at each call."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from durward.catalog.document import ProblemsError
from durward.catalog.traffic import PortRange
from durward.config.knock_keys import problems_of
from durward.config.loading import Lists
from durward.config.settings import FirewallSettings, Settings
from durward.facts.complaints import Complaints
from durward.facts.host import Host, host_now
from durward.facts.identities import filters_of, group_ids, user_ids
from durward.facts.lists import merged_lists
from durward.facts.port_scans import port_scans
from durward.facts.redirects import read_redirects
from durward.facts.spoofing import own_networks, unused_addresses
from durward.ruleset.policy import Icmp, Interface, Knock, Logging, Policy, Ports, Redirect, Role, Smtp, Spoofing

NAME = re.compile(r"[A-Za-z0-9_.:@+-]{1,15}\*?", re.ASCII)  # of an interface; `*` at its end stands for any rest
SSH_PORTS_MAX = 64  # of ssh_ports; more are a mistake
SMTP_PORTS_MAX = 64  # of smtp_ports; more are a mistake
ROLES: dict[str, Role] = {"public": "public", "trusted": "trusted", "ignored": "ignored"}


def policy_of(
    settings: Settings,
    lists: Lists,
    host: Host | None = None,
    etc: Path | None = None,
    library: Path | None = None,
) -> Policy:
    """What the firewall is to do on `host`, which is this one as it is now unless facts are given.

    `etc` is where the redirect list is; without it there are no redirects. `library` is where the networks of countries
    and feeds are; without it nobody looks whether they are there. Raises ProblemsError with everything that
    the settings and lists ask for and that is not there, and FactsError where the host does not tell.
    """
    host = host or host_now()
    firewall, complaints = settings.firewall, Complaints(settings)
    complaints.problems.extend([*lists.allow.problems, *lists.deny.problems, *problems_of(settings)])
    policy = Policy(
        inbound=_inbound(firewall),
        outbound=_outbound(firewall),
        interfaces=_interfaces(firewall, host, complaints),
        resolvers=tuple(map(str, host.resolvers)),
        ssh_ports=_ssh_ports(firewall, host, complaints),
        allow_filters=filters_of(lists.allow.entries, complaints),
        deny_filters=filters_of(lists.deny.entries, complaints),
        # The proxy needs a kernel that picks up no connection half-way. To make it such a one now would cut those that
        # are silent at the moment, so that is left to the boot; until then SYN cookies alone answer floods.
        syn_flood=firewall.syn_flood,
        syn_proxy=host.tracks_whole_connections,
        port_floods=firewall.port_flood,
        connection_limits=firewall.conn_limit,
        ping=firewall.ping,
        icmp=Icmp(answers_ping=firewall.answer_ping),
        udp_flood=firewall.udp_flood,
        udp_flood_exempt=user_ids("firewall.udp_flood_users", complaints) if firewall.udp_flood else (0,),
        smtp=_smtp(firewall, complaints),
        redirects=_redirects(firewall, host, etc, complaints),
        knocks=_knocks(firewall, complaints),
        spoofing=_spoofing(firewall, host, complaints),
        logging=Logging(kernel_lines=firewall.drop_log == "kernel", silent_ports=firewall.silent_ports),
        ftp_helper=firewall.ftp_helper,
        block_prefix_v6=settings.ipv6.block_prefix,
        merged=merged_lists(settings, lists.deny, library, complaints),
        port_scans=port_scans(settings, host),
    )
    complaints.settle()
    return policy


def _inbound(firewall: FirewallSettings) -> Ports:
    tcp6, udp6 = firewall.tcp_in_ipv6, firewall.udp_in_ipv6
    return Ports(
        firewall.tcp_in,
        firewall.udp_in,
        firewall.tcp_in if tcp6 is None else tcp6,
        firewall.udp_in if udp6 is None else udp6,
    )


def _outbound(firewall: FirewallSettings) -> Ports:
    tcp6, udp6 = firewall.tcp_out_ipv6, firewall.udp_out_ipv6
    return Ports(
        firewall.tcp_out,
        firewall.udp_out,
        firewall.tcp_out if tcp6 is None else tcp6,
        firewall.udp_out if udp6 is None else udp6,
    )


def _interfaces(firewall: FirewallSettings, host: Host, complaints: Complaints) -> tuple[Interface, ...]:
    """The interfaces that the settings name; one that is not there is a mistake, unless its name ends with `*`."""
    known = [interface.name for interface in host.interfaces]
    named: dict[str, None] = {}
    for table in ("interfaces", "interface_tcp_in", "interface_udp_in"):
        for name in getattr(firewall, table):
            key = f"firewall.{table}.{name}"
            named.setdefault(name)
            if not NAME.fullmatch(name):
                complaints.about(key, f"{name!r} is no name of an interface")
            elif name not in known and not name.endswith("*"):
                nearest = get_close_matches(name, known, n=1)
                complaints.about(key, f"this host has no interface {name}", nearest[0] if nearest else "")
    # The ways out are said by name: one that is called like a container's bridge must not be taken for one.
    named |= dict.fromkeys(host.ways_out)
    return tuple(
        Interface(name, ROLES[firewall.interfaces.get(name, "public")], _inbound_by(name, firewall)) for name in named
    )


def _inbound_by(name: str, firewall: FirewallSettings) -> Ports | None:
    """The ports of one interface; None where it has no list of its own."""
    tcp, udp = firewall.interface_tcp_in.get(name), firewall.interface_udp_in.get(name)
    if tcp is None and udp is None:
        return None
    every = _inbound(firewall)
    tcp4, tcp6 = (every.tcp4, every.tcp6) if tcp is None else (tcp, tcp)
    udp4, udp6 = (every.udp4, every.udp6) if udp is None else (udp, udp)
    return Ports(tcp4, udp4, tcp6, udp6)


def _ssh_ports(firewall: FirewallSettings, host: Host, complaints: Complaints) -> tuple[int, ...]:
    """The ports that stay open for SSH. One that opens by knocking stays closed until then."""
    ports = host.ssh_ports if firewall.ssh_ports is None else tuple(_numbers(firewall.ssh_ports))
    if len(ports) > SSH_PORTS_MAX:
        complaints.about("firewall.ssh_ports", f"at most {SSH_PORTS_MAX} ports were expected, not {len(ports)}")
    knocked = {knock.port.number for knock in firewall.knocks if knock.port.protocol == "tcp"}
    return tuple(port for port in ports if port not in knocked)


def _knocks(firewall: FirewallSettings, complaints: Complaints) -> tuple[Knock, ...]:
    inbound = _inbound(firewall)
    for knock in firewall.knocks:
        port, protocol = knock.port.number, knock.port.protocol
        if _is_open(port, protocol, inbound):
            complaints.about("firewall.knocks", f"{protocol}_in opens port {port} to everybody; nobody would knock")
        for step in knock.steps:
            if _is_open(step, protocol, inbound):
                message = f"{protocol}_in opens port {step}; as a step of knocking it would be closed to everybody"
                complaints.about("firewall.knocks", message)
    return tuple(
        Knock(knock.port.number, knock.port.protocol, knock.steps, knock.within_seconds) for knock in firewall.knocks
    )


def _is_open(port: int, protocol: str, inbound: Ports) -> bool:
    ranges = (*inbound.tcp4, *inbound.tcp6) if protocol == "tcp" else (*inbound.udp4, *inbound.udp6)
    return any(ports.first <= port <= ports.last for ports in ranges)


def _smtp(firewall: FirewallSettings, complaints: Complaints) -> Smtp | None:
    if not firewall.smtp_block:
        return None
    ports = tuple(_numbers(firewall.smtp_ports))
    if not ports or len(ports) > SMTP_PORTS_MAX:
        complaints.about("firewall.smtp_ports", f"1 to {SMTP_PORTS_MAX} ports were expected, not {len(ports)}")
    users = user_ids("firewall.smtp_users", complaints)
    groups = group_ids("firewall.smtp_groups", complaints)
    return Smtp(users, groups, ports, redirected=firewall.smtp_redirect)


def _redirects(
    firewall: FirewallSettings, host: Host, etc: Path | None, complaints: Complaints
) -> tuple[Redirect, ...]:
    if etc is None:
        return ()
    path = etc / firewall.redirects
    if not path.exists() and complaints.settings.origin("firewall.redirects"):
        complaints.about("firewall.redirects", f"{path} is not there")
    try:
        return read_redirects(path, host.forwards)
    except ProblemsError as error:
        complaints.problems.extend(error.problems)
        return ()


def _spoofing(firewall: FirewallSettings, host: Host, complaints: Complaints) -> Spoofing:
    reverse_path = firewall.reverse_path == "on" or (firewall.reverse_path == "auto" and host.one_way_out)
    return Spoofing(firewall.bogons, reverse_path, own_networks(host), unused_addresses(host, complaints))


def _numbers(ranges: Iterable[PortRange]) -> list[int]:
    return [port for ports in ranges for port in range(ports.first, ports.last + 1)]
