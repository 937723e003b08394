"""Signals as something to wait for beside sockets."""

import signal
import socket
from types import FrameType
from typing import Final

ENDING: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Signals:
    """Catches the signals that ask the daemon to end. Readable (``fileno``) once one came; used in the main thread."""

    def __init__(self) -> None:
        self._readable, self._writable = socket.socketpair()
        self._readable.setblocking(False)
        self._writable.setblocking(False)
        signal.set_wakeup_fd(self._writable.fileno(), warn_on_full_buffer=False)
        for number in ENDING:
            signal.signal(number, _noted)

    def fileno(self) -> int:
        return self._readable.fileno()

    def close(self) -> None:
        """Further signals are ignored: the end that they ask for is under way."""
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)
        signal.set_wakeup_fd(-1)
        self._readable.close()
        self._writable.close()


def _noted(number: int, frame: FrameType | None) -> None:
    """The wake-up descriptor carries the news; without a handler the default would end the process."""
