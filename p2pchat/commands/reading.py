"""Going through the event log page by page, and moving a reader past what was dealt with (``event.next``)."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, cast

import click

from p2pchat.commands.ask import Row, ask, client
from p2pchat.commands.frame import Settings
from p2pchat.commands.signals import Signals
from p2pchat.rpc.client import OutputGone

PAGE: Final = 64  # events a call, at most (rpc/methods.py)
_WAIT_S: Final = 30.0
_CONFIRM_S: Final = 2.0  # at the end; an event that is not confirmed comes again
_RETURN_S: Final = 60.0  # how long a follower waits for a daemon that was stopped to be started again


@dataclass(frozen=True, slots=True)
class Wish:
    """What to read. ``params`` go to ``event.next`` as they are: reader, since, peek, from, all."""

    params: Mapping[str, object]
    limit: int | None  # events
    follow: bool
    end_s: float | None  # monotonic

    @property
    def moves(self) -> bool:
        """Whether a reader moves past what was dealt with."""
        return "since" not in self.params and "peek" not in self.params

    @property
    def left_s(self) -> float | None:
        return None if self.end_s is None else max(0.0, self.end_s - time.monotonic())


class Sink(Protocol):
    """Where events go."""

    page: int  # events that may be asked for at once; those of a page are confirmed together
    output: int | None  # a pipe whose reader may go away while nothing is written

    def deal(self, events: list[Row], tries: int) -> Iterator[None]:
        """Deal with the events in order; each step says that one more is dealt with, for good.

        ``tries``: how often dealing with the first one has failed before. May raise ``Ended``.
        """


@dataclass(slots=True)
class Reading:
    settings: Settings
    wish: Wish
    sink: Sink
    signals: Signals
    dealt: int = 0  # events
    _after: int | None = None  # cursor of the last one
    _confirmed: int | None = None
    _tries: int = 0

    def run(self) -> None:
        """Read until there is no more, or the limit, the time or a signal ends it; then confirm what was dealt with."""
        try:
            with self.signals.caught():
                for events in self._pages():
                    for event, _ in zip(events, self.sink.deal(events, self._tries), strict=True):
                        self._after = cast(int, event["cursor"])
                        self.dealt += 1
        except (BrokenPipeError, OutputGone):  # the reader of our output has gone, but had what came before
            client(self.settings).output = None
            self._confirm()
            raise BrokenPipeError from None
        self._confirm()
        if self.signals.number is not None:
            raise click.exceptions.Exit(128 + self.signals.number)

    def _pages(self) -> Iterator[list[Row]]:
        """Pages of events; each call confirms the page before it."""
        if self.wish.follow:
            client(self.settings).patience_s = _RETURN_S
        client(self.settings).output = self.sink.output  # a quiet hour must not keep us after `| head -1` has ended
        while self.wish.limit is None or self.dealt < self.wish.limit:
            wait_s = self._wait_s()
            room = self.sink.page if self.wish.limit is None else min(self.sink.page, self.wish.limit - self.dealt)
            after = self._after
            params = {**self._position(), "limit": room, "wait_ms": int(wait_s * 1000)}
            with self.signals.ending():
                answer = ask(self.settings, "event.next", params, wait_s=wait_s)
            self._confirmed = after
            self._tries = cast(int, answer.get("tries", 0))
            if events := cast(list[Row], answer["events"]):
                yield events
            elif (not self.wish.follow and wait_s == 0) or self.wish.left_s == 0:
                return

    def _position(self) -> dict[str, object]:
        if self._after is None:
            return dict(self.wish.params)
        return {**self.wish.params, "since" if "since" in self.wish.params else "after": self._after}

    def _wait_s(self) -> float:
        left_s = self.wish.left_s
        if left_s is not None:
            return min(_WAIT_S, left_s)
        return _WAIT_S if self.wish.follow else 0.0

    def _confirm(self) -> None:
        """Move the reader past the last event, where no call has done so."""
        if self._after is None or self._after == self._confirmed or not self.wish.moves:
            return
        client(self.settings).patience_s = _CONFIRM_S
        ask(self.settings, "event.next", {**self.wish.params, "after": self._after, "limit": 0})
