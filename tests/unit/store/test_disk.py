import stat
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import apsw
import pytest

from p2pchat.errors import Corrupt, Failed, NotFound
from p2pchat.store.disk import SystemDisk
from p2pchat.store.migrate import VERSION, migrate
from tests.support.stores import KEY

PAGE = 4096


def filled(path: Path, rows: int = 200) -> bytes:
    """The bytes of a closed database with ``rows`` rows of text."""
    with closing(SystemDisk().open_db(path, KEY)) as db:
        migrate(db)
        with db:
            for row in range(rows):
                db.execute("INSERT INTO contents (content) VALUES (?)", (f"plaintext number {row} " * 20,))
    return path.read_bytes()


def count(db: apsw.Connection) -> int:
    return int(db.execute("SELECT count(*), max(length(content)) FROM contents").get[0])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault.db"


def test_what_was_committed_is_there_again(path: Path) -> None:
    filled(path, 3)
    with closing(SystemDisk().open_db(path, KEY)) as db:
        assert count(db) == 3


def test_files_are_private_and_hold_no_plaintext(path: Path) -> None:
    with closing(SystemDisk().open_db(path, KEY)) as db:
        migrate(db)
        db.execute("INSERT INTO contents (content) VALUES ('plaintext')")
        files = sorted(path.parent.iterdir())
        assert [file.name for file in files] == ["vault.db", "vault.db-shm", "vault.db-wal"]
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        assert all(b"plaintext" not in file.read_bytes() for file in files)
    assert b"SQLite format 3" not in path.read_bytes()


def test_the_connection_is_durable_and_deletes_for_good(path: Path) -> None:
    with closing(SystemDisk().open_db(path, KEY)) as db:
        found = {name: db.pragma(name) for name in ("journal_mode", "synchronous", "secure_delete", "foreign_keys")}
    assert found == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1}


def test_a_statement_is_prepared_once(path: Path) -> None:
    with closing(SystemDisk().open_db(path, KEY)) as db:
        assert db.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, -1) == 1


def test_a_reader_opens_while_a_thread_works_with_the_database(path: Path) -> None:
    """As the first search of a history does."""
    disk = SystemDisk()
    at_work, go_on = Event(), Event()

    def wait() -> int:
        at_work.set()
        return int(go_on.wait(10))

    with closing(disk.open_db(path, KEY)) as db:
        db.create_scalar_function("wait", wait, 0)
        worker = Thread(target=lambda: db.execute("SELECT wait()").fetchall())
        worker.start()
        try:
            assert at_work.wait(10)
            disk.reader(db).close()
        finally:
            go_on.set()
            worker.join()


def test_a_reader_sees_commits_and_changes_nothing(path: Path) -> None:
    disk = SystemDisk()
    with closing(disk.open_db(path, KEY)) as db:
        migrate(db)
        with closing(disk.reader(db)) as reader:
            db.execute("BEGIN; INSERT INTO contents (content) VALUES ('x')")
            assert count(reader) == 0
            db.execute("COMMIT")
            assert count(reader) == 1
            with pytest.raises(apsw.ReadOnlyError):
                reader.execute("DELETE FROM contents")


def test_a_wrong_key_opens_nothing_and_changes_nothing(path: Path) -> None:
    before = filled(path)
    with pytest.raises(Corrupt, match="damaged, or was made with another key"):
        SystemDisk().open_db(path, bytes(32))
    assert path.read_bytes() == before


@pytest.mark.parametrize("size", [0, 1, 100, PAGE - 1, PAGE, 5 * PAGE + 17])
def test_a_truncated_database_is_refused_and_left_as_it_is(path: Path, size: int) -> None:
    cut = filled(path)[:size]
    path.write_bytes(cut)
    with pytest.raises(Corrupt) as caught:
        SystemDisk().open_db(path, KEY)
    assert caught.value.hint
    assert path.read_bytes() == cut


def test_a_flipped_bit_is_found(path: Path) -> None:
    whole = filled(path)
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 1
    path.write_bytes(damaged)
    with closing(SystemDisk().open_db(path, KEY)) as db, pytest.raises(apsw.CorruptError):
        db.execute("PRAGMA integrity_check").fetchall()


def test_a_log_without_its_database_is_not_played_into_a_new_one(path: Path) -> None:
    disk = SystemDisk()
    with closing(disk.open_db(path, KEY)) as db:
        migrate(db)
        log = path.with_name("vault.db-wal")
        kept = log.read_bytes()
    path.unlink()
    log.write_bytes(kept)
    with pytest.raises(Corrupt, match="its log"):
        disk.open_db(path, KEY)
    assert log.read_bytes() == kept
    assert not path.exists()


def test_a_creation_that_was_cut_off_is_begun_again(path: Path) -> None:
    path.with_name(".vault.db.new").write_bytes(b"half")
    with closing(SystemDisk().open_db(path, KEY)) as db:
        migrate(db)
    assert [file.name for file in path.parent.iterdir()] == ["vault.db"]


def test_a_folder_or_a_missing_home_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "folder", tmp_path / "missing" / "vault.db"):
        with pytest.raises((Failed, Corrupt)) as caught:
            SystemDisk().open_db(path, KEY)
        assert caught.value.hint


def test_a_store_of_a_newer_program_is_refused_unchanged(path: Path) -> None:
    filled(path, 1)
    with closing(SystemDisk().open_db(path, KEY)) as db:
        db.pragma("user_version", VERSION + 1)
        with pytest.raises(Failed, match="made by a newer p2pchat"):
            migrate(db)
        assert db.pragma("user_version") == VERSION + 1


def test_a_migration_that_fails_leaves_nothing_behind(path: Path) -> None:
    with closing(SystemDisk().open_db(path, KEY)) as db:
        db.execute("CREATE TABLE readers (x)")  # the script meets it half-way through
        with pytest.raises(apsw.SQLError):
            migrate(db)
        assert db.pragma("user_version") == 0
        assert db.execute("SELECT name FROM sqlite_schema").get == "readers"


def test_small_files_are_written_whole_and_read_within_bounds(tmp_path: Path) -> None:
    disk, file = SystemDisk(), tmp_path / "gate.key"
    with pytest.raises(NotFound):
        disk.read(file, 10)
    disk.replace(file, b"0123456789")
    assert disk.read(file, 10) == b"0123456789"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(Corrupt, match="longer than 9"):
        disk.read(file, 9)
    with pytest.raises(Failed):
        disk.read(tmp_path, 9)
