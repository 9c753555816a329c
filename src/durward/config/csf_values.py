"""CSF's way of writing values, and ours: `LF_SSHD_PERM = "1"` is `block_for = "forever"`, seconds are durations."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from durward.catalog.knocking import KnockSequence
from durward.catalog.setting import InvalidSettingError, Setting
from durward.catalog.spelling import spelled
from durward.catalog.traffic import ConnectionLimit, PortFlood, Rate
from durward.config import csf_blocks
from durward.model import FOREVER, duration

YES_AND_NO = {"1": True, "0": False}
CSF_RATES = {"SYNFLOOD": "100/s burst 150 per source", "UDPFLOOD": "100/s burst 500 per source"}  # what 1 begins with
INSTEAD = {
    "DYNDNS_IGNORE": "is no setting here: whoever exemptions.names lets in is not counted either; for names that are "
    "not to be counted and not let in there is exemptions.ignored_names",
    "GLOBAL_DYNDNS": "is no setting here: put the names of that file into exemptions.names",
    "GLOBAL_DYNDNS_IGNORE": "is no setting here: whoever exemptions.names lets in is not counted either",
    "LF_SCRIPT_PERM": "is no setting here: to take a directory away stops the site and not the intruder, and a forged "
    "line would stop any site; the alert names the files, and alerts.hook.script runs a program of yours with them",
    "LT_SKIPPERMBLOCK": "is no setting here: a block for too many logins counts as any other when the next one of its "
    "address is made longer; detectors.brute_force.remember says for how long",
    "LOGSCANNER_STYLE": "is no setting here: alike lines stand together, the most frequent first",
}
LOGIN_SWITCHES = (
    "LF_SSH_EMAIL_ALERT",
    "LF_SU_EMAIL_ALERT",
    "LF_SUDO_EMAIL_ALERT",
    "LF_CONSOLE_EMAIL_ALERT",
    "LF_WEBMIN_EMAIL_ALERT",
    "LF_CPANEL_ALERT",
)
SYSLOG_MODES = {"0": "auto", "1": "ignore", "2": "count", "3": "auto"}  # of RESTRICT_SYSLOG
LIMIT = re.compile(r"(\d{1,9})/(s|m|h)[a-z]*", re.ASCII)


def from_csf(name: str, text: str, setting: Setting, current: Any) -> Any:
    """What `setting` is in TOML after CSF's option `name` was given `text`; `current` is its typed value until then.

    Raises InvalidSettingError where the option cannot have that value.
    """
    text = text.strip().strip('"').strip()
    converter = BY_NAME.get(name) or BY_KIND.get(setting.kind)
    if name.endswith("_PERM"):
        converter = _permanent
    return converter(name, text, setting, current) if converter else text


def instead_of(name: str, text: str, value: Callable[[tuple[str, ...]], Any]) -> str:
    """What to do instead of setting an option of CSF that is no setting here; empty for all others.

    `text` is what it was to be, if anything; `value` gives the typed value of a setting.
    """
    if name.upper() in INSTEAD:
        return INSTEAD[name.upper()]
    if name.upper() != "TESTING":
        return ""
    within = duration.text_of(value(("firewall", "confirm_within")))
    begins = "every firewall begins on trial, and durward protects meanwhile"
    if text.strip().strip('"').strip() == "0":
        return f"is no setting here: {begins}. To end the trial, from a new connection: durward confirm"
    return (
        f"is no setting here: {begins}. Instead of TESTING=1: durward apply --confirm-within {within} "
        "(TESTING_INTERVAL, here firewall.confirm_within); it rolls itself back unless `durward confirm` is typed"
    )


def to_csf(name: str, value: Any, setting: Setting) -> str:
    """A typed value as CSF's option `name` would write it; a value that CSF has no words for is written as ours."""
    writer = WRITE_BY_NAME.get(name) or WRITE_BY_KIND.get(setting.kind)
    if writer:
        return writer(name, value)
    plain = spelled(value, setting)
    return ",".join(plain) if isinstance(plain, list) else str(plain)


def _write_switch(_name: str, value: Any) -> str:
    return "0" if value in (None, False, "nflog") else "1"


def _write_permanent(_name: str, value: float) -> str:
    return "1" if value == FOREVER else "0"


def _write_mode(_name: str, value: str) -> str:
    return "0" if value == "off" else "1"


def _write_duration(_name: str, value: float) -> str:
    return "1" if value == FOREVER else str(round(value))


def _write_minutes(_name: str, value: float) -> str:
    return str(max(1, round(value / 60)))


def _write_rate(name: str, value: Rate | None) -> str:
    if value is None:
        return "0"
    return str(value.burst) if name.endswith("_BURST") else str(value).split()[0]


def _write_floods(_name: str, value: tuple[PortFlood, ...]) -> str:
    return ",".join(f"{one.port.number};{one.port.protocol};{one.hits};{round(one.within_seconds)}" for one in value)


def _write_limits(_name: str, value: tuple[ConnectionLimit, ...]) -> str:
    return ",".join(f"{one.port.number};{one.connections}" for one in value)


