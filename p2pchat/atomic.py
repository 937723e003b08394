"""Small private files that are old or new after a crash, never between."""

import errno
import os
from pathlib import Path

from p2pchat.errors import DiskFull, Failed


def replace(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` atomically and durably, mode 0600; a link there is replaced, not followed.

    Raises DiskFull, or Failed where the directory cannot be written.
    """
    try:
        _replace(path, data)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull(f"no room to write {path}", hint="free some space and try again") from error
        raise Failed(f"cannot write {path}: {error.strerror}", hint=f"ls -ld {path.parent}") from error


def _replace(path: Path, data: bytes) -> None:
    import tempfile  # 3 ms, which verbs that write nothing do not pay

    fd, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600 from its first moment
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:  # an interrupt, too, leaves no half-written file
        Path(name).unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)  # the new name itself survives a power cut
    finally:
        os.close(directory)
