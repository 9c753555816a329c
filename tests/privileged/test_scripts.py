"""Scripts that may have sent mail are found below homes, and nothing that a user puts there leads elsewhere."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from durward.privileged import scripts
from durward.privileged.scripts import CANDIDATES_MAX, LOOKS_MAX, NAMES_MAX, Candidate, NoLookError, Scripts

MAILS = "<?php mail($to, $subject, $text); ?>"
HOUR = 3600


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "homes/bob/public_html/blog"
    directory.mkdir(parents=True)
    return directory


def look(site: Path, path: Path | str = "") -> list[Candidate]:
    return Scripts([str(site.parents[2])]).look(str(path or site))[0]


def refusal(homes: Path | str, path: Path | str) -> str:
    with pytest.raises(NoLookError) as caught:
        Scripts([str(homes)]).look(str(path))
    return str(caught.value)


def test_what_can_send_mail_is_named_with_its_ways(site: Path) -> None:
    (site / "index.php").write_text("<?php echo mailbox($x); $this->mail(1); ?>")
    (site / "photo.jpg").write_text(MAILS)
    (site / "a.php").write_text(MAILS)
    (site / "b.pl").write_text("open(M, '|/usr/sbin/sendmail -t');")
    (site / "c.PHTML").write_text("<? eval(base64_decode('bWFpbCgp')); ?>")
    (site / "d.py").write_text("import smtplib")
    found = {Path(one.path).name: one.ways for one in look(site)}
    assert found == {"a.php": ("mail()",), "b.pl": ("sendmail",), "c.PHTML": ("hidden code",), "d.py": ("SMTP",)}


def test_what_was_changed_last_comes_first_and_directories_within_are_looked_at(site: Path) -> None:
    for name in ("old.php", "cache/x/deep.php", "cache/x/y/deeper.php", "new.php"):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(MAILS)
        os.utime(site / name, (0, HOUR))  # whoever put it there can set this time, but not the one that counts
        assert (site / name).stat().st_ctime > HOUR
    assert [one.path for one in look(site)] == [f"{site}/{name}" for name in ("new.php", "cache/x/deep.php", "old.php")]


def test_the_script_that_php_names_comes_first(site: Path) -> None:
    for name in ("contact.php", "later.php"):
        (site / name).write_text(MAILS)
    assert [Path(one.path).name for one in look(site, site / "contact.php")] == ["contact.php", "later.php"]


def test_links_pipes_sockets_devices_and_directories_with_names_of_scripts_are_nothing(
    site: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.php").write_text(MAILS)
    (site / "link.php").symlink_to(tmp_path / "secret.php")
    (site / "elsewhere").symlink_to(tmp_path)
    (site / "directory.php").mkdir()
    os.mkfifo(site / "pipe.php")  # to open it would wait for a writer
    if os.geteuid() == 0:
        os.mknod(site / "device.php", 0o644 | 0o020000, os.makedev(1, 5))  # /dev/zero never ends
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"/proc/self/fd/{os.open(site, os.O_PATH)}/socket.php")
    assert look(site) == []


def test_a_script_that_becomes_a_link_or_a_pipe_meanwhile_is_not_opened(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret.php").write_text(MAILS)
    for name in ("link.php", "pipe.php", "sub/inner.php"):
        (site / name).parent.mkdir(exist_ok=True)
        (site / name).write_text(MAILS)
    read = scripts._read

    def swapped(*given: object) -> object:
        for name in ("link.php", "pipe.php", "sub/inner.php"):
            (site / name).unlink()
        (site / "link.php").symlink_to(tmp_path / "secret.php")
        os.mkfifo(site / "pipe.php")
        (site / "sub").rmdir()
        (tmp_path / "inner.php").write_text(MAILS)
        (site / "sub").symlink_to(tmp_path)
        return read(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(scripts, "_read", swapped)
    assert look(site) == []


@pytest.mark.parametrize(
    "path", ["/etc", "relative", "{homes}", "{homes}/bob/../../outside", "{homes}//bob", "{homes}x/bob"]
)
def test_only_what_lies_below_homes_is_looked_at(site: Path, tmp_path: Path, path: str) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "homesx/bob").mkdir(parents=True)
    assert refusal(site.parents[2], path.format(homes=site.parents[2]))


def test_a_link_on_the_way_is_not_followed(site: Path, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/x.php").write_text(MAILS)
    (site / "way").symlink_to(tmp_path / "etc")
    assert "is a symlink" in refusal(site.parents[2], site / "way")
    (site.parents[2] / "carol").symlink_to(site.parents[1])
    assert "is a symlink" in refusal(site.parents[2], site.parents[2] / "carol/public_html/blog")
    assert "No such file" in refusal(site.parents[2], site / "none")


def test_ten_thousand_names_are_looked_at_and_more_are_said_to_be_there(site: Path) -> None:
    for number in range(NAMES_MAX):
        (site / f"{number}.txt").touch()
    (site / "mailer.php").write_text(MAILS)
    found, more = Scripts([str(site.parents[2])]).look(str(site))
    assert more
    assert len(found) <= 1  # it may be the one name that was not come to


def test_ten_are_named_and_a_file_is_read_to_a_bound(site: Path) -> None:
    (site / "long.php").write_bytes(b" " * (scripts.FILE_BYTES_MAX + 1) + MAILS.encode())
    assert look(site) == []
    for number in range(CANDIDATES_MAX + 1):
        (site / f"{number}.php").write_text(MAILS)
    found, more = Scripts([str(site.parents[2])]).look(str(site))
    assert (len(found), more) == (CANDIDATES_MAX, True)


def test_names_are_text_whatever_bytes_they_have(site: Path) -> None:
    Path(os.fsdecode(os.fsencode(site) + b"/\xff\n\x1b[2J.php")).write_text(MAILS)
    (one,) = look(site)
    assert one.path == f"{site}/\\xff\n\x1b[2J.php"


def test_looks_are_rationed(site: Path) -> None:
    looking = Scripts([str(site.parents[2])])
    for _ in range(LOOKS_MAX):
        assert looking.look(str(site)) == ([], False)
    with pytest.raises(NoLookError, match="within a minute"):
        looking.look(str(site))


def test_a_file_system_that_others_serve_is_not_entered(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripts, "LOCAL", frozenset({"none"}))
    assert "which is not looked into" in refusal(site.parents[2], site)
