"""CSF's values become ours, and ours CSF's."""

from typing import Any

import pytest
from tests.config.cards import SERVICES, detectors

from durward.catalog.setting import InvalidSettingError, Setting
from durward.config.csf_values import INSTEAD, from_csf, to_csf
from durward.config.schema import schema_of

SCHEMA = schema_of(SERVICES, detectors())


def setting_of(name: str) -> Setting:
    setting = SCHEMA.setting(SCHEMA.csf[name][0])
    assert setting is not None
    return setting


def converted(name: str, text: str, current: Any = None) -> Any:
    setting = setting_of(name)
    value = from_csf(name, text, setting, setting.default if current is None else current)
    setting.read(value)
    return value


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("LF_SSHD", "10", 10),
        ("LF_SSHD", '"10"', 10),
        ("LF_SSHD", "0", 0),
        ("LF_SSHD_PERM", "1", "forever"),
        ("LF_SSHD_PERM", "0", "forever"),
        ("LF_SSHD_PERM", "3600", "1h"),
        ("LF_SSHD_PERM", "90m", "90m"),
        ("LF_INTERVAL", "3600", "1h"),
        ("LT_POP3D", "60", 61),
        ("LT_IMAPD", "0", 0),
        ("RT_AUTHRELAY_LIMIT", "100", 101),
        ("RT_RELAY_BLOCK", "0", "0s"),
        ("RT_RELAY_BLOCK", "1", "forever"),
        ("RT_POPRELAY_BLOCK", "3600", "1h"),
        ("RT_LOCALRELAY_ALERT", "0", "off"),
        ("RT_LOCALHOSTRELAY_ALERT", "1", "enforce"),
        ("LF_SCRIPT_ALERT", "1", "enforce"),
        ("LF_SCRIPT_LIMIT", "100", 101),
        ("LF_QUEUE_ALERT", "2000", 2001),
        ("LF_QUEUE_INTERVAL", "300", "5m"),
        ("LF_EXIMSYNTAX", "10", 10),
        ("LF_PERMBLOCK_INTERVAL", "86400", "1d"),
        ("TESTING_INTERVAL", "5", "5m"),
        ("PS_INTERVAL", "0", "0s"),
        ("PS_LIMIT", "10", 10),
        ("PS_DIVERSITY", "1", 1),
        ("PS_PORTS", "0:65535,ICMP", ["0:65535", "ICMP"]),
        ("PS_PERMANENT", "1", "forever"),
        ("PS_PERMANENT", "0", "1h"),
        ("PS_BLOCK_TIME", "3600", "1h"),
        ("UID_INTERVAL", "300", "5m"),
        ("RESTRICT_SYSLOG", "0", "auto"),
        ("RESTRICT_SYSLOG", "1", "ignore"),
        ("RESTRICT_SYSLOG", "2", "count"),
        ("RESTRICT_SYSLOG", "3", "auto"),
        ("LOGSCANNER", "1", "hourly"),
        ("LOGSCANNER", "0", "off"),
        ("LOGSCANNER_INTERVAL", "daily", "off"),
        ("LOGSCANNER_LINES", "10000", 10000),
        ("LOGFLOOD_ALERT", "0", False),
        ("PORTKNOCKING_ALERT", "1", "enforce"),
        ("PORTKNOCKING_ALERT", "0", "off"),
        ("LF_SSH_EMAIL_ALERT", "1", "enforce"),
        ("LF_SU_EMAIL_ALERT", "0", "off"),
        ("LF_SUDO_EMAIL_ALERT", "1", "enforce"),
        ("LF_CPANEL_ALERT_USERS", "all", ["*"]),
        ("LF_CPANEL_ALERT_USERS", "root, bob", ["root", "bob"]),
        ("LF_TEMP_EMAIL_ALERT", "0", False),
        ("TCP_IN", "20,21,30000:35000", "20,21,30000:35000"),
        ("SMTP_BLOCK", "1", True),
        ("SMTP_ALLOWUSER", "cpanel, bob", ["cpanel", "bob"]),
        ("SMTP_ALLOWGROUP", "", []),
        ("UDPFLOOD_ALLOWUSER", "named bob", ["named", "bob"]),
        ("PORTFLOOD", "22;tcp;5;300,80;tcp;20;5", "22;tcp;5;300,80;tcp;20;5"),
        ("CONNLIMIT", "22;5,80;20", "22;5,80;20"),
        ("PORTKNOCKING", "22;TCP;20;100;200;300;400", "22;TCP;20;100;200;300;400"),
        ("SYNFLOOD", "0", "off"),
        ("SYNFLOOD", "1", "100/s burst 150 per source"),
        ("SYNFLOOD_RATE", "50/s", "50/s burst 150 per source"),
        ("SYNFLOOD_RATE", "30/minute", "30/m burst 150 per source"),
        ("SYNFLOOD_BURST", "99", "100/s burst 99 per source"),
        ("UDPFLOOD", "1", "100/s burst 500 per source"),
        ("ICMP_IN", "0", False),
        ("ICMP_IN_RATE", "0", "off"),
        ("USE_FTPHELPER", "21", True),
        ("USE_FTPHELPER", "0", False),
        ("DROP_LOGGING", "1", "kernel"),
        ("DROP_NOLOG", "23,67,135:139", "23,67,135:139"),
        ("LF_ALERT_TO", "a@example.com,b@example.com", ["a@example.com", "b@example.com"]),
    ],
)
def test_values_of_csf(name: str, text: str, value: Any) -> None:
    assert converted(name, text) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("LF_SSHD", "x"),
        ("LF_SSHD", "-1"),
        ("LF_SSHD_PERM", "soon"),
        ("LF_INTERVAL", "9" * 30),
        ("SMTP_BLOCK", "yes"),
        ("TCP_IN", "80-"),
        ("SYNFLOOD", "2"),
        ("SYNFLOOD_RATE", "fast"),
        ("SYNFLOOD_BURST", "0"),
        ("UDPFLOOD_BURST", "7"),  # UDPFLOOD is off by default
        ("UDPFLOOD_LIMIT", "7/s"),
        ("PORTKNOCKING", "22;TCP;20;100"),
    ],
)
def test_values_that_csf_would_not_take_either(name: str, text: str) -> None:
    with pytest.raises(InvalidSettingError):
        converted(name, text)


