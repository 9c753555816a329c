"""The database is opened, brought up to date, and moved aside where it cannot be trusted; nothing is thrown away."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.store.samples import NOW, decision, opened, recorded

from durward.store import database, decisions, standing
from durward.store.aside import KEPT_MAX, last_moved_aside, move_aside
from durward.store.database import SCHEMA_VERSION, migrate
from durward.store.errors import StoreBusyError, StoreCorruptError, StoreError
from durward.store.store import Store, open_store

SCHEMAS = Path(__file__).parent / "schemas"
STAMP = "20261123T081000Z"


def filled(directory: Path) -> Path:
    """A closed database with some history."""
    with opened(directory) as store:
        recorded(store, [decision(f"203.0.113.{number}", lines=5) for number in range(200)])
        return store.path


def run(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def overwrite(path: Path, start: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(data)


def scribble(path: Path) -> None:
    """Write nonsense over every page but the first: the schema can be read, nothing else."""
    size = path.stat().st_size
    overwrite(path, 4096, b"\xa5" * (size - 4096))


def truncate(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "not a database": lambda path: path.write_bytes(b"GIF89a" * 1000),
    "not even a page": lambda path: path.write_bytes(b"x"),
    "a broken header": lambda path: overwrite(path, 0, b"Sqlite format 4\0"),
    "a broken first page": lambda path: overwrite(path, 100, b"\xff" * 3000),
    "broken pages": scribble,
    "a torn end": truncate,
    "another program's": lambda path: run(path, "PRAGMA application_id = 7"),
    "from before versions": lambda path: run(path, "PRAGMA user_version = 0"),
    "from the future": lambda path: run(path, f"PRAGMA user_version = {SCHEMA_VERSION + 1}"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_cannot_be_trusted_is_moved_aside(tmp_path: Path, damage: str) -> None:
    path = filled(tmp_path)
    DAMAGES[damage](path)
    damaged = path.read_bytes()
    result = open_store(path, NOW)
    with result.store as store:
        (finding,) = result.findings
        assert (finding.check, finding.subject, finding.result) == ("durward.store", str(path), "error")
        assert f"durward.db.corrupt-{STAMP}" in finding.detail
        assert decisions.latest(store, 10) == []
        recorded(store, [decision("203.0.113.9")])
    assert (tmp_path / f"durward.db.corrupt-{STAMP}").read_bytes() == damaged
    with opened(tmp_path) as store:
        assert standing.count(store, "block") == 1


def test_the_write_ahead_log_goes_with_its_database(tmp_path: Path) -> None:
    path = filled(tmp_path)
    path.write_bytes(b"x" * 5000)
    for companion in ("-wal", "-shm"):
        Path(f"{path}{companion}").write_bytes(companion.encode())
    with open_store(path, NOW).store:
        kept = tmp_path / f"durward.db.corrupt-{STAMP}"
        assert Path(f"{kept}-wal").read_bytes() == b"-wal"
        assert Path(f"{kept}-shm").read_bytes() == b"-shm"


def test_after_a_loss_ids_do_not_begin_again(tmp_path: Path) -> None:
    path = filled(tmp_path)
    path.write_bytes(b"x" * 5000)
    with open_store(path, NOW).store as store:
        (first,) = store.number([decision("203.0.113.9")])
        assert first.id > 50_000_000


def test_a_loss_is_told_even_if_the_new_database_came_later(tmp_path: Path) -> None:
    path = filled(tmp_path)
    move_aside(path, NOW)
    result = open_store(path, NOW + 60)
    result.store.close()
    assert [finding.check for finding in result.findings] == ["durward.store"]
    assert open_again(path) == ()


def open_again(path: Path) -> tuple[object, ...]:
    result = open_store(path, NOW)
    result.store.close()
    return result.findings


def test_the_caller_may_distrust_it(tmp_path: Path) -> None:
    path = filled(tmp_path)
    result = open_store(path, NOW, distrust="a page could not be read")
    result.store.close()
    assert "a page could not be read" in result.findings[0].detail
    assert last_moved_aside(path) == tmp_path / f"durward.db.corrupt-{STAMP}"


def test_damage_that_is_met_later_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = filled(tmp_path)
    scribble(path)
    monkeypatch.setattr(database, "_check", lambda *_: None)
    with pytest.raises(StoreCorruptError), open_broken(path) as store:
        decisions.latest(store, 1000)
    result = open_store(path, NOW, distrust="met damage")
    result.store.close()
    assert len(result.findings) == 1


def open_broken(path: Path) -> Store:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        return Store(connection, path)
    except StoreError:
        connection.close()
        raise


def test_a_large_database_is_checked_in_its_vital_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "CHECKED_BYTES_MAX", 0)
    path = filled(tmp_path)
    assert open_again(path) == ()
    scribble(path)
    assert len(open_again(path)) == 1


def test_names_do_not_collide_and_the_oldest_go(tmp_path: Path) -> None:
    path = tmp_path / "durward.db"
    for number in range(KEPT_MAX + 2):
        path.write_text(str(number))
        Path(f"{path}-wal").write_text(str(number))
        move_aside(path, NOW)
    kept = sorted(tmp_path.glob("*.corrupt-*[!l]"))
    assert len(kept) == KEPT_MAX
    assert {file.read_text() for file in kept} == {str(number + 2) for number in range(KEPT_MAX)}
    assert len(list(tmp_path.glob("*-wal"))) == KEPT_MAX


def test_a_log_without_its_database_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "durward.db"
    path.touch()
    Path(f"{path}-wal").write_bytes(b"the newest part")
    assert len(open_again(path)) == 1
    assert (tmp_path / f"durward.db.corrupt-{STAMP}-wal").read_bytes() == b"the newest part"


def test_an_empty_file_is_a_new_database(tmp_path: Path) -> None:
    (tmp_path / "durward.db").touch()
    with opened(tmp_path) as store:
        recorded(store, [decision("203.0.113.9")])


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        recorded(store, [decision("203.0.113.9")])
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    assert modes == {"durward.db": 0o600, "durward.db-wal": 0o600}


def test_it_is_set_up_as_the_architecture_says(store: Store) -> None:
    expected = {
        "journal_mode": "wal",
        "synchronous": 1,
        "foreign_keys": 1,
        "temp_store": 2,
        "locking_mode": "exclusive",
        "wal_autocheckpoint": database.CHECKPOINT_PAGES,
        "journal_size_limit": database.JOURNAL_BYTES_MAX,
        "busy_timeout": database.BUSY_TIMEOUT_MILLISECONDS,
    }
    assert {name: store.read(f"PRAGMA {name}")[0][0] for name in expected} == expected


def test_a_second_writer_is_refused_and_moves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(store, [decision("203.0.113.9")])
    monkeypatch.setattr(database, "PRAGMAS", ("PRAGMA busy_timeout = 10", *database.PRAGMAS[1:]))
    with pytest.raises(StoreBusyError):
        open_store(store.path, NOW)
    recorded(store, [decision("203.0.113.9")])
    assert last_moved_aside(store.path) is None


def test_a_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        open_store(tmp_path / "absent" / "durward.db", NOW)


def test_a_directory_in_its_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "durward.db").mkdir()
    with pytest.raises(StoreError):
        open_store(tmp_path / "durward.db", NOW)


def shape(connection: sqlite3.Connection) -> set[tuple[str, str]]:
    """Tables and indexes with the statements that made them, without comments and spaces."""
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    plain = ((name, " ".join(line.partition("--")[0] for line in sql.splitlines())) for name, sql in rows)
    return {(name, " ".join(re.sub(r"([(),])", r" \1 ", sql).split())) for name, sql in plain}


def test_every_old_schema_migrates_to_the_present_one(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        present = shape(store._connection)
    versions = sorted(SCHEMAS.glob("*.sql"))
    assert [int(path.stem) for path in versions] == list(range(1, SCHEMA_VERSION + 1))
    for path in versions:
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
            connection.executescript(path.read_text())
            migrate(connection, database.MIGRATIONS, int(path.stem), SCHEMA_VERSION)
            assert shape(connection) == present


def test_steps_run_in_order_and_set_the_version() -> None:
    steps = {3: "INSERT INTO one (what) VALUES ('a');", 2: "CREATE TABLE one (what TEXT);"}
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, steps, 1, 3)
        assert connection.execute("SELECT what FROM one").fetchall() == [("a",)]
        assert connection.execute("PRAGMA user_version").fetchone() == (3,)


def test_a_step_that_fails_leaves_nothing_behind() -> None:
    steps = {2: "CREATE TABLE one (what TEXT);", 3: "CREATE TABLE two (what TEXT); INSERT INTO three VALUES (1);"}
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        with pytest.raises(sqlite3.OperationalError, match="three"):
            migrate(connection, steps, 1, 3)
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        assert [name for name, _ in shape(connection)] == ["one"]
