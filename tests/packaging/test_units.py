"""The systemd units: well-formed, as little exposed as promised, and of one mind with the files beside them."""

import configparser
import re
import subprocess
from pathlib import Path

import pytest

PACKAGING = Path(__file__).parents[2] / "packaging"
UNITS = PACKAGING / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
EXPOSURE_MAX = {
    "durward-enforcer": 2.0,
    "durward-engine": 1.0,
    "durward-alerter": 2.0,
    "durward-herald": 2.0,
    "durward-restore": 2.0,
}
CAPABILITIES = {
    "durward-enforcer": {"CAP_NET_ADMIN", "CAP_DAC_READ_SEARCH"},
    "durward-engine": set(),
    "durward-alerter": set(),
    "durward-herald": set(),
    "durward-restore": {"CAP_NET_ADMIN"},
}
FAMILIES = {
    "durward-enforcer": {"AF_NETLINK", "AF_UNIX"},
    "durward-engine": {"AF_UNIX"},
    "durward-alerter": {"AF_INET", "AF_INET6", "AF_UNIX"},
    "durward-herald": {"AF_INET", "AF_INET6", "AF_UNIX"},
    "durward-restore": {"AF_NETLINK"},
}


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", "--no-pager", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def service(path: Path) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path)
    return parser["Service"]


def name(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", SERVICES, ids=name)
def test_exposure(path: Path) -> None:
    done = analyze("security", "--offline=yes", f"--threshold={EXPOSURE_MAX[path.stem] * 10:.0f}", path)
    overall = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert overall is not None, done.stderr
    assert float(overall[1]) <= EXPOSURE_MAX[path.stem], done.stdout
    assert done.returncode == 0


def test_exposure_is_really_measured(tmp_path: Path) -> None:
    path = tmp_path / "durward-engine.service"
    text = (UNITS / path.name).read_text()
    path.write_text(
        re.sub(r"(?m)^(PrivateNetwork|CapabilityBoundingSet|SystemCallFilter|NoNewPrivileges)=.*\n", "", text)
    )
    assert analyze("security", "--offline=yes", "--threshold=10", path).returncode != 0


@pytest.mark.parametrize("path", SERVICES, ids=name)
def test_every_directive_is_known(path: Path) -> None:
    complaints = analyze("verify", "--man=no", path).stderr
    ours = [line for line in complaints.splitlines() if path.stem in line and "is not executable" not in line]
    assert ours == []


@pytest.mark.parametrize("path", SERVICES, ids=name)
def test_privileges_are_those_of_the_architecture(path: Path) -> None:
    section = service(path)
    assert set(section["CapabilityBoundingSet"].split()) == CAPABILITIES[path.stem]
    assert set(section.get("AmbientCapabilities", "").split()) == CAPABILITIES[path.stem]
    assert set(section["RestrictAddressFamilies"].split()) == FAMILIES[path.stem]
    assert section["NoNewPrivileges"] == "yes"


@pytest.mark.parametrize("path", SERVICES, ids=name)
def test_users_are_those_that_sysusers_makes(path: Path) -> None:
    made = (PACKAGING / "sysusers" / "durward.conf").read_text()
    section = service(path)
    assert f"u {section['User']} -:{section['Group']} " in made
    assert f"g {section['Group']} " in made


def test_only_the_engine_is_without_network_and_the_enforcer_restores_without_python() -> None:
    assert service(UNITS / "durward-engine.service")["PrivateNetwork"] == "yes"
    assert "python" not in service(UNITS / "durward-restore.service")["ExecStart"]


def test_sysusers_and_tmpfiles_make_what_the_units_need(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    subprocess.run(["systemd-sysusers", f"--root={tmp_path}", PACKAGING / "sysusers" / "durward.conf"], check=True)
    people = (tmp_path / "etc" / "passwd").read_text()
    group = re.search(r"^durward:x:(\d+):", (tmp_path / "etc" / "group").read_text(), re.MULTILINE)
    assert group is not None
    for user in ("durward-enforcer", "durward-engine", "durward-alerter", "durward-herald"):
        assert re.search(rf"^{user}:x:\d+:{group[1]}:.*:/usr/sbin/nologin$", people, re.MULTILINE)
    done = subprocess.run(
        ["systemd-tmpfiles", f"--root={tmp_path}", "--create", PACKAGING / "tmpfiles" / "durward.conf"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    modes = {
        path: (tmp_path / path).stat().st_mode & 0o7777 for path in ("etc/durward", "var/lib/durward", "run/durward")
    }
    assert modes == {"etc/durward": 0o750, "var/lib/durward": 0o1770, "run/durward": 0o1770}
