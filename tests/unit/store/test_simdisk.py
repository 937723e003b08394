"""The simulation's disk keeps what a real one keeps, and loses what a crash loses."""

from pathlib import Path

import apsw
import pytest

from p2pchat.errors import Corrupt, NotFound
from tests.support.simdisk import SimDisk

VAULT, GATE, KEY = Path("/vault.db"), Path("/gate.db"), bytes(32)


def rows(db: apsw.Connection) -> list[int]:
    return [row[0] for row in db.execute("SELECT x FROM t ORDER BY x")]


def test_a_crash_keeps_commits_and_drops_the_open_transaction(disk: SimDisk) -> None:
    db = disk.open_db(VAULT, KEY)
    db.execute("CREATE TABLE t (x); INSERT INTO t VALUES (1)")
    db.execute("BEGIN; INSERT INTO t VALUES (2)")
    disk.replace(Path("/file"), b"data")
    disk.crash()
    with pytest.raises(apsw.ConnectionClosedError):
        db.execute("COMMIT")
    with pytest.raises(OSError, match="frozen"):
        disk.replace(Path("/file"), b"later")
    disk.thaw()
    assert rows(disk.open_db(VAULT, KEY)) == [1]
    assert disk.read(Path("/file"), 4) == b"data"


def test_databases_and_disks_are_apart(disk: SimDisk) -> None:
    other = SimDisk()
    for number, db in enumerate((disk.open_db(VAULT, KEY), disk.open_db(GATE, KEY), other.open_db(VAULT, KEY))):
        db.execute("CREATE TABLE t (x)")
        db.execute("INSERT INTO t VALUES (?)", (number,))
        assert rows(disk.reader(db)) == [number]
    other.close()


def test_another_key_and_files_out_of_bounds_are_refused(disk: SimDisk) -> None:
    disk.open_db(VAULT, KEY)
    with pytest.raises(Corrupt, match="another key"):
        disk.open_db(VAULT, b"k" * 32)
    with pytest.raises(NotFound):
        disk.read(Path("/file"), 9)
    disk.replace(Path("/file"), b"data")
    with pytest.raises(Corrupt, match="longer than 3"):
        disk.read(Path("/file"), 3)
