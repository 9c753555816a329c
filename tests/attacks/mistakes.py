"""Mistakes that lock administrators out of their hosts: what is typed, what befalls the host then, what must be true.

Every line is typed by root in a real ssh session. `$ETC` is where the settings are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.attacks import events
from tests.attacks.administrator import Administrator
from tests.attacks.firewalled import Firewalled

V4, V6 = "203.0.113.77", "2001:db8:77::7"
NETWORK = "203.0.113.0/24"
WRONG, REFUSED = 2, 3
APPLY = "durward apply"
TRIED = "durward apply --confirm-within 60s"
FORCED = "durward apply --force --confirm-within 12s"  # long enough to look at the host while it is on trial
CLOSED = "durward config set firewall.tcp_in=80 firewall.ssh_ports="

Ending = Literal["refused", "back", "in"]
Event = Callable[[Firewalled, Administrator], None]


@dataclass(frozen=True, slots=True)
class Mistake:
    """What an administrator does at `address`, and how it must end.

    refused: the last line ends with `status` and `says`; nothing in the kernel has changed.
    back:    a new session is refused now (unless not `shuts_out`), and begins within the time of the trial.
    in:      new sessions begin all the time.
    A refusal that is `forced` is typed again with --force, and then it must end as "back" does.
    """

    name: str
    types: tuple[str, ...]
    ends: Ending
    says: str = ""
    status: int = 0
    forced: bool = False
    shuts_out: bool = True
    address: str = V4
    port: int = 22
    begin: Literal["confirmed", "off"] = "confirmed"
    host: Event | None = None  # how the host is before he types
    befalls: Event | None = None  # what happens after the last line

    @property
    def is_about_clock(self) -> bool:
        """Whether the host needs a clock that can be set."""
        return "clock" in self.name


def refused(name: str, *lines: str, says: str, status: int = REFUSED, **more: object) -> Mistake:
    """A mistake that is refused before anything happens."""
    return Mistake(name, lines, "refused", says, status, **more)  # type: ignore[arg-type]


def closing(name: str, *lines: str, says: str = "this would close port", **more: object) -> Mistake:
    """A mistake that would close the administrator's port: refused, and taken back where it is forced."""
    return Mistake(name, (*lines, APPLY), "refused", says, REFUSED, forced=True, **more)  # type: ignore[arg-type]


def back(name: str, *lines: str, **more: object) -> Mistake:
    """A mistake that shuts the administrator out, for as long as the trial lasts."""
    return Mistake(name, lines, "back", **more)  # type: ignore[arg-type]


def harmless(name: str, *lines: str, **more: object) -> Mistake:
    """A mistake that shuts nobody out."""
    return Mistake(name, lines, "in", **more)  # type: ignore[arg-type]


PORTS = (
    harmless("default-deny without SSH among the ports", "durward config set firewall.tcp_in=80", TRIED),
    closing("a wrong SSH port in the settings", "durward config set firewall.tcp_in=80 firewall.ssh_ports=2222"),
    closing("no open port at all", "durward config set firewall.tcp_in= firewall.ssh_ports="),
    closing("the first firewall of a host closes SSH", CLOSED, begin="off"),
    closing(
        "SSH is open over IPv4 only",
        "durward config set firewall.tcp_in=22 firewall.tcp_in_ipv6=80 firewall.ssh_ports=",
        address=V6,
    ),
    closing(
        "SSH is open on another interface only",
        f"{CLOSED} firewall.interface_tcp_in.eth1=22",
        host=events.another_interface,
    ),
    closing(
        "the interface's own list of ports lacks SSH",
        "durward config set firewall.tcp_in=22 firewall.ssh_ports= firewall.interface_tcp_in.eth0=80",
    ),
    harmless(
        "a profile for strict hosts where SSH is on an odd port",
        "durward profile apply high",
        "durward config set firewall.bogons=false",
        APPLY,
        port=2022,
        begin="off",
        host=events.sshd_on_odd_port,
    ),
    closing(
        "SSH opens by knocking from now on",
        "durward config set firewall.tcp_in=80 'firewall.knocks=22/tcp 20s 7000 9000 8000'",
    ),
    refused(
        "a knock for a port that is open",
        "durward config set 'firewall.knocks=22/tcp 20s 7000 9000 8000'",
        APPLY,
        says="opens port 22 to everybody",
        status=WRONG,
    ),
    refused(
        "a knock whose steps are open ports",
        "durward config set firewall.tcp_in=80 'firewall.knocks=22/tcp 20s 80 8000 90'",
        APPLY,
        says="80",
        status=WRONG,
    ),
)

