"""The verbs of the firewall: what they say and their exit statuses, without root, without an enforcer, and with one."""

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.commands.typed import settings, typed

from durward.commands import apply, confirm, gate, rollback, start, stop  # noqa: F401 - tried here by their names
from durward.commands.gate import connection_name
from durward.commands.verb import Exit
from durward.control.channel import answer, listen, receive
from durward.control.words import ROOT_TABLE, Word, decode

VERBS = ("confirm", "rollback", "stop", "start")
ASKED = {"confirm": "confirm", "rollback": "rollback", "stop": "off", "start": "on"}
CONNECTION = "203.0.113.9 40022 192.0.2.1 22"
STATE = {"firewall": "confirmed", "generation": "b", "trial_seconds": 0}


@pytest.fixture(autouse=True)
def sysctls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Whoever runs the tests asks as root, and the settings of this host's kernel are left alone."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(confirm, "SYSCTL", tmp_path / "sys")
    return tmp_path / "sys"


class Answering:
    """An enforcer as far as these verbs hear of it: it notes each word and gives the answers it was told to."""

    def __init__(self, directory: Path, *replies: dict[str, Any] | None) -> None:
        (directory / "run").mkdir()
        self.words: list[Word] = []
        self.texts: list[str] = []
        self._replies = replies
        self._listener = listen(directory / "run" / "enforcer.sock", socket.SOCK_SEQPACKET, 0o600)
        self._listener.settimeout(10)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        for reply in self._replies:
            connection, _ = self._listener.accept()
            with connection:
                connection.settimeout(10)
                packet, descriptors = receive(connection)
                self.words.append(decode(packet, ROOT_TABLE))
                for descriptor in descriptors:
                    with os.fdopen(os.dup(descriptor)) as file:
                        file.seek(0)
                        self.texts.append(file.read())
                    os.close(descriptor)
                if reply is not None:
                    answer(connection, reply)


def heard(home: Path, *words: str, replies: list[dict[str, Any] | None]) -> tuple[Any, Answering]:
    """What was typed gave, and what the enforcer heard."""
    enforcer = Answering(home, *replies)
    try:
        return typed(*words, home=home), enforcer
    finally:
        enforcer.close()


@pytest.mark.parametrize("verb", ["rollback", "stop", "start"])
def test_each_says_its_word_and_answers_people_or_scripts(tmp_path: Path, verb: str) -> None:
    for number, more in enumerate(((), ("--json",))):
        home = tmp_path / str(number)
        home.mkdir()
        done, enforcer = heard(home, verb, *more, replies=[STATE])
        assert done.status == Exit.DONE, done.errors
        assert [word.name for word in enforcer.words] == [f"firewall {ASKED[verb]}"]
        if more:
            assert json.loads(done.out) == STATE
        else:
            assert len(done.out.strip()) > 20
            assert "{" not in done.out


@pytest.mark.parametrize(("status", "expected"), [(3, Exit.REFUSED), (1, Exit.NO)])
@pytest.mark.parametrize("verb", VERBS)
def test_a_refusal_is_said_on_standard_error_alone(tmp_path: Path, verb: str, status: int, expected: Exit) -> None:
    done, _ = heard(tmp_path, verb, "--json", replies=[{"error": "no \x1b[31m", "status": status}])
    assert (done.status, done.out) == (expected, "")
    assert done.errors.startswith("durward: no ")
    assert "\x1b" not in done.errors


@pytest.mark.parametrize("verb", VERBS)
def test_without_an_enforcer_it_says_so(tmp_path: Path, verb: str) -> None:
    done = typed(verb, home=tmp_path)
    assert (done.status, done.out) == (Exit.NO_ANSWER, "")
    assert f"the enforcer does not answer at {tmp_path / 'run' / 'enforcer.sock'}" in done.errors
    assert "`durward run` starts it" in done.errors


def test_an_enforcer_that_hangs_up_is_none(tmp_path: Path) -> None:
    done, _ = heard(tmp_path, "stop", replies=[None])
    assert (done.status, done.out) == (Exit.NO_ANSWER, "")


