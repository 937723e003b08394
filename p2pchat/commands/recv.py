"""``recv``: every event is printed once; a reader moves only past what has left this process."""

import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Final, cast

import click

from p2pchat import limits
from p2pchat.commands import candidates
from p2pchat.commands.arguments import Seconds, text_argument
from p2pchat.commands.ask import Row, ask, client, given
from p2pchat.commands.events import print_event
from p2pchat.commands.frame import Settings, pass_settings, verb
from p2pchat.commands.streams import output_pipe
from p2pchat.errors import TimedOut
from p2pchat.rpc.client import OutputGone
from p2pchat.rpc.jsonlines import SAFE_INTEGER

_PAGE: Final = 64  # events a call (rpc/methods.py)
_WAIT_S: Final = 30.0
_CONFIRM_S: Final = 2.0  # at the end; an event that is not confirmed comes again
_RETURN_S: Final = 60.0  # how long a follower waits for a daemon that was stopped to be started again


@verb("recv", "p2pchat recv --follow", "p2pchat recv --json --reader backup | jq -r .text")
@click.option("--follow", is_flag=True, help="Go on as events come, until interrupted.")
@click.option(
    "--from", "from_", metavar="PEER", help="Only what this contact caused.", shell_complete=candidates.contacts
)
@click.option("--all", "all_", is_flag=True, help="All types of events, not messages alone.")
@click.option(
    "--since", type=click.IntRange(0), metavar="CURSOR", help="What follows CURSOR (0: all); moves no reader."
)
@click.option("--reader", metavar="NAME", help="Go on where this reader stopped (cli).")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="End after N events.")
@click.option("--timeout", "timeout_s", type=Seconds(0), metavar="S", help="Wait so many seconds for events.")
@click.option("--peek", is_flag=True, help="Move no reader.")
@pass_settings
def recv(
    settings: Settings,
    follow: bool,
    from_: str | None,
    all_: bool,
    since: int | None,
    reader: str | None,
    limit: int | None,
    timeout_s: float | None,
    peek: bool,
) -> None:
    """Print what has come in since the last call, oldest first."""
    if since is not None and reader is not None:
        raise click.UsageError("--since moves no reader: leave --reader out")
    if since is not None and since > SAFE_INTEGER:
        raise click.UsageError("no cursor is so large")
    for name, value in (("--from", from_), ("--reader", reader)):
        if value is not None:
            text_argument(name, value, limits.NICKNAME_BYTES if name == "--from" else 128)
    if timeout_s is not None and limit is None and not follow:
        limit = 1
    params = given(reader=reader, since=since, peek=peek or None, from_=from_, all=all_ or None)
    end_s = None if timeout_s is None else time.monotonic() + timeout_s
    reading = _Reading(settings, params, limit, follow, end_s)
    reading.run()
    if timeout_s is not None and reading.printed == 0:
        raise TimedOut("nothing came in time", hint="p2pchat status")


@dataclass(slots=True)
class _Reading:
    settings: Settings
    params: Mapping[str, object]
    limit: int | None
    follow: bool
    end_s: float | None  # monotonic
    printed: int = 0
    after: int | None = None  # cursor of the last event that was printed
    confirmed: int | None = None
    signals: "_Signals" = field(default_factory=lambda: _Signals())  # noqa: PLW0108 - it stands below

    def run(self) -> None:
        """Print until there is no more, or the limit, the time or a signal ends it; then confirm what was printed."""
        try:
            with self.signals.caught():
                for events in self._pages():
                    self._print(events)
        except (BrokenPipeError, OutputGone):  # the reader of our output has gone, but had the pages before
            client(self.settings).output = None
            self._confirm()
            raise BrokenPipeError from None
        self._confirm()
        if self.signals.number is not None:
            raise click.exceptions.Exit(128 + self.signals.number)

    def _pages(self) -> Iterator[list[Row]]:
        """Pages of events; each call confirms the page before it."""
        if self.follow:
            client(self.settings).patience_s = _RETURN_S
        client(self.settings).output = output_pipe()  # a quiet hour must not keep us after `| head -1` has ended
        while self.limit is None or self.printed < self.limit:
            wait_s = self._wait_s()
            room = _PAGE if self.limit is None else min(_PAGE, self.limit - self.printed)
            after = self.after
            params = {**self._position(), "limit": room, "wait_ms": int(wait_s * 1000)}
            with self.signals.ending():
                events = cast(list[Row], ask(self.settings, "event.next", params, wait_s=wait_s)["events"])
            self.confirmed = after
            if events:
                yield events
            elif (not self.follow and wait_s == 0) or self._is_over():
                return

    def _position(self) -> dict[str, object]:
        if self.after is None:
            return dict(self.params)
        if "since" in self.params:
            return {**self.params, "since": self.after}
        return {**self.params, "after": self.after}

    def _wait_s(self) -> float:
        if self.end_s is not None:
            return min(_WAIT_S, max(0.0, self.end_s - time.monotonic()))
        return _WAIT_S if self.follow else 0.0

    def _is_over(self) -> bool:
        return self.end_s is not None and time.monotonic() >= self.end_s

    def _print(self, events: list[Row]) -> None:
        for event in events:
            print_event(self.settings, event)
        sys.stdout.flush()
        self.printed += len(events)
        self.after = cast(int, events[-1]["cursor"])

    def _confirm(self) -> None:
        """Move the reader past the last printed event, where no call has done so."""
        if self.after is None or self.after == self.confirmed or "since" in self.params or "peek" in self.params:
            return
        client(self.settings).patience_s = _CONFIRM_S
        ask(self.settings, "event.next", {**self.params, "after": self.after, "limit": 0})


@dataclass(slots=True)
class _Signals:
    """SIGINT and SIGTERM end a wait at once, but never come between printing and confirming."""

    number: int | None = None
    waiting: bool = False

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Inside, a signal raises only within ``ending``. One that the parent set to be ignored stays so."""
        heard = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) is not signal.SIG_IGN]
        before = {number: signal.signal(number, self._note) for number in heard}
        try:
            yield
        except _Ended:
            pass
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def ending(self) -> Iterator[None]:
        self.waiting = True
        try:
            if self.number is not None:
                raise _Ended
            yield
        finally:
            self.waiting = False

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.number = number
        if self.waiting:
            self.waiting = False  # a second signal must not come into the clean-up of the first
            raise _Ended


class _Ended(Exception):
    """A signal came while nothing was at stake."""
