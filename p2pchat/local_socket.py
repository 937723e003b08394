"""Unix sockets at paths of any length.

The kernel takes 108 bytes (macOS: 104) in ``sun_path``. A longer path is named through an open directory,
``/proc/self/fd/N/name``, or, where there is no ``/proc``, from inside that directory. Blocking, and standard
library only.
"""

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from p2pchat.errors import Failed

SUN_PATH_BYTES: Final = 103  # macOS's 104 less the final NUL: the smallest of the systems we serve
BACKLOG: Final = 128  # callers wait here while vault and gate start again


def connect(path: Path, *, timeout_s: float) -> socket.socket:
    """Connect to the socket at ``path``; the result keeps ``timeout_s`` for every later call.

    Raises FileNotFoundError or ConnectionRefusedError where nobody listens, and other OSErrors as they come.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout_s)
        with _short_name(path) as name:
            sock.connect(name)
    except BaseException:  # an interrupt, too, leaves no socket
        sock.close()
        raise
    return sock


def listen(path: Path) -> socket.socket:
    """Bind a fresh socket at ``path``, mode 0600 from its first moment.

    The caller holds the home's lock, so a socket that is there already is a dead daemon's and goes. Anything
    else at that name was planted or put there by mistake: raises Failed, as for every error of the system.
    """
    _remove_stale(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        with _short_name(path) as name:
            sock.bind(name)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise Failed(f"cannot make the socket {path}: {error.strerror}", hint=f"ls -ld {path.parent}") from error
    finally:
        os.umask(mask)
    return sock


def _remove_stale(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        what = "a symbolic link" if stat.S_ISLNK(mode) else "no socket"
        raise Failed(f"{path} is {what}; it will not be followed or replaced", hint=f"look at it, then: rm {path}")
    path.unlink()


@contextmanager
def _short_name(path: Path) -> Iterator[str]:
    if len(os.fsencode(path)) <= SUN_PATH_BYTES:
        yield str(path)
        return
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if Path("/proc/self/fd").is_dir():
            yield f"/proc/self/fd/{directory}/{path.name}"
        else:
            with _working_directory(directory):
                yield path.name
    finally:
        os.close(directory)


@contextmanager
def _working_directory(directory: int) -> Iterator[None]:
    before = os.open(".", os.O_RDONLY)
    os.fchdir(directory)
    try:
        yield
    finally:
        os.fchdir(before)
        os.close(before)
