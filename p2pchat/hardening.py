"""Keep the memory of a process that holds keys out of core files and away from debuggers."""

import ctypes
import resource
import sys
from contextlib import suppress
from typing import Final

_PR_SET_DUMPABLE: Final = 4  # linux/prctl.h


def refuse_dumps() -> None:
    """No core file, and on Linux no ptrace and no /proc/PID/mem for other processes of the same user.

    Best effort: a system without these calls runs on. Children inherit the first, and repeat the second.
    """
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
