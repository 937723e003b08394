"""A disk in memory for simulated nodes: what was committed outlives a crash, an open transaction does not.

SQLite's ``memdb`` keeps a named database while a connection to it is open; the disk holds such an anchor itself. There
is no cipher and no write-ahead log here: a simulation is about the order of events, and a seed in ten runs on the real
disk.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import apsw

from p2pchat.errors import Corrupt, NotFound
from p2pchat.store.disk import settle


@dataclass(eq=False, slots=True)
class _Database:
    anchor: apsw.Connection
    key: bytes
    open: list[apsw.Connection] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Copy:
    """A backup of a ``SimDisk``."""

    databases: dict[Path, apsw.Connection]
    files: dict[Path, bytes]


class SimDisk:
    """``env.Disk``. ``crash`` takes the disk away from a node; after that it serves the node's next life."""

    _made = 0  # memdb names are global to the process

    def __init__(self) -> None:
        SimDisk._made += 1
        self._name: Final = f"sim{SimDisk._made}"
        self._databases: dict[Path, _Database] = {}
        self._files: dict[Path, bytes] = {}
        self.frozen = False

    def open_db(self, path: Path, key: bytes) -> apsw.Connection:
        """Raises Corrupt where the key is another than at first."""
        self._check()
        if path not in self._databases:
            self._databases[path] = _Database(self._connect(path), key)
        database = self._databases[path]
        if database.key != key:
            raise Corrupt(f"{path} cannot be read: it was made with another key")
        database.open.append(self._connect(path))
        return database.open[-1]

    def reader(self, db: apsw.Connection) -> apsw.Connection:
        """The same connection: memdb locks a second one out during a write."""
        return db

    def read(self, path: Path, limit: int) -> bytes:
        self._check()
        if path not in self._files:
            raise NotFound(f"there is no file {path}")
        if len(self._files[path]) > limit:
            raise Corrupt(f"{path} is longer than {limit} bytes")
        return self._files[path]

    def replace(self, path: Path, data: bytes) -> None:
        self._check()
        self._files[path] = data

    def crash(self) -> None:
        """Nothing reaches the disk from now on: connections are gone, what they had not committed is lost."""
        self.frozen = True
        for database in self._databases.values():
            for db in database.open:
                db.close(True)
            database.open.clear()

    def thaw(self) -> None:
        """The node's next life begins."""
        self.frozen = False

    def copy(self) -> "Copy":
        """Everything that is committed now."""
        copies = {}
        for path, database in self._databases.items():
            copies[path] = apsw.Connection(":memory:")
            _pour(database.anchor, copies[path])
        return Copy(copies, dict(self._files))

    def put_back(self, copy: "Copy") -> None:
        """The disk is as it was: what was written since is gone."""
        self._files = dict(copy.files)
        for path, db in copy.databases.items():
            _pour(db, self._databases[path].anchor)

    def sql(self, path: Path, statement: str) -> None:
        """Change a database while no node uses it."""
        self._databases[path].anchor.execute(statement)

    def change_channels(self, path: Path, change: Callable[[bytes], bytes]) -> None:
        """Put other states in place of the channels' in a vault's store."""
        db = self._databases[path].anchor
        for contact, state in list(db.execute("SELECT contact, state FROM channels")):
            db.execute("UPDATE channels SET state = ? WHERE contact = ?", (change(state), contact))

    def close(self) -> None:
        """Give the memory back."""
        self.crash()
        for database in self._databases.values():
            database.anchor.close()
        self._databases.clear()

    def _check(self) -> None:
        if self.frozen:
            raise OSError("the simulated disk is frozen: its node has crashed")

    def _connect(self, path: Path) -> apsw.Connection:
        name = hashlib.sha256(str(path).encode()).hexdigest()[:16]
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
        db = apsw.Connection(f"file:/{self._name}/{name}?vfs=memdb", flags)
        settle(db)
        return db


def _pour(source: apsw.Connection, target: apsw.Connection) -> None:
    with target.backup("main", source, "main") as backup:
        backup.step()
