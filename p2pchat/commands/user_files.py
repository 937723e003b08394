"""The user's own files: read and written here, never by the daemon."""

import os
import shlex
import sys
from pathlib import Path

from p2pchat import atomic
from p2pchat.errors import Exists, Failed, NotFound, P2PChatError


def read_file(path: str, limit: int, too_long: P2PChatError) -> bytes:
    """The whole of a file, of a pipe such as the shell's ``<(...)``, or of stdin for ``-``.

    Raises NotFound, Failed for what cannot be read, and ``too_long`` beyond ``limit`` bytes.
    """
    data = sys.stdin.buffer.read(limit + 1) if path == "-" else _read(path, limit + 1)
    if len(data) > limit:
        raise too_long
    return data


def write_file(path: str, data: bytes, *, ours: bytes | None = None) -> None:
    """Write a new file, or one anew that begins with ``ours``; anything else there raises Exists."""
    if not path or path.endswith("/") or Path(path).is_dir():
        raise Failed(f"{path!r} is no name for a file", hint="name a file to write, or - for stdout")
    target = Path(path)
    if os.path.lexists(target) and (ours is None or not _begins_with(target, ours)):
        raise Exists(f"{path} is there already", hint="choose another name, or move that file away")
    if not target.parent.is_dir():
        raise NotFound(f"there is no folder {target.parent}", hint=f"mkdir -p {shlex.quote(str(target.parent))}")
    atomic.replace(target, data)


def _read(path: str, most: int) -> bytes:
    if not path:
        raise NotFound("the name of the file is empty", hint="check the path")
    try:
        with Path(path).open("rb") as file:
            return file.read(most)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL in the name
        raise NotFound(f"there is no file {path}", hint="check the path") from None
    except OSError as error:
        raise Failed(f"cannot read {path}: {error.strerror}", hint=f"ls -l {path}") from error


def _begins_with(path: Path, start: bytes) -> bool:
    return path.is_file() and not path.is_symlink() and _read(str(path), len(start)) == start
