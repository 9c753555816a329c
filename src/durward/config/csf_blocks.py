"""CSF's values for whom and what is blocked: LF_SELECT, LF_PERMBLOCK, LF_NETBLOCK, LF_DISTATTACK and PORTS_*."""

from collections.abc import Callable, Mapping
from typing import Any

from durward.catalog.setting import InvalidSettingError, Setting
from durward.model import Port

CLASSES = {"A": 8, "B": 16, "C": 24}
PERMBLOCK_COUNT = 4  # CSF's, for LF_PERMBLOCK=1 where no number was set
# CSF has ports for each protocol, we for each server: of a server of several protocols, the others' ports stay.
MAIL_PORTS = {
    "PORTS_POP3D": frozenset({110, 995}),
    "PORTS_IMAPD": frozenset({143, 993}),
    "PORTS_SMTPAUTH": frozenset({25, 465, 587}),
    "PORTS_EXIMSYNTAX": frozenset({25, 465, 587}),
}
SIEVE = frozenset({4190})
PORTS = tuple(
    f"PORTS_{name}"
    for name in (
        *(
            "POP3D",
            "IMAPD",
            "HTPASSWD",
            "MOD_SECURITY",
            "MOD_QOS",
            "SYMLINK",
            "SUHOSIN",
            "CXS",
            "BIND",
            "FTPD",
            "WEBMIN",
        ),
        *("CPANEL", "SMTPAUTH", "EXIMSYNTAX", "SSHD", "DIRECTADMIN", "CWP", "VESTA", "INTERWORX"),
    )
)


def _is_on(name: str, text: str) -> bool:
    if text not in ("0", "1"):
        raise InvalidSettingError(f'{text!r} was given; "1" or "0" was expected for {name}')
    return text == "1"


def _select(name: str, text: str, _setting: Setting, current: Any) -> str:
    """LF_SELECT: the ports alone; without it, whatever else was chosen stays."""
    if _is_on(name, text):
        return "ports"
    return "block" if current == "ports" else str(current)


def _mode(name: str, text: str, _setting: Setting, _current: Any) -> str:
    return "enforce" if _is_on(name, text) else "off"


def _permanent_after(name: str, text: str, _setting: Setting, current: Any) -> Any:
    """LF_PERMBLOCK switches it on at CSF's number, or at the one that holds already."""
    if not _is_on(name, text):
        return 0
    return current or PERMBLOCK_COUNT


def _permanent_count(name: str, text: str, _setting: Setting, current: Any) -> Any:
    """LF_PERMBLOCK_COUNT says nothing while LF_PERMBLOCK is off, and must not turn it on. CSF's own is no wish."""
    if current == 0:
        if text == str(PERMBLOCK_COUNT):
            return 0
        raise InvalidSettingError(
            f"LF_PERMBLOCK is off, so {name} means nothing; LF_PERMBLOCK=1 was expected before it"
        )
    return _number(text)


def _beyond(_name: str, text: str, _setting: Setting, _current: Any) -> Any:
    """LF_NETBLOCK_COUNT is the most that is let go; ours is the first that is too many."""
    number = _number(text)
    return number + 1 if isinstance(number, int) else number


def _class(name: str, text: str, _setting: Setting, _current: Any) -> Any:
    """A, B or C; a prefix length of ours is taken too."""
    if text.upper() in CLASSES:
        return CLASSES[text.upper()]
    if not text.isdecimal():
        raise InvalidSettingError(f"{text!r} was given; A, B or C was expected for {name}")
    return _number(text)


def _prefix(_name: str, text: str, setting: Setting, _current: Any) -> Any:
    """LF_NETBLOCK_IPV6: "/64"; nothing is none, which a network as wide as one customer's is."""
    return _number(text.removeprefix("/")) if text else setting.maximum and int(setting.maximum)


def _ports(name: str, text: str, _setting: Setting, current: Any) -> str:
    """`80,443` or `53;udp,53;tcp`, and of a mail server what other protocols have."""
    given = text.replace(" ", "").replace(";", "/")
    kept = [port for port in current if port.number in _of_others(name)]
    try:
        wanted = [Port.parse(one) for one in given.split(",") if one]
    except ValueError as error:
        raise InvalidSettingError(f'{error}; ports like "80,443" or "53;udp" were expected for {name}') from None
    ordered = sorted({*kept, *wanted}, key=lambda port: (port.number, port.protocol))
    return ",".join(map(str, ordered))


def _of_others(name: str) -> frozenset[int]:
    own = MAIL_PORTS.get(name, frozenset())
    return frozenset().union(SIEVE, *MAIL_PORTS.values()) - own if own else frozenset()


def _number(text: str) -> Any:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else text


def _write_mode(_name: str, value: str) -> str:
    return "1" if value == "enforce" else "0"


def _write_class(_name: str, value: int) -> str:
    return next((name for name, prefix in CLASSES.items() if prefix == value), str(value))


def _write_ports(name: str, value: tuple[Port, ...]) -> str:
    own = [port for port in value if port.number not in _of_others(name)]
    return ",".join(str(port).replace("/", ";") for port in own)


READ: Mapping[str, Callable[[str, str, Setting, Any], Any]] = {
    "LF_SELECT": _select,
    "LF_NETBLOCK": _mode,
    "LF_DISTATTACK": _mode,
    "LF_NETBLOCK_COUNT": _beyond,
    "LF_NETBLOCK_CLASS": _class,
    "LF_NETBLOCK_IPV6": _prefix,
    "LF_PERMBLOCK": _permanent_after,
    "LF_PERMBLOCK_COUNT": _permanent_count,
    **dict.fromkeys(PORTS, _ports),
}
WRITE: Mapping[str, Callable[[str, Any], str]] = {
    "LF_SELECT": lambda _name, value: "1" if value == "ports" else "0",
    "LF_NETBLOCK": _write_mode,
    "LF_DISTATTACK": _write_mode,
    "LF_NETBLOCK_COUNT": lambda _name, value: str(value - 1),
    "LF_NETBLOCK_CLASS": _write_class,
    "LF_NETBLOCK_IPV6": lambda _name, value: f"/{value}",
    "LF_PERMBLOCK": lambda _name, value: "1" if value else "0",
    "LF_PERMBLOCK_COUNT": lambda _name, value: str(value or PERMBLOCK_COUNT),
    **dict.fromkeys(PORTS, _write_ports),
}
