"""Assembly: what the settings say is what the engine does, for each service."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.engine.samples import NOW, brute_force, failures, fed

from durward.catalog.document import ProblemsError
from durward.config.home import Home
from durward.config.loading import load
from durward.engine.assembly import assemble, import_detectors, policy_of
from durward.engine.engine import Engine

SETTINGS = """
[detectors.brute_force]
within = "10m"
[detectors.brute_force.services.sshd]
mode      = "shadow"
count     = 3
block_for = "10m"
escalate  = 3
[detectors.brute_force.services.dovecot]
mode = "off"
[ipv6]
block_prefix = 56
"""


def assembled(directory: Path, settings: str) -> Engine:
    home = Home.below(directory)
    home.etc.mkdir()
    (home.etc / "durward.toml").write_text(settings)
    loaded = load(home)
    return assemble(policy_of(loaded.settings, loaded.services, loaded.detectors), loaded.detectors)


def test_an_empty_file_protects(tmp_path: Path) -> None:
    (made,) = fed(assembled(tmp_path, ""), failures(5))
    assert (made.simulated, made.until) == (False, NOW + 4 + 3600)
    assert made.reason == "5 failed SSH logins in 4 s"


def test_settings_of_a_service_hold_for_that_one(tmp_path: Path) -> None:
    guard = assembled(tmp_path, SETTINGS)
    (made,) = fed(guard, failures(3))
    assert (made.simulated, made.until) == (True, NOW + 2 + 600)
    assert fed(guard, failures(50, 100, service="dovecot")) == []
    (other,) = fed(guard, failures(5, 200, "198.51.100.7", service="exim"))
    assert (other.simulated, other.until) == (False, NOW + 204 + 3600)
    assert fed(guard, failures(5, 0, "192.0.2.77", service="exim", every=200)) == [], "within 10 minutes"


def test_a_detector_that_is_off_may_be_on_for_one_service(tmp_path: Path) -> None:
    settings = '[detectors.brute_force]\nmode = "off"\n[detectors.brute_force.services.sshd]\nmode = "enforce"\n'
    guard = assembled(tmp_path, settings)
    assert fed(guard, failures(50, service="exim")) == []
    assert len(fed(guard, failures(5))) == 1


def test_the_ipv6_prefix_is_a_setting(tmp_path: Path) -> None:
    guard = assembled(tmp_path, SETTINGS)
    (made,) = fed(guard, failures(5, 0, "2001:db8:0:ff::1", service="exim"))
    assert made.subject.value == "2001:db8::/56"


def test_a_card_without_code_is_a_mistake_that_is_named(tmp_path: Path) -> None:
    card = replace(brute_force(), id="port_scan", code="nowhere")
    with pytest.raises(ProblemsError, match=r"port_scan.toml:1: code: there is no packaged detector 'nowhere'"):
        import_detectors([card])


OWN_DETECTOR = """
title = "Too many wrong vouchers"
why   = "Vouchers are guessed."
hears = ["voucher.refused"]

[counting]
key      = "source"
distinct = "about"
says     = "{count} wrong vouchers, {distinct} different ones, in {span}"

[settings.count]
default = 3

[settings.distinct]
default = 2

[settings.remedy]
default = "ports"

[settings.block_ports]
default = "80,443"
"""


def test_an_administrator_s_own_detector_is_a_file_of_data(tmp_path: Path) -> None:
    own = tmp_path / "etc" / "detectors"
    own.mkdir(parents=True)
    (own / "voucher.toml").write_text(OWN_DETECTOR)
    (tmp_path / "etc" / "durward.toml").write_text('[detectors.voucher]\nblock_for = "5m"\n')
    loaded = load(Home.below(tmp_path))
    guard = assemble(policy_of(loaded.settings, loaded.services, loaded.detectors), loaded.detectors)
    same = failures(5, kind="voucher.refused", service="shop", about="A1")
    assert fed(guard, same) == []
    (made,) = fed(guard, failures(1, 6, kind="voucher.refused", service="shop", about="A2"))
    assert made.reason == "3 wrong vouchers, 2 different ones, in 3 s"
    assert ([port.number for port in made.scope.ports], made.until) == ([80, 443], NOW + 6 + 300)
