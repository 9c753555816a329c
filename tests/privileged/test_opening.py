"""Which files are opened, and which are refused with a reason."""

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from durward.privileged import opening
from durward.privileged.failure import OpeningError
from durward.privileged.opening import Sources, is_absent, matching, open_journal, open_log, siblings
from durward.privileged.walking import Place
from durward.privileged.watches import Watches


def content(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "auth.log"
    path.write_bytes(b"a line\n")
    return path


def test_a_regular_file_is_opened_without_ever_waiting(log: Path) -> None:
    descriptor = open_log(str(log))
    try:
        flags = os.get_blocking(descriptor), os.get_inheritable(descriptor)
        assert flags == (False, False)
        with pytest.raises(OSError, match="descriptor"):
            os.write(descriptor, b"x")
    finally:
        assert content(descriptor) == b"a line\n"


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "directory").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
    for name, reason in (
        ("pipe", "is a named pipe"),
        ("directory", "is a directory"),
        ("directory/", "is a directory"),
        ("socket", "is a socket"),
        ("/dev/null", "is a device"),
        ("/", "is a directory"),
    ):
        with pytest.raises(OpeningError, match=reason) as refused:
            open_log(os.path.join(tmp_path, name))  # noqa: PTH118 - keeps the trailing slash
        assert not refused.value.missing


@pytest.mark.parametrize("path", ["nowhere", "nowhere/auth.log", "auth.log.9"])
def test_what_is_missing_is_told_apart(log: Path, path: str) -> None:
    with pytest.raises(OpeningError, match="does not exist") as refused:
        open_log(str(log.parent / path))
    assert refused.value.missing


def test_a_file_is_no_directory(log: Path) -> None:
    with pytest.raises(OpeningError) as refused:
        open_log(str(log / "below"))
    assert not refused.value.missing


@pytest.mark.parametrize("path", ["auth.log", "", "./auth.log", "/a\0b", "/" + "a" * 5000])
def test_only_absolute_paths_are_walked(path: str) -> None:
    with pytest.raises(OpeningError, match="no absolute path"):
        open_log(path)


@pytest.mark.kernel
@pytest.mark.parametrize("link", ["link.log", "linked/auth.log", "chain", "up/../linked/auth.log"])
def test_symlinks_are_followed_where_only_root_may_make_them(log: Path, link: str) -> None:
    (log.parent / "up").mkdir()
    (log.parent / "link.log").symlink_to("auth.log")
    (log.parent / "linked").symlink_to(log.parent)
    (log.parent / "chain").symlink_to("linked/../" + f"{log.parent.name}/link.log")
    assert content(open_log(f"{log.parent}/{link}")) == b"a line\n"
    for mode in (0o770, 0o707):
        log.parent.chmod(mode)
        with pytest.raises(OpeningError, match="others than root may write"):
            open_log(f"{log.parent}/{link}")
    log.parent.chmod(0o755)
    os.chown(log.parent, 65534, 0)
    with pytest.raises(OpeningError, match="others than root may write"):
        open_log(f"{log.parent}/{link}")
    assert content(open_log(str(log))) == b"a line\n"


@pytest.mark.kernel
def test_a_second_name_is_refused_where_others_may_make_one(log: Path) -> None:
    os.link(log, log.parent / "second")
    assert content(open_log(str(log.parent / "second"))) == b"a line\n"
    log.parent.chmod(0o777)
    with pytest.raises(OpeningError, match="several names"):
        open_log(str(log.parent / "second"))


