"""Both disks of simulated nodes: after a crash nothing lands, what was committed is there, old copies come back."""

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from tests.support.crash_disk import CrashDisk
from tests.support.sim_node import DiesDisk
from tests.support.simdisk import SimDisk

KEY = bytes(range(32))


@pytest.fixture(params=["memory", "files"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DiesDisk]:
    made: DiesDisk = SimDisk() if request.param == "memory" else CrashDisk(tmp_path / "disk")
    yield made
    made.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "disk" / "store.db"


def numbers(db: apsw.Connection) -> list[int]:
    return [row[0] for row in db.execute("SELECT n FROM t ORDER BY n")]


def test_a_crash_keeps_commits_and_nothing_else(disk: DiesDisk, path: Path) -> None:
    db = disk.open_db(path, KEY)
    db.execute("CREATE TABLE t (n)")
    db.execute("INSERT INTO t VALUES (1)")
    db.execute("BEGIN")
    db.execute("INSERT INTO t VALUES (2)")
    disk.crash()
    with pytest.raises(apsw.ConnectionClosedError):
        db.execute("COMMIT")
    disk.thaw()
    assert numbers(disk.open_db(path, KEY)) == [1]


def test_a_frozen_disk_takes_and_gives_nothing(disk: DiesDisk, path: Path) -> None:
    file = path.with_name("file")
    disk.replace(file, b"before")
    disk.crash()
    with pytest.raises(OSError, match="frozen"):
        disk.replace(file, b"after")
    with pytest.raises(OSError, match="frozen"):
        disk.read(file, 100)
    with pytest.raises(OSError, match="frozen"):
        disk.open_db(path, KEY)
    disk.thaw()
    assert disk.read(file, 100) == b"before"


def test_an_old_copy_can_be_put_back(disk: DiesDisk, path: Path) -> None:
    db = disk.open_db(path, KEY)
    db.execute("CREATE TABLE t (n)")
    db.execute("INSERT INTO t VALUES (1)")
    copy = disk.copy()
    db.execute("INSERT INTO t VALUES (2)")
    disk.crash()
    disk.put_back(copy)
    disk.thaw()
    assert numbers(disk.open_db(path, KEY)) == [1]
