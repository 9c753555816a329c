"""What `durward check` says of channels that are switched on and cannot work as they are set."""

import os
from pathlib import Path

import pytest
from tests.commands.typed import settings, typed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[alerts.mail]\nenabled = true\nto = []", "alerts by mail: nobody is named in `to`"),
        ("[alerts.xarf]\nenabled = true", "alerts by xarf: nobody is told until to or abuse_contacts is set"),
        ('[alerts.mail]\nenabled = true\nuser = "web1"', "alerts by mail: `user` is set and `password_file` is not"),
        (
            '[alerts.webhook]\nurl = "https://example.com/"\nsecret_file = "hidden"',
            "alerts by webhook: secret_file: {etc}/hidden is not there",
        ),
        ('[alerts.hook]\nblock = "/nowhere"', "alerts by hook: block: /nowhere: No such file or directory"),
        (
            '[alerts.apprise]\nenabled = true\nprogram = "/bin/true"',
            "alerts by apprise: config: {etc}/apprise.conf is not there; it holds the URLs, one a line",
        ),
    ],
)
def test_what_a_channel_lacks_is_said(tmp_path: Path, text: str, said: str) -> None:
    etc = settings(tmp_path, text)
    done = typed("check", home=tmp_path)
    assert done.status == 0, "it is no mistake"
    assert [line for line in done.out.splitlines() if "Incomplete" in line] == [f"  Incomplete: {said.format(etc=etc)}"]


@pytest.mark.skipif(os.geteuid() != 0, reason="a program has to be root's")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "[alerts.mail]\nenabled = true",
        '[alerts.webhook]\nurl = "https://example.com/"',
        '[alerts.hook]\nblock = "/bin/true"',
        "[alerts.syslog]\nenabled = true",
    ],
)
def test_what_lacks_nothing_is_not_spoken_of(tmp_path: Path, text: str) -> None:
    settings(tmp_path, text)
    assert typed("check", "--json", home=tmp_path).answers[0]["incomplete"] == []


@pytest.mark.parametrize(("mode", "said"), [("auto", 1), ("count", 0)])
def test_a_log_without_proof_of_who_wrote_it_is_said(tmp_path: Path, mode: str, said: int) -> None:
    etc = tmp_path / "etc"
    etc.mkdir()
    settings = f'[services.sshd]\njournal = []\n\n[sources]\nuntrusted_syslog = "{mode}"\n'
    (etc / "durward.toml").write_text(settings)
    found = typed("check", "--json", home=tmp_path).answers[0]["incomplete"]
    assert [line.startswith("services.sshd: any account here may write to /var/log/auth.log") for line in found] == [
        True
    ] * said


def test_a_pattern_of_the_site_that_cannot_be_used_is_a_mistake(tmp_path: Path) -> None:
    etc = tmp_path / "etc"
    etc.mkdir()
    (etc / "durward.toml").write_text('[sources]\nunexplained_ignored = ["(a*)*"]\n')
    done = typed("check", home=tmp_path)
    assert done.status == 2
    assert "sources.unexplained_ignored" in done.out
