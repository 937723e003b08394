"""``env.Disk`` of a real process: encrypted SQLite databases and small private files.

The cipher is ChaCha20-Poly1305 on every page, so that a flipped bit is found. The key is random already and is given
raw, so that no password function runs. Source: utelle.github.io/SQLite3MultipleCiphers, "ChaCha20".
"""

import contextlib
import os
import shutil
import stat
import sys
from pathlib import Path
from typing import Final
from weakref import WeakKeyDictionary

import apsw

from p2pchat import atomic
from p2pchat.errors import Corrupt, DiskFull, Failed, NotFound

KEY_BYTES: Final = 32
LOG_PAGES: Final = 4096  # 16 MiB: a commit moves the log into the database where spare time never came (Store.tidy)
_READ_WRITE: Final = apsw.SQLITE_OPEN_READWRITE
_READ_ONLY: Final = apsw.SQLITE_OPEN_READONLY
_LEAST_BYTES: Final = 512  # one page of the smallest kind; SQLite takes what is shorter for a new database
_SHARED_BYTES: Final = 32 * 1024  # of NAME-shm, beside every database in WAL mode
_RESTORE: Final = "restore it from a copy of the home"


class SystemDisk:
    """Paths are absolute; files are mode 0600."""

    def __init__(self, vfs: str | None = None) -> None:
        """``vfs``: the name of an SQLite file layer in place of the system's; tests inject faults there."""
        self._vfs = vfs
        # For ``reader``: SQLite does not give a key back, nor a connection's name while another thread works with it.
        self._opened = WeakKeyDictionary[apsw.Connection, tuple[Path, bytes]]()

    def open_db(self, path: Path, key: bytes) -> apsw.Connection:
        """Open the database, or create it whole: a file that is there and empty was cut off, and is never filled.

        Raises Corrupt (wrong key, truncated, damaged), DiskFull, Failed (not readable or writable).
        """
        if not path.exists():
            _refuse_orphan(path)
            _create(path, key, self._vfs)
        db = _open(path, key, _READ_WRITE, self._vfs)
        _settle_log(db, path)
        self._opened[db] = path, key
        return db

    def reader(self, db: apsw.Connection) -> apsw.Connection:
        """A read-only connection that sees what ``db`` has committed."""
        path, key = self._opened[db]
        return _open(path, key, _READ_ONLY, self._vfs)

    def read(self, path: Path, limit: int) -> bytes:
        """The whole file. Raises NotFound, Failed (not readable), Corrupt beyond ``limit`` bytes."""
        try:
            with path.open("rb") as file:
                data = file.read(limit + 1)
        except FileNotFoundError as error:
            raise NotFound(f"there is no file {path}", hint="p2pchat doctor") from error
        except OSError as error:
            raise Failed(f"cannot read {path}: {error.strerror}", hint=f"ls -ld {path}") from error
        if len(data) > limit:
            raise Corrupt(f"{path} is longer than {limit} bytes: it is not what it should be", hint=_RESTORE)
        return data

    def replace(self, path: Path, data: bytes) -> None:
        """See ``atomic.replace``."""
        atomic.replace(path, data)


def _refuse_orphan(path: Path) -> None:
    """A log without its database: SQLite would play it into a new one."""
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        raise Corrupt(
            f"{path} is gone, but its log {log.name} is not", hint=f"put {path.name} back, or move the log away"
        )


def _create(path: Path, key: bytes, vfs: str | None) -> None:
    """Make an empty database under another name, and give it its name once it is whole and on the disk."""
    part = path.with_name(f".{path.name}.new")
    try:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))  # SQLite's companions take its mode
        with contextlib.closing(_connect(part, key, _READ_WRITE, vfs)) as db:
            db.execute("PRAGMA journal_mode = WAL").fetchall()
        part.rename(path)
        atomic.sync_directory(path.parent)
    except OSError as error:
        raise Failed(f"cannot create {path}: {error.strerror}", hint=f"ls -ld {path.parent}") from error
    except apsw.Error as error:
        raise _translated(path, error) from error


def _open(path: Path, key: bytes, flags: int, vfs: str | None) -> apsw.Connection:
    try:
        mode = path.stat()
        if mode.st_size < _LEAST_BYTES or not stat.S_ISREG(mode.st_mode):
            raise Corrupt(f"{path} is no database: it was cut off, or replaced", hint=_RESTORE)
        return _connect(path, key, flags, vfs)
    except OSError as error:
        raise Failed(f"cannot open {path}: {error.strerror}", hint=f"ls -ld {path}") from error
    except apsw.Error as error:
        raise _translated(path, error) from error


def _settle_log(db: apsw.Connection, path: Path) -> None:
    """Move what a crash left in the log into the database before anybody is told of it.

    Where the last sync failed, the system may hold the end of the log in memory, take it for written, and write it
    never: reading it proves nothing. Written anew, into the database, it is on the disk once that sync succeeds.
    """
    try:
        busy = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0][0]
    except apsw.Error as error:
        let_go(db)
        raise _translated(path, error) from error
    if busy:
        let_go(db)
        raise Failed(f"another program holds {path} open", hint=f"lsof {path}")


def _connect(path: Path, key: bytes, flags: int, vfs: str | None) -> apsw.Connection:
    """Open, unlock and settle a connection; the first question to the file proves the key."""
    assert len(key) == KEY_BYTES
    db = apsw.Connection(str(path), flags, vfs)
    try:
        db.execute("PRAGMA cipher = 'chacha20'").fetchall()
        db.execute(f"PRAGMA key = 'raw:{key.hex()}'").fetchall()
        db.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        settle(db)
    except BaseException:
        let_go(db)
        raise
    return db


def let_go(db: apsw.Connection) -> None:
    """Close it, also where the disk fails: the log keeps what was committed for the next start."""
    with contextlib.suppress(apsw.Error):
        db.close()


def settle(db: apsw.Connection) -> None:
    """What every connection of ours says to SQLite."""
    db.pragma("synchronous", "FULL")  # a commit is on the disk, also in WAL mode
    if sys.platform == "darwin":
        db.pragma("fullfsync", 1)  # fsync alone leaves it in the drive's cache there
    db.pragma("wal_autocheckpoint", LOG_PAGES)
    db.pragma("secure_delete", 1)
    db.pragma("foreign_keys", 1)
    db.pragma("temp_store", "memory")  # a sorted result is plaintext
    db.pragma("trusted_schema", 0)
    # Plans do not depend on bound values. Otherwise SQLite (with STAT4 built in) prepares a statement anew whenever
    # values are bound to it, and a lookup takes five times as long.
    db.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)


def _translated(path: Path, error: apsw.Error) -> Corrupt | DiskFull | Failed:
    if isinstance(error, apsw.FullError) or (isinstance(error, apsw.IOError) and _no_room(path.parent)):
        return DiskFull(f"no room to write {path}", hint="free some space and try again")
    if isinstance(error, apsw.NotADBError | apsw.CorruptError):
        return Corrupt(f"{path} cannot be read: it is damaged, or was made with another key", hint=_RESTORE)
    return Failed(f"cannot open {path}: {error}", hint=f"ls -ld {path}")


def _no_room(directory: Path) -> bool:
    """SQLite does not say why it could not make the file that its connections share; the file system does."""
    return shutil.disk_usage(directory).free < _SHARED_BYTES
