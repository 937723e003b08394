"""The standard streams of this process where whoever started it did not leave them as one expects."""

import fcntl
import os
import select
import stat
import struct
import sys
import termios


def open_missing() -> None:
    """Put something harmless at descriptors 0 to 2 that are closed, or the next file or socket would take their place.

    A closed stdin then reads as empty, and words for a closed stderr are dropped. A closed stdout refuses every write:
    nothing may count as printed that nobody can have seen (``recv``).
    """
    for number, flags in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, flags)
            assert opened == number  # the lowest that is free
            os.set_inheritable(number, True)
    if sys.stdin is None:
        sys.stdin = os.fdopen(0, "r", closefd=False)
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", closefd=False)


def output_pipe() -> int | None:
    """The descriptor of stdout where that is a pipe, whose reader may go away while nothing is written."""
    try:
        number = sys.stdout.fileno()
        mode = os.fstat(number).st_mode
    except (OSError, ValueError):  # ValueError: a stdout that is no file, as under a test
        return None
    return number if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) else None


def unread_bytes(pipe: int) -> int:
    """How much of what was written into a pipe its reader has not taken out yet; 0 where the system does not tell."""
    try:
        (count,) = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))
    except OSError:
        return 0
    return int(count)


def has_reader(pipe: int) -> bool:
    """Whether anybody still holds the other end of a pipe to which ``pipe`` writes."""
    poll = select.poll()
    poll.register(pipe, 0)  # errors are told without asking
    return not poll.poll(0)
