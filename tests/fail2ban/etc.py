"""A made-up configuration of fail2ban, in its own places."""

from pathlib import Path
from textwrap import dedent

JAIL_CONF = """
[INCLUDES]
before = paths-debian.conf

[DEFAULT]
bantime = 10m
findtime = 10m
maxretry = 5
backend = auto
enabled = false
mode = normal
filter = %(__name__)s[mode=%(mode)s]
banaction = iptables-multiport
destemail = root@localhost
action_ = %(banaction)s[port="%(port)s", chain="x"]
action_mw = %(action_)s
            sendmail-whois[dest="%(destemail)s"]
action = %(action_)s

[sshd]
port = ssh
logpath = %(sshd_log)s
backend = %(sshd_backend)s

[apache-auth]
port = http
logpath = /var/log/apache2/*error.log

[apache-badbots]
port = http
logpath = /var/log/apache2/*access.log
maxretry = 1
"""
SHOP = r"""
[INCLUDES]
before = common.conf
[Definition]
_daemon = shop(?:-worker)?
failregex = ^%(__prefix_line)slogin of <F-USER>\S+</F-USER> refused, client <HOST>$
            ^%(__prefix_line)s(?!debug)bad token from <HOST>
            authentication failed.*rip=<HOST>
ignoreregex =
"""
COMMON = r"""
[DEFAULT]
_daemon = \S*
__prefix_line = \s*(?:\S+\s+)?<_daemon>(?:\[\d+\])?:\s+
"""


def write(directory: Path, files: dict[str, str]) -> Path:
    """Write these files below `directory`, beside a jail.conf as a package brings it."""
    packaged = {
        "jail.conf": JAIL_CONF,
        "paths-debian.conf": "[DEFAULT]\nsshd_log = /var/log/auth.log\nsshd_backend = %(default_backend)s\n"
        "default_backend = auto\n",
        "filter.d/common.conf": COMMON,
        "filter.d/shop.conf": SHOP,
    }
    for name, text in {**packaged, **files}.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    return directory
