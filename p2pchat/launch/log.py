"""The daemon's log: what the three processes write to standard error, one file of bounded age and size."""

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from p2pchat.errors import Failed

ROTATE_BYTES: Final = 1024 * 1024
LOOK_S: Final = 60.0  # between two looks at its length, while the daemon runs


def opened(path: Path, *, rotate: bool) -> int:
    """A descriptor that appends to the log; with ``rotate`` a long one is first moved to ``NAME.1``. Raises Failed."""
    try:
        if rotate and path.exists() and path.stat().st_size > ROTATE_BYTES:
            path.replace(path.with_name(path.name + ".1"))
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Failed(f"cannot write the log {path}: {error.strerror}", hint=f"ls -ld {path.parent}") from error


def shorten(path: Path) -> None:
    """Keep the end of a log that has grown long in ``NAME.1``, and empty it in place: three processes hold it open.

    A line that is written between the two acts is lost. Nothing happens where standard error is not this log (a
    daemon in the foreground), nor where the disk does not take it: then the next look does it.
    """
    with suppress(OSError), path.open("r+b") as file:
        status = os.fstat(file.fileno())
        if status.st_size <= ROTATE_BYTES or not os.path.samestat(status, os.fstat(sys.stderr.fileno())):
            return
        file.seek(-ROTATE_BYTES, os.SEEK_END)
        file.readline()  # what is left of a line
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(path.with_name(path.name + ".1"), flags, 0o600), "wb") as old:  # noqa: PTH123 - a descriptor
            old.write(file.read(2 * ROTATE_BYTES))
        file.truncate(0)


def say(sentence: str) -> None:
    """One line of the launcher's, with its time (UTC)."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    with suppress(OSError):  # a full disk or a closed terminal must not end the daemon
        sys.stderr.write(f"{stamp} launcher: {sentence}\n")
        sys.stderr.flush()
