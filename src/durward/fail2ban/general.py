"""What fail2ban's configuration says for all jails: who is never banned, and how the daemon itself is set up."""

import ipaddress
import re
from pathlib import Path

from durward.fail2ban.failure import Fail2banError
from durward.fail2ban.files import DEFAULT, read_sections
from durward.fail2ban.jails import Jail, Jails
from durward.fail2ban.plan import Plan
from durward.fail2ban.remaining import SAID, of_key
from durward.fail2ban.values import Values
from durward.model import InvalidAddressError, Subject

DAEMON = {
    "loglevel": "what durward says is short; every decision is in `durward log`",
    "logtarget": "durward's processes log to the journal",
    "syslogsocket": "durward's processes log to the journal",
    "socket": "durward's sockets are in /run/durward",
    "pidfile": "the supervisor knows its processes",
    "dbfile": "decisions and positions are in /var/lib/durward",
    "dbpurgeage": "how long earlier blocks count is detectors.brute_force.remember, 30 days",
    "dbmaxmatches": "the last lines are kept as evidence",
    "allowipv6": "both families are always protected",
}


def say_general(jails: Jails, directory: Path, plan: Plan) -> None:
    """Say what becomes of the daemon's own settings, and of what holds for all jails; gather who is ignored."""
    _daemon(directory, plan)
    defaults = jails.defaults
    for key, option in defaults.options.items():
        if key in SAID or key.startswith("action_") or not defaults.is_own(key):
            continue
        text = defaults.texts.get(key, option.text)
        outcome, why = of_key(key, text)
        plan.say(DEFAULT, key, text, outcome, "", why, option.place)
    said: set[str] = set()
    for jail in (defaults, *(jail for jail in jails.jails if jail.enabled)):
        place = jail.place("ignoreip")
        if place and place not in said:
            said.add(place)
            _ignored(jail, plan)


def _ignored(jail: Jail, plan: Plan) -> None:
    for word in re.split(r"[\s,]+", jail.texts.get("ignoreip", "")):
        if not word:
            continue
        place = jail.place("ignoreip")
        try:
            subject = Subject.parse(_network(word))
        except InvalidAddressError:
            why = "a name is not resolved: whoever answers for it could let himself in"
            plan.say(jail.name, "ignoreip", word, "refused", "", why, place)
            continue
        if subject.network.is_loopback:
            plan.say(jail.name, "ignoreip", word, "needless", "", "an own address is never blocked", place)
            continue
        plan.ignored = list(dict.fromkeys([*plan.ignored, subject.value]))
        everywhere = "" if jail.name == DEFAULT else "it is ignored for every service, not for this one alone"
        target = f"ignore.list: {subject.value}"
        plan.say(jail.name, "ignoreip", word, "differs" if everywhere else "maps", target, everywhere, place)


def _network(word: str) -> str:
    """A network as it is meant: `127.0.0.1/8` is the whole of 127.0.0.0/8."""
    try:
        return str(ipaddress.ip_network(word, strict=False)) if "/" in word else word
    except ValueError:
        return word


def _daemon(directory: Path, plan: Plan) -> None:
    """fail2ban.conf: only what this host's own files say is worth a row."""
    more = directory / "fail2ban.d"
    paths = [directory / "fail2ban.conf", *sorted(more.glob("*.conf"))]
    sections = read_sections([*paths, directory / "fail2ban.local", *sorted(more.glob("*.local"))])
    values = Values(sections)
    for section, options in sections.written.items():
        for key, history in options.items():
            if Path(history[-1].file).name == "fail2ban.conf":
                continue
            why = DAEMON.get(key, "it is about fail2ban's own processes")
            try:
                text = values.text(section, key)
            except Fail2banError:
                text = history[-1].text
            plan.say("fail2ban", key, text, "needless", "", why, history[-1].place)