LISTS = (
    refused("his own address is blocked by a typo", f"durward block {V4}", says="an administrator is logged in from"),
    refused("his own network is blocked", f"durward block {NETWORK}", says="an administrator is logged in from"),
    refused("only SSH is blocked for his network", f"durward block {NETWORK} --port 22", says="administrator"),
    refused("what goes out to him is blocked", f"durward block {V4} --out", says="administrator"),
    harmless("his own address is blocked in a session without a terminal", "true", befalls=events.blocks_himself),
    refused("everybody is blocked", "durward block 0.0.0.0/0", says="0.0.0.0/0 holds"),
    refused("everybody is blocked over IPv6", "durward block ::/0", says="::/0 holds", address=V6),
    harmless(
        "his own network stands on deny.list",
        f"echo {NETWORK} >> $ETC/deny.list; sleep 1.5",
        "durward status",
        says="deny.list:1: not in force: 203.0.113.0/24 holds 203.0.113.77, which is where an administrator",
    ),
    harmless(
        "a filter on deny.list refuses his own network at SSH",
        f"echo 'tcp|in|d=22|s={NETWORK}' >> $ETC/deny.list; sleep 1.5",
        "durward status",
        says="deny.list:1: not in force: 203.0.113.0/24 holds 203.0.113.77",
    ),
    refused(
        "everybody stands on deny.list",
        r"printf '0.0.0.0/0\n::/0\n' >> $ETC/deny.list; sleep 1",
        APPLY,
        says="deny.list:1: 0.0.0.0/0 is too wide",
        status=WRONG,
    ),
    closing("a deny filter refuses everybody at all ports", "echo 'tcp|in|d=1_65535|s=0.0.0.0/0' >> $ETC/deny.list"),
    harmless(
        "a deny filter refuses all of ICMPv6",
        "echo 'icmpv6|in|d=any|s=::/0' >> $ETC/deny.list",
        TRIED,
        address=V6,
        befalls=events.neighbours_forgotten,
    ),
    harmless(
        "the port is closed to all but those who are allowed, and he is",
        f"echo {V4} >> $ETC/allow.list",
        f"{CLOSED}; sleep 1",
        TRIED,
    ),
    refused(
        "the port is closed to all but those who are allowed, and he is for a while only",
        f"durward allow {V4} --for 1h",
        CLOSED,
        APPLY,
        says="this would close port 22",
    ),
    back(
        "redirect.list leads SSH to another host",
        "echo '192.0.2.1|22|203.0.113.9|22|tcp' > $ETC/redirect.list",
        FORCED,
        host=events.forwards,
    ),
    back("redirect.list leads SSH to another port", "echo '*|22|*|2022|tcp' > $ETC/redirect.list", FORCED),
)

HOST = (
    refused(
        "an interface that is spelt wrong",
        "durward config set firewall.interfaces.eht0=trusted",
        APPLY,
        says="no interface eht0; did you mean eth0",
        status=WRONG,
    ),
    refused(
        "an interface that was removed",
        "durward config set firewall.interfaces.eth1=trusted",
        "ip link delete eth1",
        APPLY,
        says="no interface eth1",
        status=WRONG,
        host=events.another_interface,
    ),
    refused(
        "an interface that is nothing",
        "durward config set firewall.interfaces.eth0=",
        says='"public", "trusted" or "ignored"',
        status=WRONG,
    ),
    harmless("the interface is renamed when all is confirmed", "true", befalls=events.rename_interface),
    harmless("sshd moves to another port when all is confirmed", "true", befalls=events.sshd_moves),
    harmless(
        "sshd moves to a socket of systemd with another port",
        APPLY,
        port=2022,
        begin="off",
        host=events.socket_activation,
    ),
    closing(
        "his address is one that nobody has",
        "durward config set firewall.bogons=true",
        address="192.168.77.7",
    ),
    closing("the address that he asks for is called unused", "durward config set firewall.unused_addresses=192.0.2.1"),
    refused(
        "mail users who do not exist",
        "durward config set firewall.smtp_block=true firewall.smtp_users=postfx",
        APPLY,
        says="postfx",
        status=WRONG,
    ),
    harmless(
        "SSH among the ports of mail, and redirected",
        "durward config set firewall.smtp_block=true firewall.smtp_redirect=true firewall.smtp_ports=22,25",
        TRIED,
    ),
    harmless(
        "nothing may go out, not even to name servers", "durward config set firewall.tcp_out= firewall.udp_out=", TRIED
    ),
    harmless("pings are not answered", "durward config set firewall.answer_ping=false firewall.ping=1/h", TRIED),
)

