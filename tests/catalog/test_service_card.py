"""Service cards: the example of the handbook loads, and every mistake in a card is named with its line, all at once."""

from pathlib import Path

import pytest

from durward.catalog.document import ProblemsError
from durward.catalog.service_card import ServiceCard, load_service, load_services

GOOD = r"""
title = "OpenSSH server"
[reads]
journal  = ["ssh.service", "sshd.service"]
files    = ["/var/log/auth.log", "/var/log/secure"]
programs = ["sshd", "sshd-session"]

[[pattern]]
event = "auth.failure"
lines = '''
Failed {word} for (?:invalid user )?{user} from {ip} port {port}(?: ssh2.*)?

Invalid user {user} from {ip}
'''
[[pattern.example]]
title = "A user name written to frame someone else does not"
line  = "Failed password for invalid user x from 198.51.100.7 port 1 from 203.0.113.9 port 40022 ssh2"
gives = { source_ip = "203.0.113.9" }

[[pattern]]
event = "session.opened"
lines = "one {user} line"
hits = 0
weight = "hint"
envelope = "stamped"

[[ignored]]                       # must give no event
line = "Connection closed by 192.0.2.4 port 50514"
"""


def write(directory: Path, name: str, text: str) -> Path:
    directory.mkdir(exist_ok=True)
    path = directory / f"{name}.toml"
    path.write_text(text)
    return path


def load(tmp_path: Path, text: str) -> ServiceCard:
    return load_service(write(tmp_path, "card", text))


def test_frames_stand_around_the_lines_of_a_card_unless_a_pattern_has_its_own(tmp_path: Path) -> None:
    frames = "frames = ['[x] {message}', '{message} for {ip}']\n[reads]"
    own = GOOD.replace("[reads]", frames).replace("hits = 0", "hits = 0\nframes = ['{message}!']")
    first, second = load(tmp_path, own).patterns
    assert (first.frames, second.frames) == (("[x] {message}", "{message} for {ip}"), ("{message}!",))
    assert load(tmp_path, GOOD).patterns[0].frames == ("{message}",)
    with pytest.raises(ProblemsError, match="should have one"):
        load(tmp_path, GOOD.replace("[reads]", "frames = ['[x]']\n[reads]"))


def test_a_card_may_read_by_another_one(tmp_path: Path) -> None:
    sharing = 'title = "x"\nalso = ["good"]\n'
    write(tmp_path, "sharing", sharing)
    with pytest.raises(ProblemsError, match="no card 'good'"):
        load_services([tmp_path])
    write(tmp_path, "good", GOOD)
    assert [card.also for card in load_services([tmp_path])] == [(), ("good",)]


def test_a_card_as_the_handbook_writes_it(tmp_path: Path) -> None:
    card = load(tmp_path, GOOD)
    first, second = card.patterns
    assert (card.id, card.title, card.csf, card.why) == ("card", "OpenSSH server", (), "")
    assert card.reads.programs == ("sshd", "sshd-session")
    assert (first.event, first.hits, first.weight, first.envelopes) == ("auth.failure", 1, "attempt", ("syslog",))
    assert first.lines[1] == "Invalid user {user} from {ip}"
    assert first.places == (11, 13)
    assert first.examples[0].gives == {"source_ip": "203.0.113.9"}
    assert (second.lines, second.places, second.hits) == (("one {user} line",), (22,), 0)
    assert (second.weight, second.envelopes) == ("hint", ("stamped",))
    assert card.ignored[0].line.startswith("Connection closed")


def test_the_places_are_the_lines_of_the_file(tmp_path: Path) -> None:
    card = load(tmp_path, GOOD)
    written = GOOD.splitlines()
    for line, place in zip(card.patterns[0].lines, card.patterns[0].places, strict=True):
        assert written[place - 1] == line


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('title = "OpenSSH server"', 'titel = "OpenSSH server"', ":2: titel: is not known here; did you mean title?"),
        ('title = "OpenSSH server"', "title = 5", ":2: title: a text was expected"),
        ("programs =", "program =", ":6: reads.program: is not known here; did you mean programs?"),
        ('["sshd", "sshd-session"]', '"sshd"', ":6: reads.programs: a list of texts"),
        ("hits = 0", "hits = -1", ":23: pattern.1.hits: a whole number from 0"),
        ("hits = 0", "hits = true", ":23: pattern.1.hits: a whole number from 0"),
        ("hits = 0", "hits = 101", ":23: pattern.1.hits: at most 100"),
        ('"hint"', '"hints"', ":24: pattern.1.weight: 'hints' is not one of attempt, step, hint, pending"),
        ('"stamped"', '"stamp"', ":25: pattern.1.envelope: 'stamp' is not one of syslog, stamped, plain, access, json"),
        ("gives = { source_ip", "gives = { source_id", ":18: pattern.0.example.0.gives.source_id: is not known here"),
        ('source_ip = "203.0.113.9"', "source_ip = 7", "source_ip: a text was expected"),
        ('source_ip = "203.0.113.9"', 'hits = "1"', "hits: a number was expected"),
        ("[[ignored]]", "[[ignore]]", "ignore: is not known here; did you mean ignored?"),
        ('event = "session.opened"', "", "pattern.1.event: event is missing"),
        ('lines = "one {user} line"', "", "pattern.1.lines: lines is missing"),
        ('line = "Conn', 'lime = "Conn', ":28: ignored.0.lime: is not known here; did you mean line?"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, right: str, wrong: str, said: str) -> None:
    assert right in GOOD
    with pytest.raises(ProblemsError) as error:
        load(tmp_path, GOOD.replace(right, wrong))
    assert said in str(error.value)


def test_all_mistakes_of_all_cards_are_named_at_once(tmp_path: Path) -> None:
    write(tmp_path, "one", GOOD.replace("title", "titel").replace("hits = 0", "hits = 900"))
    write(tmp_path, "two", 'title = "x"')
    with pytest.raises(ProblemsError) as error:
        load_services([tmp_path])
    files = [Path(problem.file).name for problem in error.value.problems]
    assert files.count("one.toml") >= 3
    assert files.count("two.toml") == 1


def test_later_directories_replace_cards_of_earlier_ones(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    write(ours, "sshd", GOOD)
    write(ours, "alpha", GOOD)
    write(theirs, "sshd", GOOD.replace("OpenSSH server", "Theirs"))
    cards = load_services([ours, theirs, tmp_path / "none"])
    assert [(card.id, card.title) for card in cards] == [("alpha", "OpenSSH server"), ("sshd", "Theirs")]
