"""A file layer for SQLite that records what is asked of the disk and fails on demand.

The cipher stands above it, as above the system's own (``multipleciphers-NAME``). It does not sync in truth: the machine
under the test loses no power, and the record is what counts.
"""

import errno
import itertools
from pathlib import Path
from typing import Final

import apsw

from tests.support.power.faults import Call, Faults, as_sqlite
from tests.support.power.trace import Sync, SyncDirectory, Trace, Truncate, Write

_numbers = itertools.count()
_JOURNALS: Final = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL


class _File(apsw.VFSFile):
    def __init__(self, vfs: "RecordingVfs", path: Path, flags: list[int]) -> None:
        super().__init__("unix", str(path), flags)
        self._vfs, self._trace, self._faults, self._path = vfs, vfs.trace, vfs.faults, path
        self._number = self._trace.live[path] if path in self._trace.live else self._trace.create(path)
        # SQLite syncs the directory, too, with the first sync of a journal or log that it opened so as to create it,
        # also where it was there (os_unix.c, UNIXFILE_DIRSYNC).
        self._names_unsynced = bool(flags[0] & _JOURNALS and flags[0] & apsw.SQLITE_OPEN_CREATE)

    def xRead(self, amount: int, offset: int) -> bytes:
        self._strike("read")
        data = super().xRead(amount, offset)
        return data[: amount // 2] if self._faults.made["read"] == self._faults.short_read else data

    def xWrite(self, data: bytes, offset: int) -> None:
        if self._vfs.dead:
            return
        self._strike("write")
        super().xWrite(data, offset)
        self._trace.note(Write(self._number, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:
        if self._vfs.dead:
            return
        self._strike("write")
        super().xTruncate(newsize)
        self._trace.note(Truncate(self._number, newsize))

    def xSync(self, flags: int) -> None:
        if self._vfs.dead:
            return
        error = self._faults.strikes("sync")
        self._trace.note(Sync(self._number, ok=not error))
        if error:
            raise as_sqlite("sync", error)
        if self._names_unsynced:
            self._names_unsynced = False
            self._trace.note(SyncDirectory(self._path.parent))

    def _strike(self, call: Call) -> None:
        error = self._faults.strikes(call)
        if error:
            raise as_sqlite(call, error)


class RecordingVfs(apsw.VFS):
    """Registered while it lives; ``name`` is what to open a connection with.

    ``dead``: its process was killed; what its connections do while they are taken down reaches nothing.
    """

    def __init__(self, trace: Trace, faults: Faults | None = None) -> None:
        bare = f"recording{next(_numbers)}"
        super().__init__(bare, "unix")
        self.name: Final = f"multipleciphers-{bare}"
        self.trace, self.faults = trace, faults or Faults()
        self.dead = False

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        if path is None:
            raise OSError(errno.EINVAL, "a temporary file: temp_store should be memory")
        return _File(self, Path(path), flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        if self.dead:
            return
        super().xDelete(filename, syncdir)
        self.trace.unlink(Path(filename))
        if syncdir:
            self.trace.note(SyncDirectory(Path(filename).parent))
