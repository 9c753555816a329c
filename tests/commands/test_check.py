"""check: every mistake at once, with its file and line, and nothing else."""

from pathlib import Path

from tests.commands.typed import settings, typed

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
    assert typed("check", "--json", home=tmp_path).answers == [{"right": True, "problems": []}]
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
