"""What administrators write by mistake into settings and lists, where, and what must be said of it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

LONG = "x" * 1_000_000
HUGE_BYTES = 200 << 20
FILES = frozenset({"durward.toml", "allow.list", "deny.list", "redirect.list", "policy.assert"})


class Wrong(NamedTuple):
    """What is written (or made by a function, at the place), into which file, which line is named, what is said."""

    name: str
    content: str | bytes | Callable[[Path], None]
    says: str
    line: int = 2
    file: str = "durward.toml"


def firewall(name: str, line: str, says: str) -> Wrong:
    """A wrong line of [firewall]."""
    return Wrong(name, f"[firewall]\n{line}\n", says)


def deny(name: str, line: str | bytes, says: str) -> Wrong:
    """A wrong line of deny.list, behind a right one."""
    content = b"198.51.100.7\n" + (line if isinstance(line, bytes) else line.encode()) + b"\n"
    return Wrong(name, content, says, 2, "deny.list")


def write(etc: Path, wrong: Wrong) -> Path:
    """Write what is wrong in place of the file that is there; gives the file that must be named."""
    path = etc / (wrong.file if wrong.file in FILES else "deny.list")
    path.unlink(missing_ok=True)
    if callable(wrong.content):
        wrong.content(path)
    else:
        path.write_bytes(wrong.content if isinstance(wrong.content, bytes) else wrong.content.encode())
    return etc / wrong.file


def a_directory(path: Path) -> None:
    """A directory in the place of a file."""
    path.mkdir()


def a_pipe(path: Path) -> None:
    """A named pipe in the place of a file: reading it would wait for ever."""
    os.mkfifo(path)


def a_dangling_link(path: Path) -> None:
    """A link to nowhere."""
    path.symlink_to("nowhere")


def a_loop_of_links(path: Path) -> None:
    """A link to itself."""
    path.symlink_to(path.name)


def something_huge(path: Path) -> None:
    """200 MB."""
    with path.open("wb") as file:
        file.truncate(HUGE_BYTES)


def files_that_include_each_other(path: Path) -> None:
    """The list includes a file that includes the list."""
    other = path.with_name("other.list")
    path.write_text(f"198.51.100.7\nInclude {other}\n")
    other.write_text(f"# nothing\nInclude {path}\n")


def files_included_too_deeply(path: Path) -> None:
    """A chain of ten files."""
    for number in range(10):
        path.with_name(f"deep{number}.list").write_text(f"Include {path.with_name(f'deep{number + 1}.list')}\n")
    path.with_name("deep10.list").write_text("198.51.100.8\n")
    path.write_text(f"# first\nInclude {path.with_name('deep0.list')}\n")


VALUES = (
    firewall("a range of ports without its end", 'tcp_in = "80-"', "'80-'"),
    firewall("a port that is none", 'tcp_in = "99999"', "1 to 65535"),
    firewall("port 0", 'tcp_in = "0"', "1 to 65535"),
    firewall("a range that runs backwards", 'tcp_in = "443:80"', "443:80"),
    firewall("a port by name", 'tcp_in = "ssh"', "'ssh'"),
    firewall("a truth in the place of a text", "tcp_in = true", "ports"),
    firewall("a text in the place of a truth", 'enabled = "yes"', "true or false"),
    firewall("a number of more digits than any port", f'tcp_in = "{"9" * 5000}"', "ports like"),
    firewall("a rate that is none", 'syn_flood = "fast"', "100/s"),
    firewall("a limit of no connections", 'conn_limit = ["22 0"]', "22 0"),
    firewall("a flood without a number", 'port_flood = ["22/tcp many/300s"]', "many"),
    firewall("a flood in no time", 'port_flood = ["22/tcp 5/0s"]', "5/0s"),
    firewall("a trial that is too short", 'confirm_within = "1s"', "5s"),
    firewall("a duration without its unit", "confirm_within = 60", "duration"),
    firewall("a knock without steps", 'knocks = ["2022/tcp 20s"]', "2022/tcp"),
    firewall("a role that is none", 'interfaces = { lo = "trustd" }', "did you mean trusted"),
    firewall("an interface that is not there", 'interfaces = { lo0 = "trusted" }', "did you mean lo"),
    firewall("an interface whose name is no name", 'interfaces = { "a b" = "trusted" }', "no name of an interface"),
    firewall("ports of an interface that is not there", 'interface_tcp_in = { lo0 = "22" }', "did you mean lo"),
    firewall("a user whom nobody knows", 'smtp_block = true\nsmtp_users = ["rooot"]', "did you mean root")._replace(
        line=3
    ),
    firewall("a group that nobody knows", 'smtp_block = true\nsmtp_groups = ["rooot"]', "did you mean root")._replace(
        line=3
    ),
    firewall("mail without ports", 'smtp_block = true\nsmtp_ports = ""', "1 to 64 ports")._replace(line=3),
    firewall("more SSH ports than anybody has", 'ssh_ports = "1:1000"', "at most 64"),
    firewall("an own address that is none", 'unused_addresses = ["192.0.2"]', "192.0.2"),
    firewall("a file of redirects that is not there", 'redirects = "reidrect.list"', "is not there"),
    Wrong("a country that is none", '[countries]\ndeny = ["Germany"]\n', "Germany"),
)

KEYS = (
    firewall("a key that is not known", 'tcp_inn = "22"', "did you mean firewall.tcp_in"),
    firewall("CSF's name of a key", 'TCP_IN = "22"', "CSF's name"),
    Wrong("a table that is not known", '[firewal]\ntcp_in = "22"\n', "did you mean firewall", 1),
    Wrong("a value where a table belongs", "firewall = 5\n", "a table was expected", 1),
    Wrong("a table of another kind", '[[firewall]]\ntcp_in = "22"\n', "a table was expected", 1),
    Wrong("a key that stands twice", '[firewall]\ntcp_in = "22"\ntcp_in = "23"\n', "overwrite", 3),
    Wrong("a table that stands twice", "[firewall]\n[ipv6]\n[firewall]\n", "Cannot declare", 3),
    Wrong("a quote that does not end", '[firewall]\ntcp_in = "22\n', "", 2),
    Wrong("a bracket that does not end", "[firewall\n", "", 1),
    Wrong("no TOML at all", "LF_SSHD = 5 = 6\n", "", 1),
)

BYTES = (
    Wrong("a NUL byte", b'[firewall]\ntcp_in = "2\x002"\n', ""),
    Wrong("no UTF-8", b'[firewall]\ntcp_in = "22\xff"\n', "UTF-8"),
    Wrong("a line of a megabyte", f'[firewall]\ntcp_in = "{LONG}"\n', ""),
    Wrong("tables in tables in tables", "x = " + "[" * 5000 + "\n", "", 1),
    Wrong("a directory", a_directory, "directory", 1),
    Wrong("a named pipe", a_pipe, "regular file", 1),
    Wrong("a link to nowhere", a_dangling_link, "No such file", 1),
    Wrong("a link to itself", a_loop_of_links, "symbolic links", 1),
    Wrong("200 MB", something_huge, "larger than", 1),
)

LISTS = (
    deny("a filter with two protocols", "tcp|udp|in|d=22|s=198.51.100.7", "'udp'"),
    deny("a filter with two directions", "tcp|in|out|d=22|s=198.51.100.7", "'out'"),
    deny("a filter without a port", "tcp|in|s=198.51.100.7", "port"),
    deny("a filter without an address", "tcp|in|d=22", "address"),
    deny("a filter of an unknown protocol", "tpc|in|d=22|s=198.51.100.7", "did you mean tcp"),
    deny("a filter with a port that is none", "tcp|in|d=99999|s=198.51.100.7", "'99999' are no ports"),
    deny("an address that is none", "198.51.100.777", "198.51.100.777"),
    deny("a name", "www.example.org", "'www.example.org'"),
    deny("everybody", "0.0.0.0/0", "too wide"),
    deny("a NUL byte", b"198.51.100.8\x00", ""),
    deny("no UTF-8", b"198.51.100.\xff", ""),
    deny("a line of a megabyte", LONG, "longer than"),
    deny("an Include of nothing", "Include", ""),
    deny("an Include without a full path", "Include other.list", "full path"),
    deny("an Include of a file that is not there", "Include /nonexistent/other.list", "No such file"),
    deny("an Include of a directory", "Include /etc", "regular file"),
    Wrong("a loop of Includes", files_that_include_each_other, "includes itself", 2, "other.list"),
    Wrong("Includes in Includes", files_included_too_deeply, "more than 8 files include each other", 1, "deep7.list"),
    Wrong("a list that is a directory", a_directory, "regular file", 1, "deny.list"),
    Wrong("a list that is a named pipe", a_pipe, "regular file", 1, "allow.list"),
    Wrong("a list that leads nowhere", a_dangling_link, "No such file", 1, "allow.list"),
    Wrong("a list of 200 MB", something_huge, "larger than", 1, "deny.list"),
    Wrong("a redirect that is none", "# one\n*|22|*\n", "", 2, "redirect.list"),
    Wrong("a redirect list that is a directory", a_directory, "", 1, "redirect.list"),
    Wrong("an assertion that is none", "# one\nanyone reeches 22\n", "reaches", 2, "policy.assert"),
)

WRONG = (*VALUES, *KEYS, *BYTES, *LISTS)
