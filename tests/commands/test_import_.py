"""durward import fail2ban: shown first, written on request, and taken back; the real configuration of Debian too."""

from pathlib import Path

import pytest
from tests.commands.test_config import MAIN, Line
from tests.fail2ban.etc import SHOP, write

from durward.catalog.service_card import Reads, load_service
from durward.fail2ban.cards import card_of, identifier_of
from durward.fail2ban.filters import read_filter
from durward.fail2ban.writing import is_imported

DEBIAN = Path("/etc/fail2ban")
LOCAL = """
[DEFAULT]
ignoreip = 198.51.100.0/24
[sshd]
enabled = true
maxretry = 3
[shop]
enabled = true
logpath = /var/log/shop.log
"""


@pytest.fixture
def line(tmp_path_factory: pytest.TempPathFactory) -> Line:
    return Line(tmp_path_factory.mktemp("home"))


@pytest.fixture
def fail2ban(tmp_path: Path) -> str:
    return str(write(tmp_path, {"jail.local": LOCAL}))


def test_it_is_shown_and_nothing_is_written(line: Line, fail2ban: str) -> None:
    done = line.run("import", "fail2ban", fail2ban)
    assert done.exit_code == 0
    assert "detectors.brute_force.services.sshd.count = 3" in done.stdout
    assert "Nothing was written." in done.stdout
    assert line.main.read_text() == MAIN
    assert not (line.main.parent / "services").exists()
    [told] = line.json("import", "fail2ban", fail2ban)
    assert told["written"] is False
    assert {row["outcome"] for row in told["rows"]} == {"maps", "differs", "refused", "needless"}
    assert [card["id"] for card in told["cards"]] == ["shop"]


def test_it_is_written_with_a_copy_before_and_only_once(line: Line, fail2ban: str) -> None:
    [told] = line.json("import", "fail2ban", fail2ban, "--apply")
    assert told["problems"] == []
    assert line.json("config", "get", "detectors.brute_force.services.sshd.count")[0]["value"] == 3
    card = line.main.parent / "services" / "shop.toml"
    assert told["cards_written"] == [str(card)]
    assert is_imported(card)
    assert load_service(card).reads.programs == ("shop", "shop-worker")
    assert "198.51.100.0/24" in (line.main.parent / "ignore.list").read_text()
    again = line.run("import", "fail2ban", fail2ban, "--apply")
    assert "Nothing to change" in again.stdout
    assert line.run("profile", "restore", told["backup"]).exit_code == 0
    assert line.main.read_text() == MAIN


def test_an_imported_card_finds_what_the_filter_found(line: Line, fail2ban: str, tmp_path: Path) -> None:
    line.run("import", "fail2ban", fail2ban, "--apply")
    log = tmp_path / "shop.log"
    log.write_text(
        "Nov 23 08:10:00 web1 shop[812]: login of bob refused, client 203.0.113.9\n"
        "Nov 23 08:10:01 web1 shop[812]: login of bob accepted, client 203.0.113.9\n"
        "2026-11-23 08:10:02 authentication failed for bob, rip=203.0.113.8\n"
    )
    found = line.json("scan", str(log), "--service", "shop")
    assert [(one["line"], one["source_ip"], one.get("user_name")) for one in found] == [
        (1, "203.0.113.9", "bob"),
        (3, "203.0.113.8", None),
    ]


def test_a_card_of_somebody_else_stays(line: Line, fail2ban: str) -> None:
    own = line.main.parent / "services" / "shop_two.toml"
    own.parent.mkdir()
    text = 'title = "x"\n[[pattern]]\nevent = "auth.failure"\nlines = "nobody said {ip}"\n'
    own.write_text(text)
    Path(fail2ban, "filter.d/shop-two.conf").write_text(SHOP)
    Path(fail2ban, "jail.local").write_text("[shop-two]\nenabled = true\nlogpath = /x\n")
    [told] = line.json("import", "fail2ban", fail2ban, "--apply")
    assert own.read_text() == text  # and it is the card of that service
    assert told["cards_written"] == []


def test_a_mistake_takes_the_cards_back(line: Line, fail2ban: str) -> None:
    line.main.write_text("[firewall]\nnonsense = 1\n")
    done = line.run("import", "fail2ban", fail2ban, "--apply")
    assert done.exit_code == 2
    assert list((line.main.parent / "services").glob("*")) == []


def test_without_fail2ban(line: Line, tmp_path: Path) -> None:
    done = line.run("import", "fail2ban", str(tmp_path / "nowhere"))
    assert done.exit_code == 2
    assert "neither jail.conf nor jail.local" in done.stderr


@pytest.mark.skipif(not (DEBIAN / "jail.conf").is_file(), reason="fail2ban is not installed")
def test_debians_own_configuration(line: Line) -> None:
    [told] = line.json("import", "fail2ban")
    assert [row["outcome"] for row in told["rows"] if row["key"] == "filter"] == ["maps"]
    assert told["settings"]["services.sshd.enabled"] is True
    assert told["settings"]["detectors.brute_force.services.sshd.block_for"] == "10m"
    assert not [row for row in told["rows"] if row["outcome"] == "refused"]


@pytest.mark.skipif(not (DEBIAN / "jail.conf").is_file(), reason="fail2ban is not installed")
def test_every_filter_of_debian_is_carried_over_or_refused_with_a_reason(tmp_path: Path) -> None:
    carried = refused = 0
    for path in sorted((DEBIAN / "filter.d").glob("*.conf")):
        if path.stem == "selinux-common":  # only for others to include
            continue
        source = read_filter(DEBIAN, path.stem, {})
        assert source is not None
        made = card_of(source, source.expressions, identifier_of(path.stem), Reads(files=("/var/log/x",)))
        carried, refused = carried + len(made.carried), refused + len(made.refused)
        assert all(one.why for one in made.refused)
        if made.text:
            card = tmp_path / f"{made.id}.toml"
            card.write_text(made.text)
            assert load_service(card).patterns
    assert carried > 60
    assert refused > 0


@pytest.mark.skipif(not (DEBIAN / "filter.d/roundcube-auth.conf").is_file(), reason="fail2ban is not installed")
def test_debians_exceptions_are_carried_over(tmp_path: Path) -> None:
    source = read_filter(DEBIAN, "roundcube-auth", {})
    assert source is not None
    made = card_of(source, source.expressions, "roundcube_auth", Reads())
    assert (made.excepted, made.unexcepted) == (source.ignored, ())
    path = tmp_path / "roundcube_auth.toml"
    path.write_text(made.text)
    [pattern] = load_service(path).exceptions
    assert pattern.lines == ("{text}Could not connect to {text} Connection refused{text}",)
