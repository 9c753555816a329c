"""durward config: what scripts and people see, with real files and exit statuses."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from durward.commands.main import durward

MAIN = '# mine\n[firewall]\ntcp_in = "22"  # ssh\n'


class Line:
    """The command line with a home of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.main = directory / "etc" / "durward.toml"
        self.main.parent.mkdir()
        self.main.write_text(MAIN)

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(durward, ["--home", str(self.directory), *words])

    def json(self, *words: str) -> list[Any]:
        done = self.run(*words, "--json")
        assert done.exit_code == 0, done.output
        return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path)


def test_get_by_both_names(line: Line) -> None:
    assert line.run("config", "get", "firewall.tcp_in").stdout == f'firewall.tcp_in = "22"   # {line.main}:3\n'
    assert line.run("config", "get", "TCP_IN").stdout == f'firewall.tcp_in = "22"   # {line.main}:3\n'
    assert "firewall.enabled = true   # default" in line.run("config", "get", "firewall.enabled").stdout
    [known] = line.json("config", "get", "TCP_IN")
    assert known == {
        "key": "firewall.tcp_in",
        "value": "22",
        "default": "22,80,443",
        "origin": f"{line.main}:3",
        "csf": ["TCP_IN"],
        "csf_value": "22",
    }


def test_set_by_csfs_name_keeps_comments_and_get_gives_csfs_value(line: Line) -> None:
    done = line.run("config", "set", "LF_SSHD=10", "LF_SSHD_PERM=1")
    assert done.exit_code == 0
    assert "durward apply" not in done.stdout
    assert line.main.read_text().startswith(MAIN)
    sshd = {entry["key"]: entry for entry in line.json("config", "get", "LF_SSHD", "LF_SSHD_PERM")}
    assert sshd["detectors.brute_force.services.sshd.count"]["csf_value"] == "10"
    block_for = sshd["detectors.brute_force.services.sshd.block_for"]
    assert (block_for["value"], block_for["csf_value"]) == ("forever", "1")
    assert "durward apply" in line.run("config", "set", "TCP_IN=22,80").stdout
    assert 'tcp_in = "22,80"  # ssh' in line.main.read_text()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("get", "LF_SSHDD"), "did you mean"),
        (("set", "TCP_IN=80-"), "no port"),
        (("set", "LF_SSHD=x"), "whole number"),
        (("set", "TCP_IN"), "NAME=VALUE was expected"),
        (("set", "firewall.interfaces.*=trusted"), "a name was expected"),
        (("set",), "Missing argument"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(line: Line, words: tuple[str, ...], complaint: str) -> None:
    done = line.run("config", *words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert line.main.read_text() == MAIN


def test_a_dry_run_writes_nothing(line: Line) -> None:
    done = line.run("config", "set", "--dry-run", "TCP_IN=80")
    assert "Nothing was written" in done.stdout
    [told] = line.json("config", "set", "--dry-run", "TCP_IN=80")
    [change] = told["changes"]
    assert (told["written"], change["before"], change["after"], change["holds"]) == (False, "22", "80", True)
    assert line.main.read_text() == MAIN


def test_list_and_diff(line: Line) -> None:
    line.main.write_text(MAIN + 'udp_in = "443"\ninterfaces = { "a\\u001b[31m" = "trusted" }\n')
    assert [entry["key"] for entry in line.json("config", "list")][:2] == ["firewall.tcp_in", "firewall.udp_in"]
    assert next(entry["key"] for entry in line.json("config", "diff")) == "firewall.tcp_in"
    assert "firewall.udp_in" not in line.run("config", "diff").stdout
    assert "\x1b" not in line.run("config", "list").stdout
    everything = line.json("config", "list", "--all")
    assert len(everything) > 40
    assert {"firewall.ping", "ipv6.block_prefix"} <= {entry["key"] for entry in everything}


def test_nothing_set_and_wrong_settings(line: Line) -> None:
    line.main.unlink()
    assert line.run("config", "list").stdout == "Nothing is set.\n"
    assert line.run("config", "diff").stdout == "Every setting has its default.\n"
    line.main.write_text("[firewall]\nping = 1\n")
    done = line.run("config", "list")
    assert done.exit_code == 2
    assert "durward.toml:2: firewall.ping" in done.stderr


def test_unset_keeps_comments_and_says_what_makes_it_hold(line: Line) -> None:
    told = line.run("config", "unset", "TCP_IN")
    assert told.exit_code == 0, told.output
    assert line.main.read_text() == "# mine\n[firewall]\n# ssh\n"
    assert "durward apply" in told.stdout
    assert "durward reload" not in told.stdout
    assert line.run("config", "unset", "TCP_IN").stdout == "Nothing to change: everything is as it would be.\n"
    line.run("config", "set", "LF_SSHD=9")
    (told_again,) = line.json("config", "unset", "LF_SSHD")
    assert ("detectors.brute_force.services.sshd.count", 9) in [
        (one["key"], one["before"]) for one in told_again["changes"]
    ]
    assert "durward reload" in line.run("config", "set", "LF_SSHD=9").stdout


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (("set", "TESTING=1"), "durward apply --confirm-within 1m"),
        (("set", 'TESTING="0"'), "durward confirm"),
        (("get", "TESTING"), "durward apply --confirm-within 1m"),
        (("unset", "testing"), "durward apply --confirm-within 1m"),
    ],
)
def test_testing_of_csf_is_explained_with_the_command_that_does_it(
    line: Line, words: tuple[str, ...], advice: str
) -> None:
    done = line.run("config", *words)
    assert done.exit_code == 2
    assert "durward protects meanwhile" in done.stderr
    assert advice in done.stderr
    assert line.main.read_text() == MAIN


def test_testing_names_the_time_of_its_interval(line: Line) -> None:
    assert line.run("config", "set", "TESTING_INTERVAL=5").exit_code == 0
    assert "durward apply --confirm-within 5m" in line.run("config", "set", "TESTING=1").stderr
