"""replay: which decisions these logs would give, the same each time, and what another configuration would change."""

from pathlib import Path

import pytest
from tests.commands.typed import failure, log, settings, typed

STRICT = "[detectors.brute_force]\ncount = 3\n"


@pytest.fixture
def attacked(tmp_path: Path) -> Path:
    """Five failures of one, four of another."""
    lines = [line for second in range(5) for line in (failure(second), failure(second + 10, "198.51.100.7"))][:-1]
    return log(tmp_path / "auth.log", *lines)


def test_every_decision_has_the_shape_that_was_promised(tmp_path: Path, attacked: Path) -> None:
    done = typed("replay", attacked, "--json", home=tmp_path)
    (made,) = done.answers
    assert done.status == 0
    evidence = made.pop("evidence")
    assert made == {
        "at": "2026-11-23T08:10:04.000+00:00",
        "verdict": "block",
        "subject": "203.0.113.9",
        "until": "2026-11-23T09:10:04.000+00:00",
        "reason": made["reason"],
        "simulated": False,
        "detector": "brute_force",
        "service": "sshd",
        "count": 5,
        "first_at": "2026-11-23T08:10:00.000+00:00",
        "last_at": "2026-11-23T08:10:04.000+00:00",
    }
    assert made["reason"].startswith("5 failed ")
    lines = attacked.read_text().splitlines()
    assert [one["line"] for one in evidence] == [1, 3, 5, 7, 9]
    assert all(one == {"file": str(attacked), "line": one["line"], "text": lines[one["line"] - 1]} for one in evidence)


def test_two_runs_are_byte_for_byte_the_same(tmp_path: Path) -> None:
    lines = [failure(number, f"203.0.113.{number % 7 + 1}") for number in range(300)]
    path = log(tmp_path / "auth.log", *lines)
    first, second = (typed("replay", path, "--json", home=tmp_path) for _ in range(2))
    assert first == second
    assert len(first.answers) == 7


def test_files_may_be_given_in_any_order(tmp_path: Path) -> None:
    old = log(tmp_path / "auth.log.1", *(failure(second) for second in range(3)))
    new = log(tmp_path / "auth.log", *(failure(second) for second in range(3, 6)))
    in_order, reversed_ = (typed("replay", *paths, "--json", home=tmp_path) for paths in ((old, new), (new, old)))
    assert in_order == reversed_
    (made,) = in_order.answers
    assert [(Path(one["file"]).name, one["line"]) for one in made["evidence"]] == [
        *(("auth.log.1", 1), ("auth.log.1", 2), ("auth.log.1", 3)),
        *(("auth.log", 1), ("auth.log", 2)),
    ]


def test_an_attack_over_new_year_is_one_attack(tmp_path: Path) -> None:
    """In one file and in two; the stamps have no year, and the rotated file was written to last in the old one."""
    message = "host sshd[{}]: Failed password for root from 203.0.113.9 port 40022 ssh2\n"
    stamps = ("Dec 31 12:59:30", "Dec 31 12:59:40", "Dec 31 12:59:50", "Jan  1 12:00:10", "Jan  1 12:00:20")
    lines = [f"{stamp} {message.format(4000 + number)}" for number, stamp in enumerate(stamps)]
    etc = settings(tmp_path, '[detectors.brute_force]\nwithin = "2d"\n')
    second_of_january = 1_798_848_000.0
    whole = log(tmp_path / "whole.log", *lines, written_at=second_of_january)
    old = log(tmp_path / "auth.log.1", *lines[:3], written_at=second_of_january - 86400 * 1.1)
    new = log(tmp_path / "auth.log", *lines[3:], written_at=second_of_january)
    for files in ((whole,), (old, new), (new, old)):
        (made,) = typed("replay", *files, "--config", etc, "--json", home=tmp_path).answers
        assert (made["count"], made["first_at"][:10], made["last_at"][:10]) == (5, "2026-12-31", "2027-01-01")


def test_another_configuration_decides_otherwise(tmp_path: Path, attacked: Path) -> None:
    etc = settings(tmp_path / "strict", STRICT)
    decisions = typed("replay", attacked, "--config", etc, "--json", home=tmp_path).answers
    assert {(one["subject"], one["count"]) for one in decisions} == {("203.0.113.9", 3), ("198.51.100.7", 3)}


