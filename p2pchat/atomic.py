"""Small private files that are old or new after a crash, never between, and directories that outlive a power cut."""

import errno
import fcntl
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from p2pchat.errors import DiskFull, Failed

NO_ROOM: Final = {errno.ENOSPC, errno.EDQUOT}


def replace(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` atomically and durably, mode 0600; a link there is replaced, not followed.

    Raises DiskFull, or Failed where the directory cannot be written.
    """
    replace_all([(path, data)])


def replace_all(files: Sequence[tuple[Path, bytes]]) -> None:
    """The same for several: none is replaced before all are on the disk. Raises as ``replace``."""
    try:
        _replace_all(files)
    except OSError as error:
        name = files[0][0] if len(files) == 1 else files[0][0].parent
        if error.errno in NO_ROOM:
            raise DiskFull(f"no room to write {name}", hint="free some space and try again") from error
        raise Failed(f"cannot write {name}: {error.strerror}", hint=f"ls -ld {files[0][0].parent}") from error


def make_directory(path: Path) -> None:
    """Make ``path`` (mode 0700), and the parents that it lacks, so that they are there after a power cut.

    One that is there already is confirmed too: whoever made it may have been cut off before that. Raises OSError.
    """
    if not path.parent.is_dir():
        make_directory(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Confirm the names in ``path``: without this a file's new name may not survive a power cut. Raises OSError."""
    try:
        directory = os.open(path, os.O_RDONLY)
    except PermissionError:  # one may make names in a directory that one may not read, but not confirm them
        return
    try:
        _sync(directory)
    finally:
        os.close(directory)


def _sync(fd: int) -> None:
    if sys.platform == "darwin":
        with suppress(OSError):  # a file system on a network may not know it
            fcntl.fcntl(fd, fcntl.F_FULLFSYNC)  # fsync alone leaves it in the drive's cache there
            return
    os.fsync(fd)


def _replace_all(files: Sequence[tuple[Path, bytes]]) -> None:
    import tempfile  # 3 ms, which verbs that write nothing do not pay

    prepared: list[tuple[Path, Path]] = []
    try:
        for path, data in files:
            fd, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600 from its first moment
            prepared.append((Path(name), path))
            with os.fdopen(fd, "wb") as file:
                file.write(data)
                file.flush()
                _sync(file.fileno())
        while prepared:
            prepared[0][0].replace(prepared[0][1])
            del prepared[0]
    finally:  # an interrupt, too, leaves no half-written file
        for rest, _ in prepared:
            rest.unlink(missing_ok=True)
    for folder in {path.parent for path, _ in files}:
        sync_directory(folder)
