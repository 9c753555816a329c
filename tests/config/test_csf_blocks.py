"""CSF's values for whom and what is blocked become ours, and ours CSF's; every name of a service's ports is known."""

from typing import Any

import pytest

from durward.catalog.service_card import load_services
from durward.catalog.setting import InvalidSettingError, Setting
from durward.catalog.shelf import directories_of, load_detectors
from durward.config.csf_blocks import PORTS
from durward.config.csf_values import from_csf, to_csf
from durward.config.schema import schema_of
from durward.model import FOREVER, Port

SCHEMA = schema_of(load_services(directories_of("services")), load_detectors(directories_of("detectors")))


def setting_of(name: str, key: str = "") -> Setting:
    keys = SCHEMA.lookup(name)
    setting = SCHEMA.setting(next(one for one in keys if key in one))
    assert setting is not None
    return setting


def converted(name: str, text: str, current: Any, key: str = "") -> Any:
    """What an option leads to, as the setting reads it."""
    setting = setting_of(name, key)
    return setting.read(from_csf(name.upper(), text, setting, current))


@pytest.mark.parametrize(
    ("name", "text", "current", "value"),
    [
        ("LF_SELECT", "1", "block", "ports"),
        ("LF_SELECT", "0", "ports", "block"),
        ("LF_SELECT", "0", "throttle", "throttle"),
        ("LF_TRIGGER", "20", 0, 20),
        ("LF_TRIGGER_PERM", "1", 3600.0, FOREVER),
        ("LF_TRIGGER_PERM", "7200", 3600.0, 7200.0),
        ("LF_NETBLOCK", "1", "off", "enforce"),
        ("LF_NETBLOCK", "0", "enforce", "off"),
        ("LF_DISTATTACK", "1", "off", "enforce"),
        ("LF_NETBLOCK_COUNT", "4", 5, 5),
        ("LF_NETBLOCK_CLASS", "A", 24, 8),
        ("LF_NETBLOCK_CLASS", "b", 24, 16),
        ("LF_NETBLOCK_CLASS", "C", 16, 24),
        ("LF_NETBLOCK_IPV6", "/56", 64, 56),
        ("LF_NETBLOCK_IPV6", "", 48, 64),
        ("LF_PERMBLOCK", "1", 0, 4),
        ("LF_PERMBLOCK", "1", 7, 7),
        ("LF_PERMBLOCK", "0", 7, 0),
        ("LF_PERMBLOCK_COUNT", "6", 4, 6),
        ("LF_PERMBLOCK_INTERVAL", "86400", 1.0, 86400.0),
        ("PORTS_sshd", "22,2222", (Port(22),), (Port(22), Port(2222))),
        ("PORTS_bind", "53;udp,53;tcp", (), (Port(53), Port(53, "udp"))),
    ],
)
def test_a_value_of_csf_becomes_ours(name: str, text: str, current: Any, value: Any) -> None:
    assert converted(name, text, current) == value


@pytest.mark.parametrize(
    ("name", "text", "current"),
    [
        ("LF_SELECT", "2", "block"),
        ("LF_NETBLOCK", "yes", "off"),
        ("LF_NETBLOCK_CLASS", "D", 24),
        ("LF_NETBLOCK_CLASS", "99", 24),
        ("LF_NETBLOCK_IPV6", "/24", 64),
        ("LF_PERMBLOCK_COUNT", "6", 0),
        ("PORTS_sshd", "ssh", ()),
        ("PORTS_bind", "53;sctp", ()),
    ],
)
def test_what_csf_would_not_take_is_refused(name: str, text: str, current: Any) -> None:
    with pytest.raises(InvalidSettingError):
        converted(name, text, current)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("LF_SELECT", "ports", "1"),
        ("LF_SELECT", "throttle", "0"),
        ("LF_TRIGGER_PERM", FOREVER, "1"),
        ("LF_TRIGGER_PERM", 3600.0, "3600"),
        ("LF_NETBLOCK", "enforce", "1"),
        ("LF_NETBLOCK", "shadow", "0"),
        ("LF_NETBLOCK_COUNT", 5, "4"),
        ("LF_NETBLOCK_CLASS", 16, "B"),
        ("LF_NETBLOCK_CLASS", 20, "20"),
        ("LF_NETBLOCK_IPV6", 56, "/56"),
        ("LF_PERMBLOCK", 0, "0"),
        ("LF_PERMBLOCK", 4, "1"),
        ("LF_PERMBLOCK_COUNT", 0, "4"),
        ("PORTS_sshd", (Port(22), Port(2222)), "22,2222"),
        ("PORTS_bind", (Port(53), Port(53, "udp")), "53,53;udp"),
    ],
)
def test_a_value_of_ours_is_written_as_csf_does(name: str, value: Any, text: str) -> None:
    assert to_csf(name.upper(), value, setting_of(name)) == text


def test_the_ports_of_one_protocol_leave_those_of_the_others() -> None:
    now = setting_of("PORTS_pop3d", "services.dovecot.").default
    assert to_csf("PORTS_POP3D", now, setting_of("PORTS_pop3d")) == "110,995"
    assert to_csf("PORTS_IMAPD", now, setting_of("PORTS_imapd")) == "143,993"
    after = converted("PORTS_pop3d", "1110", now, "services.dovecot.")
    assert {port.number for port in after} == ({port.number for port in now} - {110, 995}) | {1110}


def test_every_name_of_ports_stands_for_a_service() -> None:
    assert [name for name in PORTS if not SCHEMA.lookup(name)] == []
    assert SCHEMA.lookup("PORTS_sshd") == SCHEMA.lookup("ports_SSHD") != ()


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("PORTS_sshd", "22"),
        ("PORTS_htpasswd", "80,443"),
        ("PORTS_mod_security", "80,443"),
        ("PORTS_bind", "53,53;udp"),
        ("PORTS_cpanel", "2077,2078,2082,2083,2086,2087,2095,2096"),
        ("PORTS_smtpauth", "25,465,587"),
        ("PORTS_directadmin", "2222"),
        ("PORTS_cwp", "2030,2031"),
        ("PORTS_vesta", "8083"),
        ("PORTS_interworx", "2080,2443"),
    ],
)
def test_the_ports_begin_as_they_do_with_csf(name: str, default: str) -> None:
    setting = setting_of(name)
    assert to_csf(name.upper(), setting.default, setting) == default