def _write_knocks(_name: str, value: tuple[KnockSequence, ...]) -> str:
    parts = [(one.port.number, one.port.protocol, one.within_seconds, *one.steps) for one in value]
    return ",".join(";".join(map(str, part)) for part in parts)


def _count(_name: str, text: str, _setting: Setting, _current: Any) -> Any:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else text


def _duration(_name: str, text: str, _setting: Setting, _current: Any) -> str:
    """CSF writes seconds; a duration of ours is taken too."""
    return duration.text_of(_seconds(text)) if text.isdecimal() else text


def _permanent(_name: str, text: str, _setting: Setting, _current: Any) -> str:
    """0 and 1 are for ever, more are seconds, as CSF means it."""
    return "forever" if text in ("0", "1") else _duration(_name, text, _setting, _current)


def _minutes(_name: str, text: str, _setting: Setting, _current: Any) -> str:
    return duration.text_of(_seconds(text) * 60) if text.isdecimal() else text


def _seconds(text: str) -> float:
    if len(text) > 10:
        raise InvalidSettingError(f"{text[:20]!r} is no number of seconds")
    return float(text)


def _boolean(name: str, text: str, _setting: Setting, _current: Any) -> bool:
    if text not in YES_AND_NO:
        raise InvalidSettingError(f'{text!r} was given; "1" or "0" was expected for {name}')
    return YES_AND_NO[text]


def _texts(_name: str, text: str, _setting: Setting, _current: Any) -> list[str]:
    return [word for word in re.split(r"[\s,]+", text) if word]


def _switch(name: str, text: str, setting: Setting, current: Any) -> str:
    """SYNFLOOD and UDPFLOOD: off, or on at the rate that holds already, or else at CSF's."""
    if not _boolean(name, text, setting, current):
        return "off"
    return CSF_RATES[name] if current is None else str(current)


def _rate(name: str, text: str, _setting: Setting, current: Any) -> str:
    """`100/s`, or 0 for no limit. The burst stays; CSF's one bucket for everybody becomes one for each source."""
    if text == "0":
        return "off"
    _switched_on(name, current)
    found = LIMIT.fullmatch(text)
    if not found:
        raise InvalidSettingError(f'{text!r} was given; a rate like "100/s", or "0", was expected for {name}')
    burst = f" burst {current.burst}" if current else ""
    return f"{found[1]}/{found[2]}{burst} per source"


def _burst(name: str, text: str, _setting: Setting, current: Any) -> str:
    if not text.isdecimal() or len(text) > 9 or int(text) == 0:
        raise InvalidSettingError(f"{text!r} was given; a number above 0 was expected for {name}")
    _switched_on(name, current)
    return re.sub(r"burst \d+", f"burst {text}", str(current))


def _switched_on(name: str, current: Any) -> None:
    """A rate or burst says nothing while its switch is off, and must not turn it on."""
    switch = name.partition("_")[0]
    if current is None and switch in CSF_RATES:
        raise InvalidSettingError(f"{switch} is off, so {name} means nothing; {switch}=1 was expected before it")


def _drop_log(name: str, text: str, setting: Setting, current: Any) -> str:
    return "kernel" if _boolean(name, text, setting, current) else "nflog"


def _permanent_block(name: str, text: str, setting: Setting, current: Any) -> str:
    """PS_PERMANENT and the like: for ever, or as long as is said elsewhere."""
    if _boolean(name, text, setting, current):
        return "forever"
    return duration.text_of(setting.default if current == FOREVER else current)


def _block_time(name: str, text: str, setting: Setting, current: Any) -> str:
    """PS_BLOCK_TIME and the like mean nothing while blocks are permanent."""
    return "forever" if current == FOREVER else _duration(name, text, setting, current)


def _mode(name: str, text: str, setting: Setting, current: Any) -> str:
    return "enforce" if _boolean(name, text, setting, current) else "off"


def _login_switch(name: str, text: str, setting: Setting, current: Any) -> Any:
    """A switch of logins that are told: of a detector's mode, and of what of it is left out otherwise."""
    if setting.kind == "boolean":
        return not _boolean(name, text, setting, current)
    return _mode(name, text, setting, current)


def _write_login_switch(name: str, value: Any) -> str:
    return ("0" if value else "1") if isinstance(value, bool) else _write_mode(name, value)


def _accounts(name: str, text: str, setting: Setting, current: Any) -> list[str]:
    """LF_CPANEL_ALERT_USERS: `all`, or names."""
    return ["*"] if text.casefold() == "all" else _texts(name, text, setting, current)


def _write_accounts(_name: str, value: tuple[str, ...]) -> str:
    return "all" if "*" in value else ",".join(value)


def _more_than(_name: str, text: str, _setting: Setting, _current: Any) -> Any:
    """CSF's limit is the most that may be; ours the first that is too many. 0 is nobody in both."""
    number = _count(_name, text, _setting, _current)
    return number + 1 if isinstance(number, int) and number > 0 else number


