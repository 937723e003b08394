"""A file layer for SQLite that fails on demand, and a power cut: what was written but not synced is gone.

The cipher stands above it, as above the system's own (``multipleciphers-NAME``).
"""

import errno
import itertools
from dataclasses import dataclass, field
from pathlib import Path

import apsw

_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Undo:
    """How a file was before a write that is not synced yet."""

    offset: int
    before: bytes
    size: int


@dataclass(eq=False)
class Faults:
    """What the next calls do, and what a power cut would take."""

    writes_fail: type[apsw.Error] | None = None
    syncs_fail: bool = False
    unsynced: dict[str, list[Undo]] = field(default_factory=dict)

    def cut_power(self, folder: Path, target: Path) -> None:
        """Write into ``target`` the files of ``folder`` as they would be found after a power cut at this moment."""
        for file in folder.iterdir():
            if not file.name.endswith("-shm"):  # shared memory: gone
                data = bytearray(file.read_bytes())
                for undo in reversed(self.unsynced.get(str(file), [])):
                    data[undo.offset : undo.offset + len(undo.before)] = undo.before
                    del data[undo.size :]
                (target / file.name).write_bytes(data)


class _File(apsw.VFSFile):
    def __init__(self, faults: Faults, name: str, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        self._faults = faults
        self._name = name

    def xWrite(self, data: bytes, offset: int) -> None:
        if self._faults.writes_fail is not None:
            raise self._faults.writes_fail("injected")
        size = self.xFileSize()
        before = self.xRead(min(len(data), size - offset), offset) if offset < size else b""
        self._note(Undo(offset, before, size))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:
        size = self.xFileSize()
        before = self.xRead(size - newsize, newsize) if newsize < size else b""
        self._note(Undo(newsize, before, size))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:
        if self._faults.syncs_fail:
            raise apsw.IOError("injected")
        super().xSync(flags)
        self._faults.unsynced.pop(self._name, None)

    def _note(self, undo: Undo) -> None:
        self._faults.unsynced.setdefault(self._name, []).append(undo)


class FaultyVfs(apsw.VFS):
    """Registered while it lives; ``name`` is what to open a connection with."""

    def __init__(self, faults: Faults) -> None:
        bare = f"faulty{next(_numbers)}"
        super().__init__(bare, "unix")
        self.name = f"multipleciphers-{bare}"
        self._faults = faults

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        if path is None:
            raise OSError(errno.EINVAL, "a temporary file: temp_store should be memory")
        return _File(self._faults, path, flags)