LIMITS = (
    refused(
        "no connection to SSH at all", "durward config set 'firewall.conn_limit=22 0'", says="conn_limit", status=WRONG
    ),
    back(
        "one connection to SSH, and he has it",
        "durward config set 'firewall.conn_limit=22 1'",
        FORCED,
        befalls=events.comes_in_and_stays,
    ),
    back(
        "one connection to SSH in a day",
        "durward config set 'firewall.port_flood=22/tcp 1/86400s'",
        FORCED,
        befalls=events.comes_in_once,
    ),
    harmless("hardly any new connections", "durward config set 'firewall.syn_flood=1/h burst 1 per source'", TRIED),
)

TRIALS = (
    refused(
        "somebody else applies during the trial",
        "durward config set firewall.tcp_in=22",
        "true",
        APPLY,
        says="on trial for",
        host=events.somebody_applies,
    ),
    back("he applies once more during the trial", CLOSED, FORCED, FORCED),
    back("he confirms in the session that applied", CLOSED, FORCED, befalls=events.confirms_in_the_same_session),
    back("he confirms in a session from before", CLOSED, befalls=events.confirms_in_an_older_session),
    back(
        "he confirms where an older session has left its name", CLOSED, FORCED, befalls=events.confirms_by_a_dead_name
    ),
    back("nobody confirms, and the enforcer is killed", CLOSED, FORCED, befalls=events.kills("enforcer")),
    back("nobody confirms, and the engine is killed", CLOSED, FORCED, befalls=events.kills("engine")),
    back("nobody confirms, and the supervisor is killed", CLOSED, FORCED, befalls=events.kills("supervisor")),
    back(
        "nobody confirms, and everything is killed",
        CLOSED,
        FORCED,
        befalls=events.kills("supervisor", "enforcer", "engine"),
    ),
    back("apply itself is killed", CLOSED, befalls=events.apply_is_killed),
    back("the host boots before anybody confirms", CLOSED, FORCED, shuts_out=False, befalls=events.boots),
    back("the clock is set forward by a year", CLOSED, FORCED, befalls=events.sets_clock(31_536_000)),
    back("the clock is set back by a year", CLOSED, FORCED, befalls=events.sets_clock(-31_536_000)),
    back("somebody deletes our table", CLOSED, FORCED, befalls=events.nft("delete table inet durward")),
    back("somebody flushes all rules", CLOSED, FORCED, befalls=events.nft("flush ruleset")),
    refused(
        "he confirms too late",
        "durward apply --force --confirm-within 5s; sleep 11",
        "durward confirm",
        says="no firewall on trial",
    ),
    harmless("he stops durward", CLOSED, "durward stop"),
    harmless("he switches the firewall off", "durward config set firewall.enabled=false", APPLY),
)

FILES = (
    refused("the disk is full at apply", CLOSED, FORCED, says="No space left", status=1, host=events.disk_is_full),
    back(
        "the disk is full at confirm",
        "durward config set firewall.tcp_in=22,80",
        "durward apply --confirm-within 5s",
        shuts_out=False,
        befalls=events.disk_is_full_at_confirm,
    ),
    refused(
        "durward.toml is broken",
        "echo '[firewall' >> $ETC/durward.toml",
        APPLY,
        says="durward.toml:",
        status=WRONG,
        befalls=events.reloads,
    ),
    harmless(
        "durward.toml is broken and everything starts anew",
        "echo '[firewall' >> $ETC/durward.toml",
        befalls=events.starts_anew_in_vain,
    ),
    refused(
        "policy.assert says what the settings do not",
        "echo 'anyone reaches 3306' > $ETC/policy.assert",
        APPLY,
        says="policy.assert",
    ),
)

MISTAKES = (*PORTS, *LISTS, *HOST, *LIMITS, *TRIALS, *FILES)