@pytest.mark.kernel
def test_a_circle_of_symlinks_ends(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    with pytest.raises(OpeningError, match="more than 16 symlinks"):
        open_log(str(tmp_path / "one"))


def test_a_name_that_becomes_a_symlink_meanwhile_is_not_followed(log: Path) -> None:
    with Place(str(log)) as place:
        log.unlink()
        log.symlink_to("/etc/shadow")
        with pytest.raises(OpeningError, match="is a symlink"):
            place.open(place.name)


@pytest.mark.parametrize("step", ["_target", "_refuse_unless_regular"])
@pytest.mark.parametrize("swapped", ["logs", "logs/auth.log"])
def test_a_swap_between_looking_and_opening_leads_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, swapped: str
) -> None:
    for name, text in (("logs", "a line"), ("secrets", "secret")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "auth.log").write_text(text)
    plain = getattr(Place, step)

    def swap_after(place: Place, *arguments: object) -> object:
        looked = plain(place, *arguments)
        if step != "_target" or arguments == (swapped.rpartition("/")[2],):
            path = tmp_path / swapped
            path.rename(tmp_path / "away")
            path.symlink_to(tmp_path / swapped.replace("logs", "secrets"))
            monkeypatch.undo()
        return looked

    monkeypatch.setattr(Place, step, swap_after)
    try:
        read = content(open_log(str(tmp_path / "logs" / "auth.log")))
    except OpeningError:
        read = b"refused"
    assert (tmp_path / swapped).is_symlink()
    assert read in {b"a line", b"refused"}


def test_a_star_before_dots_is_no_way_up(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "secret").write_text("secret")
    with closing(Sources([f"{tmp_path}/below/.*/secret"])) as opened:
        assert opened.open(f"{tmp_path}/below/../secret").descriptor is None


ROTATIONS = [
    (["auth.log.1", "auth.log.2.gz", "auth.log.10.gz", "auth.log.3.xz"], [0, 1, 3, 2]),
    (["auth.log-20261122.gz", "auth.log-20261123", "auth.log-20261124.zst", "auth.log-20261120.bz2"], [2, 1, 0, 3]),
    (["auth.log-20261123-1795000000", "auth.log-20261123-1795900000.gz", "auth.log-20261124"], [2, 1, 0]),
    (["auth.log.2", "auth.log.2.gz", "auth.log.1"], [2, 0, 1]),
    ([f"auth.log.{number}" for number in range(1, 9)], [0, 1, 2, 3, 4]),
    (["auth.log.bak", "auth.log.1.swp", "auth.log.1~", "my-auth.log.1", "auth_log.1", "auth.log.1.gz.tmp"], []),
]


@pytest.mark.parametrize(("names", "order"), ROTATIONS)
def test_rotated_copies_come_newest_first(log: Path, names: list[str], order: list[int]) -> None:
    for name in names:
        (log.parent / name).write_text(name)
    found = siblings(str(log))
    assert [name for name, _ in found] == [names[index] for index in order]
    assert [content(descriptor).decode() for _, descriptor in found] == [name for name, _ in found]


def test_copies_of_a_log_that_is_gone_are_found(log: Path) -> None:
    log.rename(log.parent / "auth.log.1")
    ((name, descriptor),) = siblings(str(log))
    assert (name, content(descriptor)) == ("auth.log.1", b"a line\n")


def test_after_a_change_of_style_the_style_that_was_written_last_comes_first(log: Path) -> None:
    for age, name in enumerate(["auth.log-20261123", "auth.log-20261122", "auth.log.1", "auth.log.2"]):
        (log.parent / name).write_text(name)
        os.utime(log.parent / name, (0, 1_800_000_000 - age))
    found = siblings(str(log))
    assert [content(descriptor).decode() for _, descriptor in found][::3] == ["auth.log-20261123", "auth.log.2"]


def test_copies_that_are_no_files_are_left_out(log: Path) -> None:
    os.mkfifo(log.parent / "auth.log.1")
    (log.parent / "auth.log.2").symlink_to("/etc/passwd")
    (log.parent / "auth.log.3").mkdir()
    assert siblings(str(log)) == []


@pytest.mark.kernel
def test_copies_lie_beside_the_file_that_a_symlink_names(log: Path) -> None:
    (log.parent / "auth.log.1").write_bytes(b"older\n")
    link = log.parent / "elsewhere" / "secure"
    link.parent.mkdir()
    link.symlink_to(log)
    ((name, descriptor),) = siblings(str(link))
    assert (name, content(descriptor)) == ("auth.log.1", b"older\n")


def test_patterns_name_files_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b.log", "a.log", ".hidden.log", "c.txt"):
        (tmp_path / name).touch()
    (tmp_path / "directory.log").mkdir()
    (tmp_path / "dangling.log").symlink_to("nowhere")
    assert matching(f"{tmp_path}/*.log") == [f"{tmp_path}/a.log", f"{tmp_path}/b.log"]
    monkeypatch.setattr(opening, "MATCHES_MAX", 1)
    assert len(matching(f"{tmp_path}/*.log")) == 1


