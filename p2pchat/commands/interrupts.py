"""Ctrl-C and its like as a wish that is looked at between two waits, where stopping half-way would leave things behind.

An exception out of a signal handler can strike between "process started" and "process known". Here the handler only
takes a note; the work checks it at every point from which it can be undone.
"""

import signal
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Final, Self

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(Exception):
    """The user or the system wants an end. ``status`` is what a shell reports then: 128 + the signal."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


class Interrupts:
    """While entered, no signal ends the process; ``check`` raises Interrupted once one has come."""

    def __init__(self) -> None:
        self._came: int | None = None
        self._before: dict[int, object] = {}

    def __enter__(self) -> Self:
        for number in SIGNALS:
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, _type: type[BaseException] | None, _value: object, _trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            with suppress(TypeError):  # a handler that was not installed from Python cannot be put back
                signal.signal(number, handler)  # type: ignore[arg-type]

    def check(self) -> None:
        if self._came is not None:
            raise Interrupted(self._came)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._came = number
