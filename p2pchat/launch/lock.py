"""The lock on a home: one daemon at a time, from the launcher's first step to its children's last.

The launcher holds ``flock`` on ``home/lock`` and its children inherit the open file. So the lock is free when all three
have ended, however they ended. The file holds the launcher's pid, for messages and for ``daemon stop``.
"""

import fcntl
import os
import time
from pathlib import Path
from typing import Final

from p2pchat.errors import AlreadyRunning, Failed

RETRY_S: Final = 0.25  # longer than ``holder`` holds the lock to try it
ORPHANS_S: Final = 5.0  # longer than children need to end after their launcher (2 s, then its successor waits)
_POLL_S: Final = 0.02


def acquire(path: Path) -> int:
    """Take the lock, write our pid into it, and return the open descriptor, which nobody closes.

    Waits a moment for the children of a launcher that has just died. Raises AlreadyRunning, or Failed where the file
    cannot be opened.
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Failed(f"cannot open the lock {path}: {error.strerror}", hint=f"ls -l {path}") from error
    started = time.monotonic()
    while not _try(fd):
        pid = _pid(fd)
        waited = time.monotonic() - started
        if waited > (RETRY_S if _alive(pid) else ORPHANS_S):
            os.close(fd)
            who = f"process {pid}" if pid else "a process that has not told its number"
            raise AlreadyRunning(f"a daemon is running in this home already ({who})", hint="p2pchat daemon status")
        time.sleep(_POLL_S)
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
    return fd


def holder(path: Path) -> int | None:
    """The pid of the running launcher; None where the lock is free.

    0 where it is held by none that can be named: a launcher that is about to write its pid, or the children of one
    that has died, which are ending.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if _try(fd):
            return None
        pid = _pid(fd)
        return pid if _alive(pid) else 0
    finally:
        os.close(fd)


def _try(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pid(fd: int) -> int:
    word = os.pread(fd, 32, 0).decode("ascii", "replace").strip()
    return int(word) if word.isdecimal() and len(word) < 12 else 0


def _alive(pid: int) -> bool:
    """Whether a process of that number lives; 0, a launcher between lock and pid, counts as alive."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not (pid and _zombie(pid))


def _zombie(pid: int) -> bool:
    """Ended, but nobody has asked how: so it stays in a container whose first process is no init."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:  # no /proc, or gone by now
        return False
    return state[:1] == ["Z"]