@pytest.fixture
def sources(log: Path) -> Iterator[Sources]:
    roots = (str(log.parent / "journal"), str(log.parent / "absent"))
    with closing(Sources([str(log), f"{log.parent}/sites/*/access.log"], roots)) as opened:
        yield opened


def test_only_what_the_settings_name_is_opened(sources: Sources, log: Path) -> None:
    site = log.parent / "sites" / "one" / "access.log"
    site.parent.mkdir(parents=True)
    site.write_bytes(b"GET /\n")
    (log.parent / "other").write_bytes(b"secret\n")
    (site.parent / ".ssh").mkdir()
    (log.parent / "sites" / ".hidden").mkdir()
    opened = sources.open(str(site))
    assert opened.problem is None
    assert opened.descriptor is not None
    assert content(opened.descriptor) == b"GET /\n"
    assert opened.watches[-1][1] == "access.log"
    for path in (
        "other",
        "sites/one/../../other",
        "sites/one/more/access.log",
        "sites/.hidden/access.log",
        "auth.log.1",
    ):
        refused = sources.open(f"{log.parent}/{path}")
        assert (refused.descriptor, refused.watches) == (None, [])
        assert "not among the files" in (refused.problem or "")
        assert sources.siblings(f"{log.parent}/{path}") == []
    assert sources.matching(f"{log.parent}/sites/*/access.log") == [str(site)]
    with pytest.raises(OpeningError, match="not among"):
        sources.matching("/etc/*")


def test_a_file_that_is_not_there_yet_is_watched_and_no_problem(sources: Sources, log: Path) -> None:
    log.unlink()
    opened = sources.open(str(log))
    assert (opened.descriptor, opened.problem) == (None, None)
    assert [name for _, name in opened.watches] == ["auth.log"]


def test_a_refused_file_is_a_problem(sources: Sources, log: Path) -> None:
    log.unlink()
    os.mkfifo(log)
    opened = sources.open(str(log))
    assert opened.descriptor is None
    assert opened.problem == f"{log} is a named pipe, not a regular file"
    assert sources.siblings(str(log)) == []


def test_the_watch_descriptor_is_a_copy_for_the_caller(sources: Sources) -> None:
    first, second = sources.watch_descriptor(), sources.watch_descriptor()
    os.close(first)
    assert stat.S_IFMT(os.fstat(second).st_mode) == 0  # an anonymous inode
    os.close(second)


def test_the_journal_is_opened_newest_first_and_its_directories_are_watched(sources: Sources, log: Path) -> None:
    machine = log.parent / "journal" / "0123456789abcdef0123456789abcdef"
    machine.mkdir(parents=True)
    for age, name in enumerate(
        ["user-1000.journal", "system.journal", "system@0-1.journal", "remote.journal", "x.log"]
    ):
        (machine / name).write_text(name)
        os.utime(machine / name, (0, 1_800_000_000 - age))
    os.mkfifo(machine / "system@fifo.journal")
    journal = sources.journal()
    wanted = [b"user-1000.journal", b"system.journal", b"system@0-1.journal"]
    assert [content(descriptor) for descriptor in journal.descriptors] == wanted
    assert len({number for number, _ in journal.watches}) == 2
    (newest,) = open_journal([str(log.parent / "journal")], 1)
    assert content(newest) == b"user-1000.journal"


def test_without_a_journal_there_is_nothing(tmp_path: Path) -> None:
    assert open_journal([str(tmp_path / "absent")]) == []


def test_watches_can_be_closed() -> None:
    with Watches() as watches:
        os.fstat(watches.descriptor)


@pytest.mark.parametrize(
    ("pattern", "absent"),
    [
        ("{}/*.log", False),
        ("{}/a.log", False),
        ("{}/*/logs/*.log", False),
        ("{}/none/*.log", True),
        ("{}/a.log/*", True),
    ],
)
def test_whether_there_is_anything_that_a_pattern_could_find(tmp_path: Path, pattern: str, absent: bool) -> None:
    (tmp_path / "a.log").touch()
    assert is_absent(pattern.format(tmp_path)) == absent
