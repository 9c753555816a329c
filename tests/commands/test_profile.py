"""durward profile: many settings at once, seen before, and taken back."""

import pytest
from tests.commands.test_config import MAIN, Line


@pytest.fixture
def line(tmp_path_factory: pytest.TempPathFactory) -> Line:
    return Line(tmp_path_factory.mktemp("home"))


def test_profiles_are_listed(line: Line) -> None:
    page = line.run("profile", "list").stdout
    assert "High protection" in page
    assert "Ports of DirectAdmin" in page
    listed = {row["profile"]["id"]: row for row in line.json("profile", "list")}
    assert listed["high"]["settings"] >= listed["high"]["changes"] > 0


def test_applied_seen_and_taken_back(line: Line) -> None:
    [told] = line.json("profile", "apply", "high", "--dry-run")
    assert (told["written"], line.main.read_text()) == (False, MAIN)
    assert not (line.main.parent / "backup").exists()
    assert "firewall.smtp_block" in line.run("profile", "diff", "high").stdout
    done = line.run("profile", "apply", "high")
    assert "firewall.smtp_block" in done.stdout
    assert line.main.read_text().startswith(MAIN.rstrip("\n"))
    assert line.run("profile", "diff", "high").stdout == "high and current do not differ.\n"
    assert line.run("profile", "apply", "high").stdout == "Nothing to change: everything is as it would be.\n"
    assert line.run("check").exit_code == 0
    differs = {row["key"]: (row["first"], row["second"]) for row in line.json("profile", "diff", "latest")}
    assert differs["firewall.smtp_block"] == (False, True)
    dry = line.run("profile", "restore", "latest", "--dry-run")
    assert "Nothing was written" in dry.stdout
    [restored] = line.json("profile", "restore", "latest")
    assert {"key": "firewall.smtp_block", "before": True, "after": False} in restored["changes"]
    assert line.main.read_text() == MAIN
    assert "before-restore" in line.run("profile", "list").stdout


def test_two_profiles_are_compared(line: Line) -> None:
    rows = {row["key"]: (row["first"], row["second"]) for row in line.json("profile", "diff", "low", "high")}
    assert rows["firewall.smtp_block"] == (False, True)
    assert "firewall.bogons" not in rows  # low says nothing of it


def test_the_panel_that_is_here(line: Line) -> None:
    [told] = line.json("profile", "apply", "panel", "--dry-run")
    assert {change["key"] for change in told["changes"]} >= {"firewall.tcp_in"}
    [told] = line.json("profile", "apply", "cpanel")
    assert told["written"]
    assert "2087" in str(line.json("config", "get", "TCP6_IN")[0]["value"])


def test_what_conf_d_says_goes_on_to_hold_and_that_is_said(line: Line) -> None:
    more = line.main.parent / "conf.d"
    more.mkdir()
    (more / "web.toml").write_text("[firewall]\nsmtp_block = false\n")
    done = line.run("profile", "apply", "high")
    assert "does not hold: firewall.smtp_block is set again at" in done.stdout


def test_copies_on_request(line: Line) -> None:
    [made] = line.json("profile", "backup", "mine")
    assert made["id"].endswith("-mine")
    line.main.unlink()
    assert line.run("profile", "backup").exit_code == 1
    assert line.run("profile", "restore", made["id"]).exit_code == 0
    assert line.main.read_text() == MAIN


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("apply", "hihg"), "did you mean high?"),
        (("diff", "nothing"), "there is no profile 'nothing'"),
        (("restore", "nothing"), "there is no such copy"),
        (("restore", "latest"), "there is no such copy"),
    ],
)
def test_unknown_names(line: Line, words: tuple[str, ...], complaint: str) -> None:
    done = line.run("profile", *words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert line.main.read_text() == MAIN