def _relay_block(name: str, text: str, setting: Setting, current: Any) -> Any:
    """0 is no block, 1 for ever, more are seconds."""
    return "0s" if text == "0" else _permanent(name, text, setting, current)


def _write_more_than(_name: str, value: int) -> str:
    return str(max(0, value - 1))


def _ftp_port(_name: str, text: str, _setting: Setting, _current: Any) -> bool:
    """USE_FTPHELPER is the port, or 0."""
    return text != "0"


Converter = Callable[[str, str, Setting, Any], Any]
RELAYED = ("RELAY", "AUTHRELAY", "POPRELAY", "LOCALRELAY", "LOCALHOSTRELAY")
MAIL_LIMITS = ("LT_POP3D", "LT_IMAPD", "LF_SCRIPT_LIMIT", "LF_QUEUE_ALERT", *(f"RT_{one}_LIMIT" for one in RELAYED))
MAIL_SWITCHES = ("LF_SCRIPT_ALERT", *(f"RT_{one}_ALERT" for one in RELAYED))


def _restrict_syslog(name: str, text: str, _setting: Setting, _current: Any) -> str:
    """Whose lines of syslog count: CSF's 0 is what nobody chose, 3 restricts sockets, which is found out here."""
    if text not in SYSLOG_MODES:
        raise InvalidSettingError(f"{text!r} was given; 0 to 3 was expected for {name}")
    return SYSLOG_MODES[text]


def _write_restrict_syslog(_name: str, value: str) -> str:
    return {"ignore": "1", "count": "2"}.get(value, "0")


def _log_scanner(name: str, text: str, setting: Setting, current: Any) -> str:
    """LOGSCANNER switches it on, hourly unless another interval holds."""
    if not _boolean(name, text, setting, current):
        return "off"
    return str(current) if current != "off" else "hourly"


def _log_scanner_interval(name: str, text: str, _setting: Setting, current: Any) -> str:
    """It says nothing while LOGSCANNER is off, and must not turn it on."""
    if text not in ("hourly", "daily", "manual"):
        raise InvalidSettingError(f"{text!r} was given; hourly, daily or manual was expected for {name}")
    return text if current != "off" else "off"


def _write_log_scanner(name: str, value: str) -> str:
    return ("hourly" if value == "off" else value) if name.endswith("_INTERVAL") else _write_mode(name, value)


BY_NAME: Mapping[str, Converter] = {
    "LOGSCANNER": _log_scanner,
    "LOGSCANNER_INTERVAL": _log_scanner_interval,
    "RESTRICT_SYSLOG": _restrict_syslog,
    **csf_blocks.READ,
    "SYNFLOOD": _switch,
    "UDPFLOOD": _switch,
    "SYNFLOOD_BURST": _burst,
    "UDPFLOOD_BURST": _burst,
    "TESTING_INTERVAL": _minutes,
    "DROP_LOGGING": _drop_log,
    "USE_FTPHELPER": _ftp_port,
    "PS_PERMANENT": _permanent_block,
    "CT_PERMANENT": _permanent_block,
    "PS_BLOCK_TIME": _block_time,
    "CT_BLOCK_TIME": _block_time,
    "PORTKNOCKING_ALERT": _mode,
    **dict.fromkeys(MAIL_SWITCHES, _mode),
    **dict.fromkeys(MAIL_LIMITS, _more_than),
    **dict.fromkeys((f"RT_{one}_BLOCK" for one in RELAYED), _relay_block),
    **dict.fromkeys(LOGIN_SWITCHES, _login_switch),
    "LF_CPANEL_ALERT_USERS": _accounts,
}
BY_KIND: Mapping[str, Converter] = {
    "count": _count,
    "number": _count,
    "duration": _duration,
    "boolean": _boolean,
    "texts": _texts,
    "paths": _texts,
    "choices": _texts,
    "places": _texts,
    "probed": _texts,
    "rate": _rate,
}
WRITE_BY_NAME: Mapping[str, Callable[[str, Any], str]] = {
    **dict.fromkeys(("LOGSCANNER", "LOGSCANNER_INTERVAL"), _write_log_scanner),
    "RESTRICT_SYSLOG": _write_restrict_syslog,
    **csf_blocks.WRITE,
    "SYNFLOOD": _write_switch,
    "UDPFLOOD": _write_switch,
    "DROP_LOGGING": _write_switch,
    "TESTING_INTERVAL": _write_minutes,
    "PS_PERMANENT": _write_permanent,
    "CT_PERMANENT": _write_permanent,
    "PORTKNOCKING_ALERT": _write_mode,
    **dict.fromkeys(MAIL_SWITCHES, _write_mode),
    **dict.fromkeys(MAIL_LIMITS, _write_more_than),
    **dict.fromkeys(LOGIN_SWITCHES, _write_login_switch),
    "LF_CPANEL_ALERT_USERS": _write_accounts,
}
WRITE_BY_KIND: Mapping[str, Callable[[str, Any], str]] = {
    "boolean": _write_switch,
    "duration": _write_duration,
    "rate": _write_rate,
    "port_floods": _write_floods,
    "connection_limits": _write_limits,
    "knocks": _write_knocks,
}
