"""fail2ban's files are read as fail2ban reads them: order, includes, references, tags."""

from pathlib import Path

import pytest
from tests.fail2ban.etc import write

from durward.fail2ban.durations import seconds_of
from durward.fail2ban.failure import Fail2banError
from durward.fail2ban.files import read_sections
from durward.fail2ban.filters import read_filter
from durward.fail2ban.jails import read_jails, read_named
from durward.fail2ban.names import service_of
from durward.fail2ban.values import Values
from durward.model import FOREVER


def values_of(directory: Path, text: str, more: str = "") -> Values:
    (directory / "a.conf").write_text(text)
    (directory / "a.local").write_text(more)
    return Values(read_sections([directory / "a.conf", directory / "a.local", directory / "none"]))


def test_lines_go_on_and_comments_end(tmp_path: Path) -> None:
    text = "[One]\n# no\nkey = first ; not this\n  second\n\n  third;this\n# no\nOther: x = y\n"
    values = values_of(tmp_path, text)
    assert values.text("One", "key") == "first\nsecond\nthird;this"
    assert values.text("One", "other") == "x = y"
    option = values.option("One", "other")
    assert option is not None
    assert option.place == f"{tmp_path}/a.conf:8"


def test_references(tmp_path: Path) -> None:
    text = (
        "[DEFAULT]\nall = d\n[One]\na = 1%(b)s%(all)s%%\nb = 2%(Two/c)s\nname = %(__name__)s\n[Two]\nc = 3\nall = t\n"
    )
    values = values_of(tmp_path, text)
    assert values.text("One", "a") == "123d%"
    assert values.text("One", "name") == "One"
    assert values.text("Two", "b") == ""


def test_what_was_known_before(tmp_path: Path) -> None:
    values = values_of(tmp_path, "[One]\na = old\n", "[One]\na = %(known/a)s new\n")
    assert values.text("One", "a") == "old new"
    assert values.earlier("One", "a") == ["old"]


def test_tags(tmp_path: Path) -> None:
    text = "[Definition]\na = <one> <lt_<kind>/b> <HOST>\n[Init]\none = 1\nkind = file\n[lt_file]\nb = <one>x\n"
    assert values_of(tmp_path, text).text("Definition", "a") == "1 1x <HOST>"


@pytest.mark.parametrize("text", ["a = %(a)s", "a = %(b)s\nb = %(a)s", "a = %(none)s", "a = <a>x", "a = <b>\nb = <a>"])
def test_what_stands_for_itself_or_nothing_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Fail2banError, match="stands for"):
        values_of(tmp_path, f"[One]\n{text}\n").text("One", "a")


def test_a_value_does_not_grow_without_end(tmp_path: Path) -> None:
    rows = "\n".join(f"a{number} = %(a{number + 1})s%(a{number + 1})s" for number in range(18))
    with pytest.raises(Fail2banError, match="longer than"):
        values_of(tmp_path, f"[One]\n{rows}\na18 = {'x' * 100}\n").text("One", "a0")


def test_files_that_include_each_other_end(tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_text("[INCLUDES]\nbefore = a.conf\n")
    with pytest.raises(Fail2banError, match="include each other"):
        read_sections([tmp_path / "a.conf"])


def test_what_is_no_file_or_no_option_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.conf").mkdir()
    with pytest.raises(Fail2banError, match="folder"):
        read_sections([tmp_path / "folder.conf"])
    (tmp_path / "b.conf").write_text("[One]\nnonsense\n")
    with pytest.raises(Fail2banError, match="NAME = VALUE"):
        read_sections([tmp_path / "b.conf"])


def test_later_files_override_earlier_ones(tmp_path: Path) -> None:
    files = {
        "jail.d/a.conf": "[sshd]\nenabled = true\nmaxretry = 1\nbantime = 1\n",
        "jail.local": "[sshd]\nmaxretry = 2\nfindtime = 2\n",
        "jail.d/z.local": "[sshd]\nfindtime = 3\n",
    }
    jails = read_jails(write(tmp_path, files))
    [sshd] = [jail for jail in jails.jails if jail.enabled]
    assert (sshd.texts["bantime"], sshd.texts["maxretry"], sshd.texts["findtime"]) == ("1", "2", "3")
    assert sshd.texts["logpath"] == "/var/log/auth.log"
    assert sshd.is_own("maxretry")
    assert not sshd.is_own("backend")
    assert jails.defaults.texts["bantime"] == "10m"


def test_names_with_options() -> None:
    named = read_named("sshd[mode=aggressive, x=\"a, b\", y='c']")
    assert (named.name, dict(named.options)) == ("sshd", {"mode": "aggressive", "x": "a, b", "y": "c"})
    assert read_named("shop.conf").name == "shop"
    with pytest.raises(Fail2banError):
        read_named("../../x y")


def test_a_filter(tmp_path: Path) -> None:
    source = read_filter(write(tmp_path, {}), "shop", {})
    assert source is not None
    assert source.daemon == "shop(?:-worker)?"
    assert source.expressions[0].startswith("^<__prefix_line>login of")
    assert read_filter(tmp_path, "none", {}) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("600", 600), ("10m", 600), ("1d 2h", 93600), ("5w", 3024000), ("-1", FOREVER), ("1.5h", 5400), ("1h30m", 5400)],
)
def test_durations(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "1x", "-", "h"])
def test_no_durations(text: str) -> None:
    with pytest.raises(Fail2banError):
        seconds_of(text)


def test_services_by_the_names_of_filters() -> None:
    known = {"sshd", "pureftpd", "apache", "grafana"}
    assert service_of("sshd", known) == "sshd"
    assert service_of("pure-ftpd", known) == "pureftpd"
    assert service_of("apache-auth", known) == "apache"
    assert service_of("grafana-auth", known) == "grafana"
    assert service_of("shop", known) is None
