"""Where a traceback of the command line goes: the log's folder, or a temporary file where there is no home."""

import contextlib
import os
import tempfile
import traceback
from pathlib import Path

from p2pchat.commands.frame import Settings
from p2pchat.errors import P2PChatError


def record(settings: Settings, raised: BaseException) -> Path:
    """Append the traceback to a private file; return its path."""
    text = "".join(traceback.format_exception(raised))
    with contextlib.suppress(OSError, P2PChatError):
        path = settings.home.log_file.parent / "cli.log"
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        with os.fdopen(fd, "w") as file:
            file.write(text)
        return path
    fd, name = tempfile.mkstemp(prefix="p2pchat-", suffix=".log")
    with os.fdopen(fd, "w") as file:
        file.write(text)
    return Path(name)
