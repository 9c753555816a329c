"""Settings: what holds when nothing, one file or several are written, and where each value came from."""

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from tests.config.cards import SERVICES, detectors, service

from durward.catalog.document import ProblemsError
from durward.config.settings import Settings, detector_settings, load_settings
from durward.model import FOREVER


def load(etc: Path, main: str = "", **more: str) -> Settings:
    (etc / "durward.toml").write_text(main)
    (etc / "conf.d").mkdir(exist_ok=True)
    for name, text in more.items():
        (etc / "conf.d" / f"{name}.toml").write_text(text)
    return load_settings(etc, SERVICES, detectors())


def test_nothing_written_protects(tmp_path: Path) -> None:
    settings = load_settings(tmp_path / "missing", SERVICES, detectors())
    assert settings.firewall.enabled
    assert settings.firewall.confirm_within == 60
    assert str(settings.firewall.syn_flood) == "100/s burst 150 per source"
    assert settings.firewall.tcp_in_ipv6 is None
    assert settings.firewall.interfaces == {}
    assert settings.ipv6.block_prefix == 64
    assert (settings.guards.automatic_prefix_v4, settings.guards.automatic_prefix_v6) == (24, 48)
    assert settings.guards.blocks_per_minute_max == 30000
    assert settings.alerts["mail"]["to"] == ("root",)
    assert settings.services["sshd"].enabled
    assert settings.services["sshd"].files == ("/var/log/auth.log", "/var/log/secure")
    assert settings.services["sshd"].journal == ("ssh.service",)
    brute_force = settings.detectors["brute_force"]
    assert brute_force.of("sshd")["mode"] == "enforce"
    assert [brute_force.of(name)["count"] for name in ("sshd", "dovecot", "named", "unheard_of")] == [5, 10, 0, 5]
    assert settings.origins == {}


# The example of the documentation, word for word.
DOCUMENTED = """
[firewall]
enabled      = true
tcp_in       = "22,80,443,30000:35000"
tcp_in_ipv6  = "22"
interfaces   = { eth1 = "trusted", docker0 = "ignored" }
syn_flood    = "100/s per source"
port_flood   = ["22/tcp 5/300s", "80/tcp 20/5s"]
conn_limit   = ["22 5", "80 20"]
ping         = "1/s per source"
confirm_within = "60s"
[services.sshd]
enabled = true
files   = ["/var/log/auth.log"]
journal = []
[detectors.brute_force]
mode      = "enforce"
count     = 5
within    = "1h"
block_for = "1h"
block_for_max = "7d"
[detectors.brute_force.services.dovecot]
count = 10
[ipv6]
block_prefix = 64
[alerts.mail]
to = ["root"]
"""


def test_the_documented_example_is_read(tmp_path: Path) -> None:
    settings = load(tmp_path, DOCUMENTED)
    assert [str(ports) for ports in settings.firewall.tcp_in] == ["22", "80", "443", "30000:35000"]
    assert [str(ports) for ports in settings.firewall.tcp_in_ipv6 or ()] == ["22"]
    assert settings.firewall.interfaces == {"eth1": "trusted", "docker0": "ignored"}
    assert [(str(flood.port), flood.hits, flood.within_seconds) for flood in settings.firewall.port_flood] == [
        ("22", 5, 300),
        ("80", 20, 5),
    ]
    assert [limit.connections for limit in settings.firewall.conn_limit] == [5, 20]
    assert settings.services["sshd"].journal == ()
    assert settings.detectors["brute_force"].of("dovecot")["count"] == 10


def test_what_is_written_beats_what_is_not(tmp_path: Path) -> None:
    settings = load(tmp_path, "[detectors.brute_force]\ncount = 3\n[detectors.brute_force.services.sshd]\ncount = 4\n")
    brute_force = settings.detectors["brute_force"]
    assert [brute_force.of(name)["count"] for name in ("sshd", "dovecot", "unheard_of")] == [4, 3, 3]


def test_a_service_of_the_site_is_treated_like_others_of_its_csf_option(tmp_path: Path) -> None:
    own = [service("my_ftp", "/var/log/ftp.log", csf=("OTHER", "LF_FTPD")), service("my_web", "/var/log/web.log")]
    settings = load_settings(tmp_path, own, detectors())
    assert [settings.detectors["brute_force"].of(name)["count"] for name in ("my_ftp", "my_web")] == [10, 5]
    assert "detectors.brute_force.services.my_ftp.count" in settings.schema.lookup("LF_FTPD")


def test_later_files_beat_earlier_ones_key_by_key(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        '[firewall]\ntcp_in = "22"\nudp_in = "53"\ninterfaces = { eth1 = "trusted" }',
        **{
            "20_late": '[firewall]\ntcp_in = "443"\n',
            "10_early": '[firewall]\ntcp_in = "80"\n[firewall.interfaces]\ndocker0 = "ignored"\n',
        },
    )
    assert [str(ports) for ports in settings.firewall.tcp_in] == ["443"]
    assert [str(ports) for ports in settings.firewall.udp_in] == ["53"]
    assert settings.firewall.interfaces == {"eth1": "trusted", "docker0": "ignored"}
    assert str(settings.origin("firewall.tcp_in")) == f"{tmp_path}/conf.d/20_late.toml:2"
    assert str(settings.origin("firewall.udp_in")) == f"{tmp_path}/durward.toml:3"
    assert settings.origin("firewall.ping") is None


def test_value_and_origin_of_any_key(tmp_path: Path) -> None:
    settings = load(
        tmp_path, '[detectors.brute_force]\nblock_for = "forever"\n[firewall.interfaces]\n"eth0.5" = "trusted"\n'
    )
    key = "detectors.brute_force.services.sshd.block_for"
    assert settings.value(key) == FOREVER
    assert str(settings.origin(key)) == f"{tmp_path}/durward.toml:2"
    assert settings.value("detectors.brute_force.services.dovecot.count") == 10
    assert settings.origin("detectors.brute_force.services.dovecot.count") is None
    assert settings.value("firewall.interfaces.eth0.5") == "trusted"
    assert settings.value("firewall.interfaces.eth9") == "public"
    for unknown in ("firewall", "firewall.tcp", "nothing", "detectors.brute_force.services.sshd", ""):
        with pytest.raises(KeyError):
            settings.value(unknown)
        with pytest.raises(KeyError):
            settings.origin(unknown)


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings = load(tmp_path)
    with pytest.raises(FrozenInstanceError):
        settings.firewall.enabled = False  # type: ignore[misc]
    with pytest.raises(TypeError):
        settings.detectors["brute_force"].of("sshd")["count"] = 1  # type: ignore[index]


def test_the_settings_of_a_story() -> None:
    (card,) = [card for card in detectors() if card.id == "brute_force"]
    settings = detector_settings(card, {"count": 3, "services": {"dovecot": {"count": 2}}})
    assert [settings.of(name)["count"] for name in ("sshd", "dovecot")] == [3, 2]
    with pytest.raises(ProblemsError, match=r"coutn: is not known; did you mean detectors\.brute_force\.count"):
        detector_settings(card, {"coutn": 3})


def test_every_story_has_settings_that_are_right() -> None:
    for card in detectors():
        for story in card.stories:
            detector_settings(card, story.settings)
