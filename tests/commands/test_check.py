"""check: every mistake at once, with its file and line, and nothing else."""

import os
from pathlib import Path

import pytest
from tests.commands.typed import settings, typed

from durward.commands import asking

WRONG = """\
[firewal]
[detectors.brute_force]
cout = 3
within = "soon"
block_for = 7
mode = "loud"
[detectors.brute_force.services.sshd]
count = -1
[services.sshd]
enabled = "yes"
"""


def test_all_mistakes_of_settings_and_lists_are_named_at_once(tmp_path: Path) -> None:
    etc = settings(tmp_path, WRONG, allow="203.0.113.9\nnonsense\n", deny="203.0.113.0/33\n")
    done = typed("check", home=tmp_path)
    assert done.status == 2
    places = {line.partition(": ")[0] for line in done.out.splitlines()}
    expected = {f"{etc / 'durward.toml'}:{line}" for line in (1, 3, 4, 5, 6, 8, 10)}
    assert places == expected | {f"{etc / 'allow.list'}:2", f"{etc / 'deny.list'}:1"}
    assert "did you mean firewall?" in done.out
    assert "count?" in done.out
    assert done.out.count("\n") == 9


def test_the_same_for_programs(tmp_path: Path) -> None:
    settings(tmp_path, WRONG, allow="nonsense\n")
    done = typed("check", "--json", home=tmp_path)
    (answer,) = done.answers
    assert (done.status, answer["right"], len(answer["problems"])) == (2, False, 8)
    assert answer["problems"][0].keys() == {"file", "line", "key", "message", "nearest"}


def test_what_is_right_is_said_to_be_right(tmp_path: Path) -> None:
    settings(tmp_path, "", allow="203.0.113.9\n")
    assert typed("check", home=tmp_path).status == 0
    assert typed("check", "--json", home=tmp_path).answers == [
        {"right": True, "problems": [], "unchecked": [], "incomplete": []}
    ]
    assert typed("check", home=tmp_path / "nowhere").status == 0, "an empty home is right"


def test_what_cannot_be_parsed_is_a_mistake_with_its_line(tmp_path: Path) -> None:
    for text in ("[firewall\n", "a = \n", "\x00\n", "a = 1\na = 2\n"):
        settings(tmp_path, text)
        done = typed("check", home=tmp_path)
        assert done.status == 2
        assert "durward.toml:" in done.out


def test_what_is_shown_of_a_mistake_is_inert(tmp_path: Path) -> None:
    settings(tmp_path, "", allow="\x1b]0;owned\x07\n", deny="tcp|in|d=\x1b[31m|s=203.0.113.9\n")
    done = typed("check", home=tmp_path)
    assert done.status == 2
    assert "\x1b" not in done.out + done.errors
    assert "\x07" not in done.out


def test_a_mistake_in_a_card_of_the_site_is_named(tmp_path: Path) -> None:
    etc = settings(tmp_path, "")
    (etc / "services").mkdir()
    (etc / "services" / "own.toml").write_text('titel = "Own"\n')
    done = typed("check", home=tmp_path)
    assert done.status == 2
    assert "own.toml:1" in done.out


def test_the_firewall_is_compiled_with_what_this_host_is(tmp_path: Path) -> None:
    etc = settings(tmp_path, '[firewall]\ninterfaces = { nothere0 = "trusted" }\nsmtp_block = true\n', deny="")
    text = (etc / "durward.toml").read_text() + 'smtp_users = ["nobody-of-that-name"]\n'
    (etc / "durward.toml").write_text(text)
    (etc / "policy.assert").write_text("anyone reches 22\n")
    done = typed("check", home=tmp_path)
    assert done.status == 2
    assert f"{etc / 'durward.toml'}:2: firewall.interfaces.nothere0" in done.out
    assert f"{etc / 'durward.toml'}:4: firewall.smtp_users" in done.out
    assert f"{etc / 'policy.assert'}:1" in done.out


def test_a_scan_that_would_open_a_door_is_a_mistake(tmp_path: Path) -> None:
    settings(tmp_path, '[firewall]\ntcp_in = "1000:2000"\nknocks = ["9022/tcp 20s 1001 1002 1003"]\n')
    done = typed("check", home=tmp_path)
    assert done.status == 2
    assert "scan" in done.out


def test_without_root_it_says_what_was_not_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    settings(tmp_path, "")
    (answer,) = typed("check", "--json", home=tmp_path).answers
    assert (answer["right"], len(answer["unchecked"])) == (True, 1)
    assert "only root" in answer["unchecked"][0]
    assert "Not checked: whether the kernel takes the rules" in typed("check", home=tmp_path).out
    settings(tmp_path, "[firewall]\nenabled = false\n")
    assert typed("check", "--json", home=tmp_path).answers[0]["unchecked"] == []


@pytest.mark.kernel
def test_what_the_kernel_does_not_take_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings(tmp_path, "")
    monkeypatch.setattr(asking, "rules_for", lambda *_: "table inet durward { chain a { jump nowhere; }; }\n")
    done = typed("check", home=tmp_path)
    assert done.status == 2
    assert "the kernel does not take its rules" in done.out
    assert "nowhere" in done.out or "rror" in done.out


def test_an_exempt_country_needs_its_networks_and_a_name_has_to_be_one(tmp_path: Path) -> None:
    etc = settings(tmp_path, '[exemptions]\ncountries = ["NL", "AS64500"]\n')
    (tmp_path / "lib" / "lists").mkdir(parents=True)
    (tmp_path / "lib" / "lists" / "country-nl.txt").write_text("203.0.113.0/24\n")
    done = typed("check", home=tmp_path)
    assert done.status == 2
    assert f"{etc / 'durward.toml'}:2: exemptions.countries: " in done.out
    assert "as64500.txt is not there" in done.out
    assert "country-nl.txt" not in done.out
    (etc / "durward.toml").write_text('[exemptions]\nreverse_names = ["*.example.com"]\n')
    done = typed("check", home=tmp_path)
    assert f"{etc / 'durward.toml'}:2: exemptions.reverse_names: '*.example.com' is no name" in done.out