def test_differences_between_two_configurations(tmp_path: Path, attacked: Path) -> None:
    strict = settings(tmp_path / "strict", STRICT)
    done = typed("replay", attacked, "--against", strict, "--json", home=tmp_path)
    assert done.status == 1
    assert [(one["change"], one["subject"], one["count"]) for one in done.answers] == [
        ("+", "203.0.113.9", 3),
        ("-", "203.0.113.9", 5),
        ("+", "198.51.100.7", 3),
    ]
    page = typed("replay", attacked, "--against", strict, home=tmp_path)
    assert [line[:2] for line in page.out.splitlines() if "block" in line] == ["+ ", "- ", "+ "]
    assert page.out.endswith("3 differences.\n")
    same = typed("replay", attacked, "--config", strict, "--against", strict, "--json", home=tmp_path)
    assert (same.status, same.out) == (0, "")


def test_standard_input_can_be_replayed_but_not_twice(tmp_path: Path, attacked: Path) -> None:
    assert len(typed("replay", "-", "--json", home=tmp_path, given=attacked.read_bytes()).answers) == 1
    twice = typed("replay", "-", "--against", settings(tmp_path, STRICT), home=tmp_path, given=attacked.read_bytes())
    assert (twice.status, twice.out) == (2, "")
    assert "cannot be read twice" in twice.errors


@pytest.mark.parametrize("option", ["--config", "--against"])
def test_a_configuration_that_is_not_there_is_wrong_usage(tmp_path: Path, attacked: Path, option: str) -> None:
    done = typed("replay", attacked, option, tmp_path / "nowhere", home=tmp_path)
    assert (done.status, done.out) == (2, "")
    assert f"{tmp_path / 'nowhere'} is no directory" in done.errors


def test_mistakes_in_a_configuration_are_named(tmp_path: Path, attacked: Path) -> None:
    etc = settings(tmp_path / "wrong", "[detectors.brute_force]\ncout = 3\n")
    done = typed("replay", attacked, "--config", etc, home=tmp_path)
    assert done.status == 2
    assert "durward.toml:2" in done.errors
    assert "count" in done.errors


def test_the_lists_of_a_configuration_hold(tmp_path: Path, attacked: Path) -> None:
    for name in ("allow", "ignore"):
        etc = settings(tmp_path / name, "", **{name: "203.0.113.0/24 # office\n"})
        assert typed("replay", attacked, "--config", etc, "--json", home=tmp_path).answers == []


def test_shadow_says_that_it_only_would(tmp_path: Path, attacked: Path) -> None:
    etc = settings(tmp_path / "shadow", '[detectors.brute_force.services.sshd]\nmode = "shadow"\n')
    (made,) = typed("replay", attacked, "--config", etc, "--json", home=tmp_path).answers
    assert made["simulated"] is True


def test_a_missing_file_is_wrong_usage(tmp_path: Path) -> None:
    assert typed("replay", tmp_path / "missing.log", home=tmp_path).status == 2


def test_without_decisions_the_page_says_so(tmp_path: Path) -> None:
    path = log(tmp_path / "auth.log", failure(0))
    assert typed("replay", path, home=tmp_path).out == "0 decisions in 1 file.\n"


def test_an_attempt_that_two_logs_tell_of_counts_once(tmp_path: Path) -> None:
    etc = settings(tmp_path, "[detectors.brute_force.services.vsftpd]\ncount = 4\n")
    syslog, own = tmp_path / "auth.log", tmp_path / "vsftpd.log"
    pam = "vsftpd[{0}]: pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=bob"
    for attempts, decided in ((3, 0), (4, 1)):
        at = [f"Nov 23 08:1{number}:00" for number in range(attempts)]
        syslog.write_text("".join(f"{one} web1 {pam.format(7)} rhost=203.0.113.9  user=bob\n" for one in at))
        own.write_text("".join(f'Mon {one[:-1]}2 2026 [pid 9] [bob] FAIL LOGIN: Client "203.0.113.9"\n' for one in at))
        done = typed("replay", str(syslog), str(own), "--config", str(etc), "--json", home=tmp_path)
        assert [one["count"] for one in done.answers] == [4] * decided
