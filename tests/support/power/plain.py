"""The same for small files: every call of ``os`` that changes a name or syncs, below one directory.

It takes the place of the functions in ``os`` while it is installed, so it sees whatever the program does to a home,
through ``pathlib`` and ``tempfile`` too. Data written through a file object is seen where it matters: when the file is
synced, or gets its name.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.support.power.faults import Faults
from tests.support.power.trace import Sync, SyncDirectory, Trace, Truncate, Write


class PlainFiles:
    """Records into ``trace``; ``faults`` counts writes (a new file, a name, a whole file's data) and syncs."""

    def __init__(self, trace: Trace, faults: Faults | None = None) -> None:
        self.trace, self.faults = trace, faults or Faults()
        self._open: dict[int, Path] = {}  # descriptors below the root
        self._seen: dict[int, bytes] = {}  # what was recorded of each file
        self._real: dict[str, Callable[..., Any]] = {}

    @contextmanager
    def installed(self) -> Iterator["PlainFiles"]:
        ours = (
            self.open,
            self.close,
            self.fdopen,
            self.fsync,
            self.rename,
            self.replace,
            self.unlink,
            self.mkdir,
        )
        self._real = {function.__name__: getattr(os, function.__name__) for function in ours}
        with patch.multiple(os, **{function.__name__: function for function in ours}):  # type: ignore[arg-type]
            yield self

    def open(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        name = self._below(path)
        if name is not None and flags & os.O_CREAT:
            self._strike("write", name)
        fd: int = self._real["open"](path, flags, mode, dir_fd=dir_fd)
        self._open.pop(fd, None)  # the number of a file object that closed itself
        if name is not None:
            self._open[fd] = name
            if flags & os.O_CREAT and name not in self.trace.live:
                self.trace.create(name)
        return fd

    def close(self, fd: int) -> None:
        self._open.pop(fd, None)
        self._real["close"](fd)

    def fdopen(self, fd: int, *args: Any, **kwargs: Any) -> Any:
        if fd in self._open:
            self._strike("write", self._open[fd])
        return self._real["fdopen"](fd, *args, **kwargs)

    def fsync(self, fd: Any) -> None:
        name = self._open.get(fd if isinstance(fd, int) else fd.fileno())
        if name is None:
            self._real["fsync"](fd)
            return
        error = self.faults.strikes("sync")
        if name in self.trace.live:
            self._look(name)
            self.trace.note(Sync(self.trace.live[name], ok=not error))
        elif not error:
            self.trace.note(SyncDirectory(name))
        if error:
            raise OSError(error, os.strerror(error), str(name))

    def rename(self, old: Any, new: Any, **directories: Any) -> None:
        self._moved("rename", old, new, directories)

    def replace(self, old: Any, new: Any, **directories: Any) -> None:
        self._moved("replace", old, new, directories)

    def unlink(self, path: Any, *, dir_fd: int | None = None) -> None:
        self._real["unlink"](path, dir_fd=dir_fd)
        name = self._below(path)
        if name is not None:
            self.trace.unlink(name)

    def mkdir(self, path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        name = self._below(path)
        if name is not None:
            self._strike("write", name)
        self._real["mkdir"](path, mode, dir_fd=dir_fd)
        if name is not None:
            self.trace.directory(name)

    def _moved(self, call: str, old: Any, new: Any, directories: dict[str, Any]) -> None:
        before, after = self._below(old), self._below(new)
        if before is not None:
            self._strike("write", before)
            if before in self.trace.live:
                self._look(before)
        self._real[call](old, new, **directories)
        if before is not None and after is not None and before in self.trace.live:
            self.trace.rename(before, after)

    def _look(self, name: Path) -> None:
        """Record the data that a file object wrote since the last look; SQLite's files record their own."""
        number, data = self.trace.live[name], name.read_bytes()
        if number not in self._seen and any(
            isinstance(operation, Write) and operation.file == number for operation in self.trace.operations
        ):
            return
        if self._seen.get(number) != data:
            self._seen[number] = data
            self.trace.note(Truncate(number, 0))
            self.trace.note(Write(number, 0, data))

    def _below(self, path: Any) -> Path | None:
        """The path where it is the traced directory or lies below it; its descriptors open no other file."""
        if isinstance(path, int):
            return None
        name = Path(os.fspath(path))
        return name if name.is_absolute() and name.is_relative_to(self.trace.root) else None

    def _strike(self, call: Any, name: Path) -> None:
        error = self.faults.strikes(call)
        if error:
            raise OSError(error, os.strerror(error), str(name))


def no_room(_call: str, _number: int) -> int:
    """``Faults.fail`` of a disk that is full."""
    return errno.ENOSPC
