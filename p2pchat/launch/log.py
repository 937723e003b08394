"""The daemon's log: what the three processes write to standard error, one file of bounded age and size."""

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from p2pchat.errors import Failed

ROTATE_BYTES: Final = 1024 * 1024


def opened(path: Path, *, rotate: bool) -> int:
    """A descriptor that appends to the log; with ``rotate`` a long one is first moved to ``NAME.1``. Raises Failed."""
    try:
        if rotate and path.exists() and path.stat().st_size > ROTATE_BYTES:
            path.replace(path.with_name(path.name + ".1"))
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Failed(f"cannot write the log {path}: {error.strerror}", hint=f"ls -ld {path.parent}") from error


def say(sentence: str) -> None:
    """One line of the launcher's, with its time (UTC)."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    with suppress(OSError):  # a full disk or a closed terminal must not end the daemon
        sys.stderr.write(f"{stamp} launcher: {sentence}\n")
        sys.stderr.flush()