def test_every_name_can_be_written_and_read_again() -> None:
    for name in SCHEMA.csf:
        setting = setting_of(name)
        if name == "ETH_DEVICE_SKIP":
            continue  # names in CSF, roles with us
        value = setting.default
        if value is None and name.endswith("_BURST"):
            continue  # a burst of nothing
        again = setting.read(from_csf(name, to_csf(name, value, setting), setting, value))
        assert again == value, name


@pytest.mark.parametrize(
    ("name", "written", "text"),
    [
        ("LF_SSHD_PERM", "forever", "1"),
        ("LF_SSHD_PERM", "2h", "7200"),
        ("TESTING_INTERVAL", "5m", "5"),
        ("TCP_IN", "22,80:90", "22,80:90"),
        ("PORTFLOOD", ["22/tcp 5/5m"], "22;tcp;5;300"),
        ("CONNLIMIT", ["22 5"], "22;5"),
        ("PORTKNOCKING", ["22/tcp 20s 1 2 3"], "22;tcp;20;1;2;3"),
        ("SYNFLOOD", "off", "0"),
        ("SYNFLOOD_RATE", "5/m burst 9", "5/m"),
        ("SYNFLOOD_BURST", "5/m burst 9", "9"),
        ("SMTP_BLOCK", True, "1"),
        ("SMTP_ALLOWUSER", ["a", "b"], "a,b"),
        ("DROP_LOGGING", "kernel", "1"),
        ("LT_POP3D", 61, "60"),
        ("LT_POP3D", 0, "0"),
        ("RT_RELAY_BLOCK", "0s", "0"),
        ("RT_RELAY_BLOCK", "forever", "1"),
        ("RT_RELAY_ALERT", "off", "0"),
    ],
)
def test_values_for_csf(name: str, written: Any, text: str) -> None:
    setting = setting_of(name)
    assert to_csf(name, setting.read(written), setting) == text


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("DYNDNS_IGNORE", "exemptions.ignored_names"),
        ("GLOBAL_DYNDNS", "exemptions.names"),
        ("GLOBAL_DYNDNS_IGNORE", "exemptions.names"),
        ("LF_SCRIPT_PERM", "alerts.hook.script"),
        ("LOGSCANNER_STYLE", "the most frequent first"),
    ],
)
def test_it_is_said_what_to_do_instead(name: str, advice: str) -> None:
    assert INSTEAD[name].startswith("is no setting here: ")
    assert advice in INSTEAD[name]