@pytest.mark.parametrize("verb", [*VERBS, "apply"])
def test_without_root_it_says_so(tmp_path: Path, verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings(tmp_path, "")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    done = typed(verb, home=tmp_path)
    assert (done.status, done.out) == (Exit.WRONG, "")
    assert "root" in done.errors


@pytest.mark.kernel
def test_confirm_tells_which_connection_it_comes_from_and_changes_kernel_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sysctls: Path
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", CONNECTION)
    cookies = sysctls / "net" / "ipv4" / "tcp_syncookies"
    cookies.parent.mkdir(parents=True)
    cookies.write_text("0\n")
    done, enforcer = heard(tmp_path, "confirm", "--json", replies=[STATE])
    assert enforcer.words[0].fields == {"connection": CONNECTION}
    assert json.loads(done.out) == STATE | {"kernel_settings_refused": []}
    assert cookies.read_text() == "1"


@pytest.mark.kernel
def test_what_was_confirmed_is_said_although_the_settings_are_wrong_meanwhile(tmp_path: Path) -> None:
    settings(tmp_path, "[firewal]\n")
    done, enforcer = heard(tmp_path, "confirm", replies=[STATE])
    assert [word.name for word in enforcer.words] == ["firewall confirm"]
    assert (done.status, "Confirmed" in done.out) == (Exit.DONE, True)
    assert "firewal" in done.out


@pytest.mark.kernel
def test_apply_hands_over_what_it_compiled_and_which_ports_are_open(tmp_path: Path) -> None:
    settings(tmp_path, '[firewall]\ntcp_in = "443,8000:8010"\nssh_ports = "2222"\n')
    trial = {"firewall": "trial", "generation": "b", "trial_seconds": 30}
    replies = [{"ways": []}, STATE, trial]
    done, enforcer = heard(tmp_path, "apply", "--confirm-within", "30s", replies=replies)
    assert done.status == Exit.DONE, done.errors
    assert "On trial for 30 s" in done.out
    ways, state, applied = enforcer.words
    assert ways.name == "firewall ways"
    assert (state.name, applied.name) == ("firewall state", "firewall apply")
    assert {tuple(ports) for ports in applied.fields["open_ports"]} == {(443, 443), (2222, 2222), (8000, 8010)}
    assert (applied.fields["seconds"], applied.fields["force"]) == (30, False)
    (text,) = enforcer.texts
    assert "chain input_b {" in text
    assert "_a {" not in text


@pytest.mark.parametrize("words", [("--confirm-within", "soon"), ("--confirm-within", "-1s"), ("--nonsense",)])
def test_wrong_options_are_wrong_usage(tmp_path: Path, words: tuple[str, ...]) -> None:
    settings(tmp_path, "")
    done = typed("apply", "--force", *words, home=tmp_path)
    assert done.status != Exit.DONE
    assert done.out == ""


def test_a_firewall_that_is_switched_off_is_taken_away(tmp_path: Path) -> None:
    settings(tmp_path, "[firewall]\nenabled = false\n")
    done = typed("apply", "--dry-run", home=tmp_path)
    assert (done.status, done.out.startswith("#")) == (Exit.DONE, True), done.errors
    off = {"firewall": "off", "generation": "a", "trial_seconds": 0}
    done, enforcer = heard(tmp_path, "apply", replies=[off])
    assert [word.name for word in enforcer.words] == ["firewall none"]
    assert (done.status, "taken away" in done.out) == (Exit.DONE, True)


def test_a_mistake_in_the_settings_is_told_with_file_and_line(tmp_path: Path) -> None:
    etc = settings(tmp_path, '[firewall]\ntcp_in = "80-"\n')
    done = typed("apply", home=tmp_path)
    assert (done.status, done.out) == (Exit.WRONG, "")
    assert f"{etc / 'durward.toml'}:2" in done.errors


def test_a_connection_is_found_where_the_environment_hides_it() -> None:
    """As sudo does: its child has a clean environment, and a shell above still knows."""
    asked = "from durward.commands.gate import connection_name; print(connection_name())"
    inner = ["env", "-u", "SSH_CONNECTION", sys.executable, "-c", asked]
    shell = ["sh", "-c", '"$@"; true', "sh", *inner]
    environment = {**os.environ, "SSH_CONNECTION": CONNECTION}
    done = subprocess.run(shell, env=environment, capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == CONNECTION


def test_a_connection_is_a_short_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "x" * 5000)
    assert len(connection_name()) == gate.CONNECTION_CHARACTERS_MAX
