"""Events on stdout. Into a pipe they go one by one: the next is written when the one before has been taken out."""

import sys
from collections.abc import Iterator
from typing import Final

from p2pchat.commands.ask import Row
from p2pchat.commands.events import print_event
from p2pchat.commands.frame import Settings
from p2pchat.commands.reading import PAGE
from p2pchat.commands.signals import Ended, Signals
from p2pchat.commands.streams import has_reader, output_pipe, unread_bytes

_PAUSE_S: Final = (0.0, 0.000_05, 0.02)  # between two looks at the pipe: at first, then doubled, up to the last


class Printing:
    """``careful``: a reader moves past what was printed, so a line that is still in the pipe is not dealt with yet.

    ``recv | head -3`` then leaves the fourth for the next call, as people expect: the pipe would hold a whole page.
    """

    page: int = PAGE

    def __init__(self, settings: Settings, signals: Signals, *, careful: bool) -> None:
        self.output = output_pipe()
        self._settings = settings
        self._signals = signals
        self._pipe = self.output if careful else None

    def deal(self, events: list[Row], _tries: int) -> Iterator[None]:
        """Print. Raises Ended, BrokenPipeError once nobody reads the pipe, OSError where a file takes no more."""
        if self._pipe is None:
            for event in events:
                print_event(self._settings, event)
            sys.stdout.flush()
            yield from (None for _ in events)
            return
        for event in events:
            self._signals.check()
            print_event(self._settings, event)
            sys.stdout.flush()
            self._await_taken(self._pipe)
            yield

    def _await_taken(self, pipe: int) -> None:
        pause_s = _PAUSE_S[0]
        while unread_bytes(pipe):
            if not has_reader(pipe):
                raise BrokenPipeError
            try:
                self._signals.sleep(pause_s)
            except Ended:
                if unread_bytes(pipe):
                    raise
            pause_s = min(max(2 * pause_s, _PAUSE_S[1]), _PAUSE_S[2])
