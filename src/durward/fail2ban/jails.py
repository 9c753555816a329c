"""fail2ban's jails: which filters watch which logs, and how long somebody is kept out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from durward.fail2ban.failure import Fail2banError
from durward.fail2ban.files import DEFAULT, Option, Sections, read_sections
from durward.fail2ban.values import Values

JAILS_MAX = 500  # more are refused
UNTOLD = frozenset({"action", "filter", "fail2ban_agent"})  # the first two are read by what they name
YES = frozenset({"1", "yes", "true", "on"})
REFERRED = re.compile(r"([A-Za-z0-9_.-]+?)(?:\.(?:conf|local))?\s*(?:\[(.*)\])?", re.DOTALL)
REFERRED_OPTION = re.compile(r"""([\w.?-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^,\]]*))\s*(?:,|$|\])""")


@dataclass(frozen=True, slots=True)
class Named:
    """A filter or an action as a jail names it: `sshd[mode=aggressive]`."""

    name: str
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Jail:
    """A jail. `texts` are the values that hold for it, by key; `options` where each of them is written.

    `unread` are the keys whose values cannot be told, with the reason.
    """

    name: str
    enabled: bool
    filter: Named
    actions: tuple[str, ...]
    texts: Mapping[str, str]
    options: Mapping[str, Option]
    unread: Mapping[str, str] = field(default_factory=dict)

    def place(self, key: str) -> str:
        """Where a key of the jail is written; empty where nobody wrote it."""
        return self.options[key].place if key in self.options else ""

    def is_own(self, key: str) -> bool:
        """Whether somebody wrote the key in files of this host, not only the package in jail.conf."""
        return key in self.options and Path(self.options[key].file).name not in SHIPPED


@dataclass(frozen=True, slots=True)
class Jails:
    """All jails, and what holds for all that do not say otherwise. `problems` are jails that could not be read."""

    jails: tuple[Jail, ...]
    defaults: Jail
    problems: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


SHIPPED = frozenset({"jail.conf", "paths-common.conf", "paths-debian.conf", "paths-fedora.conf", "paths-opensuse.conf"})


def read_jails(directory: Path) -> Jails:
    """Read jail.conf, jail.d and jail.local below `directory`. Raises Fail2banError where there is no jail.conf."""
    if not any((directory / name).is_file() for name in ("jail.conf", "jail.local")):
        raise Fail2banError(f"{directory}: holds neither jail.conf nor jail.local")
    more = directory / "jail.d"
    paths = [directory / "jail.conf", *sorted(more.glob("*.conf"))]
    sections = read_sections([*paths, directory / "jail.local", *sorted(more.glob("*.local"))])
    sections.put(DEFAULT, "fail2ban_version", Option("", "", 0))
    values = Values(sections)
    names = sections.names()
    if len(names) > JAILS_MAX:
        raise Fail2banError(f"{directory}: more than {JAILS_MAX} jails")
    jails, problems = [], []
    for name in names:
        try:
            jails.append(_jail(name, sections, values))
        except Fail2banError as error:
            problems.append(f"{name}: {error}")
    return Jails(tuple(jails), _defaults(sections, values), tuple(problems), tuple(sections.files))


def read_named(text: str) -> Named:
    """Read `name[option=value, other="value"]`."""
    match = REFERRED.fullmatch(text.strip())
    if match is None:
        raise Fail2banError(f"{text!r} is no name of a filter or an action")
    options = {one[1].lower(): one[2] or one[3] or one[4] or "" for one in REFERRED_OPTION.finditer(match[2] or "")}
    return Named(match[1], {name: value.strip() for name, value in options.items()})


def _jail(name: str, sections: Sections, values: Values) -> Jail:
    enabled = values.text(name, "enabled").lower() in YES
    options = _options(name, sections)
    watched = read_named(values.text(name, "filter") or name) if enabled else Named(name)
    # Most jails are off and name logs that are nowhere: only those that are on have to be right.
    texts, unread = _texts(name, options, values) if enabled else ({}, {})
    actions: tuple[str, ...] = ()
    try:
        actions = _actions(name, values) if enabled else ()
    except Fail2banError as error:
        unread["action"] = str(error)
    return Jail(name, enabled, watched, actions, texts, options, unread)


def _defaults(sections: Sections, values: Values) -> Jail:
    """What holds for all: only what can be read without knowing a jail."""
    options = _options(DEFAULT, sections)
    texts, _ = _texts(DEFAULT, options, values)  # what speaks of a jail, each jail that is on has
    return Jail(DEFAULT, False, Named(DEFAULT), (), texts, options)


def _texts(name: str, options: Mapping[str, Option], values: Values) -> tuple[dict[str, str], dict[str, str]]:
    """What the options mean, and of those of which that cannot be told, why."""
    texts, unread = {}, {}
    for key in options:
        if key in UNTOLD or key.startswith(("action_", "known/")):
            continue
        try:
            texts[key] = values.text(name, key)
        except Fail2banError as error:
            unread[key] = str(error)
    return texts, unread


def _options(name: str, sections: Sections) -> dict[str, Option]:
    every = {**sections.written.get(DEFAULT, {}), **sections.written.get(name, {})}
    return {key: history[-1] for key, history in every.items() if history[-1].file}


def _actions(name: str, values: Values) -> tuple[str, ...]:
    """The names of the actions. How they are set up is fail2ban's own business."""
    depth, start, text = 0, 0, values.text(name, "action")
    found = []
    for place, letter in enumerate(f"{text}\n"):
        depth += (letter == "[") - (letter == "]")
        if letter == "\n" and depth <= 0:
            found.append(text[start:place].strip())
            start = place + 1
    names = [re.match(r"[\w.-]+", one) for one in found]
    return tuple(dict.fromkeys(match[0] for match in names if match))
