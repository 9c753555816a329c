"""The tree of known keys, and the keys that CSF's names stand for."""

import pytest
from tests.config.cards import SERVICES, detectors

from durward.config.schema import Schema, schema_of


@pytest.fixture(scope="module")
def schema() -> Schema:
    return schema_of(SERVICES, detectors())


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("LF_SSHD", "detectors.brute_force.services.sshd.count"),
        ("LF_SSHD_PERM", "detectors.brute_force.services.sshd.block_for"),
        ("LF_FTPD", "detectors.brute_force.services.vsftpd.count"),
        ("LF_POP3D", "detectors.brute_force.services.dovecot.count"),
        ("LF_IMAPD", "detectors.brute_force.services.dovecot.count"),
        ("LF_INTERVAL", "detectors.brute_force.within"),
        ("TCP_IN", "firewall.tcp_in"),
        ("tcp6_in", "firewall.tcp_in_ipv6"),
        ("PORTFLOOD", "firewall.port_flood"),
        ("CONNLIMIT", "firewall.conn_limit"),
        ("LF_ALERT_TO", "alerts.mail.to"),
        ("firewall.tcp_in", "firewall.tcp_in"),
        ("services.sshd.files", "services.sshd.files"),
    ],
)
def test_lookup(schema: Schema, name: str, key: str) -> None:
    assert key in schema.lookup(name)


@pytest.mark.parametrize(
    "name", ["LF_NOTHING", "", "firewall", "services.nothing.files", "services.sshd", "firewall..tcp_in"]
)
def test_lookup_of_what_is_not_known(schema: Schema, name: str) -> None:
    assert schema.lookup(name) == ()


def test_every_csf_name_stands_for_settings_that_exist(schema: Schema) -> None:
    assert schema.csf
    for name, keys in schema.csf.items():
        assert all(schema.setting(key) for key in keys), name
        assert len(set(keys)) == len(keys), name


def test_every_key_says_what_it_is_for(schema: Schema) -> None:
    keys = list(schema.root.all_keys())
    assert "detectors.brute_force.services.sshd.count" in keys
    for key in keys:
        setting = schema.setting(key)
        assert setting is not None
        assert setting.why, key
