"""SIGINT, SIGTERM and SIGHUP while events are dealt with: they end a wait at once and come between nothing else."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Final

_HEARD: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(Exception):
    """A signal came, or the time was up, while nothing was at stake."""


@dataclass(slots=True)
class Signals:
    """``number``: the signal that came, once one has."""

    number: int | None = None
    _waiting: bool = False

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Inside, a signal raises Ended, and that only within ``ending``; Ended ends the block.

        A signal that the parent set to be ignored stays so.
        """
        heard = [number for number in _HEARD if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, self._note) for number in heard}
        try:
            yield
        except Ended:
            pass
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def ending(self) -> Iterator[None]:
        """Around a wait: one that has come already, or comes now, raises Ended."""
        self._waiting = True
        try:
            self.check()
            yield
        finally:
            self._waiting = False

    def check(self) -> None:
        """Raises Ended where a signal has come."""
        if self.number is not None:
            raise Ended

    def sleep(self, seconds: float) -> None:
        """Raises Ended."""
        with self.ending():
            time.sleep(seconds)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.number = number
        if self._waiting:
            self._waiting = False  # a second signal must not come into the clean-up of the first
            raise Ended
