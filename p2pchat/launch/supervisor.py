"""One for all: vault and gate start together, end together, and start again together.

The supervisor waits for four things at once: signals, the unlock child, and what the two children say. It never
parses what came from the network and needs no event loop; everything it does after a wait is quick.
"""

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import Final, NoReturn

from p2pchat.errors import Failed, Locked, P2PChatError
from p2pchat.launch import log
from p2pchat.launch.backoff import EARLY_ENDS, Backoff
from p2pchat.launch.crew import Child, Crew
from p2pchat.launch.log import say
from p2pchat.launch.programs import Programs
from p2pchat.launch.report import Report, listening_on
from p2pchat.launch.signals import Signals
from p2pchat.launch.unlocker import Keys, Unlocker

GRACE_S: Final = 2.0  # to commit and end
READY_S: Final = 120.0  # from the keys to ready: a large store's recovery is the slowest step
HOPELESS: Final = {"CORRUPT"}  # starting again cannot mend it


class _Stop(Exception):
    """Somebody asked the daemon to end."""


@dataclass(frozen=True, slots=True)
class Task:
    """What to keep running, and with what."""

    programs: Programs
    environ: Mapping[str, str]
    rpc: socket.socket
    gate: socket.socket
    rpc_path: Path
    lock_fd: int
    log_file: Path
    listen: tuple[str, ...] = ()  # what --listen asked for
    relock_on_crash: bool = False
    grace_s: float = GRACE_S
    backoff: Backoff = field(default_factory=Backoff)


class Supervisor:
    """Keeps one daemon running until somebody asks it to end or nothing can be done any more."""

    def __init__(self, task: Task, unlocker: Unlocker, report: Report) -> None:
        self._task = task
        self._report = report
        self._signals = Signals()
        self._unlocker: Unlocker | None = unlocker
        self._keys: Keys | None = None
        self._ready_by_s = float("inf")  # monotonic; known once the children have their keys
        self._reported = False

    def run(self) -> int:
        """Start, watch, start again. The exit status: 0 when asked to end, else that of the error."""
        try:
            while True:
                crew = self._start()
                try:
                    self._watch(crew)
                finally:
                    crew.end(self._task.grace_s)
                self._pause(self._delay_after(crew))
        except _Stop:
            say("asked to end; ended")
            self._tell_failure(Failed("the daemon was asked to end before it was ready"))
            return 0
        except P2PChatError as error:
            say(f"{error.code}: {error.message}; ended")
            self._tell_failure(error)
            return error.exit_status
        finally:
            if self._unlocker is not None:
                self._unlocker.end()
            self._signals.close()

    def _start(self) -> Crew:
        task = self._task
        crew = Crew.start(task.programs, rpc=task.rpc, gate=task.gate, environ=task.environ, lock_fd=task.lock_fd)
        self._hand_over(crew)
        return crew

    def _hand_over(self, crew: Crew) -> None:
        if self._keys is not None:
            crew.hand_over(self._keys, self._task.listen)
            self._ready_by_s = time.monotonic() + READY_S

    def _watch(self, crew: Crew) -> None:
        """Return when a child has ended, or was not ready in time. Raises _Stop, or a failed unlocking's error."""
        with DefaultSelector() as selector:
            selector.register(self._signals, EVENT_READ)
            for child in crew.children:
                selector.register(child, EVENT_READ)
            if self._unlocker is not None:
                selector.register(self._unlocker, EVENT_READ)
            while not any(child.ended for child in crew.children):
                events = selector.select(self._patience_s(crew))
                if not events and crew.ready:
                    log.shorten(self._task.log_file)
                elif not events:
                    say(f"vault and gate were not ready within {READY_S:.0f} s")
                    return
                was_ready = crew.ready
                for key, _ in events:
                    self._handle(key.fileobj, crew, selector)
                if crew.ready and not was_ready:
                    self._tell_ready(crew)

    def _patience_s(self, crew: Crew) -> float | None:
        """How long to wait for a word: while all is well until the log wants a look, else until READY_S is over."""
        if crew.ready:
            return log.LOOK_S
        return None if self._keys is None else self._ready_by_s - time.monotonic()

    def _handle(self, source: object, crew: Crew, selector: DefaultSelector) -> None:
        if source is self._signals:
            self._end()
        if isinstance(source, Child):
            source.read()
            if source.wants_stop:
                self._end()
        elif self._unlocker is not None and source is self._unlocker:
            selector.unregister(self._unlocker)
            unlocker, self._unlocker = self._unlocker, None
            self._keys = unlocker.finish()
            self._hand_over(crew)

    def _end(self) -> NoReturn:
        self._report.ending()
        raise _Stop

    def _delay_after(self, crew: Crew) -> float:
        """Seconds until the next start. Raises where there is none."""
        child = crew.culprit
        if crew.error is not None and (not self._reported or crew.error.code in HOPELESS):
            raise crew.error
        ending = f"the {child.name} {child.fate()}"
        if self._task.relock_on_crash:
            raise Locked(f"{ending}; relock_on_crash keeps the home locked now", hint="p2pchat daemon start")
        delay_s = self._task.backoff.after_end(was_ready=child.ready is not None, now_s=time.monotonic())
        if delay_s is None:
            sentence = f"{ending}, the {EARLY_ENDS}th time within a minute before it was ready"
            raise crew.error or Failed(sentence, hint=f"the log tells more: {self._task.log_file}")
        say(f"{ending}; starting both again in {delay_s:g} s")
        return delay_s

    def _pause(self, delay_s: float) -> None:
        with DefaultSelector() as selector:
            selector.register(self._signals, EVENT_READ)
            if selector.select(delay_s):
                self._end()

    def _tell_ready(self, crew: Crew) -> None:
        listen = (crew.gate.ready or {}).get("listen", [])
        info = {"pid": os.getpid(), "listen": listen, "socket": str(self._task.rpc_path)}
        say(f"ready; listening on {listening_on(info)}")
        if not self._reported:
            self._reported = True
            self._report.ready(info)

    def _tell_failure(self, error: P2PChatError) -> None:
        if not self._reported:
            self._reported = True
            self._report.failed(error)
