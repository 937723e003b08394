"""A terminal emulator that notes whatever it is made to do beside drawing."""

from typing import Any, Final

import pyte

_EVENTS: Final = pyte.Stream.events
_MEANT: Final = {"draw", "linefeed", "carriage_return"}


class Terminal(pyte.Screen):
    """``acts`` holds every command that reached it, with its arguments: modes, cursor, title, bells, reports."""

    def __init__(self, columns: int = 200, lines: int = 60) -> None:
        self.acts: list[tuple[str, Any]] = []
        super().__init__(columns, lines)
        self.stream = pyte.Stream()
        self.stream.attach(_Watched(self))

    def show(self, text: str) -> None:
        """What a program wrote, as a terminal gets it: with a carriage return before each newline."""
        self.stream.feed(text.replace("\n", "\r\n"))

    def rows(self) -> list[str]:
        """The text of each line, blanks at the end taken off."""
        return [line.rstrip() for line in self.display]

    def left(self, row: int, columns: int) -> str:
        """The first columns of a line."""
        return "".join(self.buffer[row][column].data for column in range(columns))


class _Watched:
    """Passes a stream's events on to the screen, and notes those that no text may cause."""

    def __init__(self, screen: Terminal) -> None:
        self._screen = screen

    def __getattr__(self, event: str) -> Any:
        act = getattr(self._screen, event)
        if event in _MEANT or event not in _EVENTS:
            return act

        def noted(*arguments: Any, **named: Any) -> Any:
            self._screen.acts.append((event, arguments))
            return act(*arguments, **named)

        return noted
