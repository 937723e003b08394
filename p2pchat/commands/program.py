"""Events as input of a program of the user's: ``recv --exec``.

The line goes through a pipe and nowhere else: no argument, no variable and no file holds what a peer wrote. An event is
dealt with when the program ends with 0; it comes again where that was not confirmed in time (a crash), so a program
must bear to get one twice.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from p2pchat.commands.ask import Row, ask
from p2pchat.commands.frame import Settings
from p2pchat.commands.output import json_line, say
from p2pchat.commands.reading import Wish
from p2pchat.commands.signals import Ended, Signals
from p2pchat.errors import Failed, NotFound
from p2pchat.limits import EXEC_RETRIES, EXEC_S

PAUSES_S: Final = (1.0, 2.0, 4.0, 8.0, 16.0)  # before each retry
_END_S: Final = 2.0  # from SIGTERM to SIGKILL
# As shells report that nothing ran (POSIX, 2.8.2): another event would fare no better.
_NOT_RUN: Final = {126: "it cannot be executed", 127: "a command was not found"}


def find(name: str) -> str:
    """The program's path, looked up as a shell would. Raises NotFound, or Failed where it cannot be executed."""
    found = shutil.which(name)
    if found is not None:
        return str(Path(found).absolute())
    path = Path(name)
    if name and path.is_dir():
        raise Failed(f"{name} is a folder, not a program", hint=f"ls -l {name}")
    if os.sep in name and path.exists():
        raise Failed(f"{name} may not be executed", hint=f"chmod +x {name}")
    words = "; it takes no arguments: write them into a script" if " " in name else ""
    raise NotFound(f"there is no program {name!r}{words}", hint="p2pchat recv --help")


class Executing:
    """Runs ``program`` once an event. What it prints goes where our own output goes."""

    page: int = 1
    output: int | None = None

    def __init__(self, settings: Settings, signals: Signals, program: str, wish: Wish) -> None:
        self._settings = settings
        self._signals = signals
        self._program = program
        self._wish = wish
        self._environ = _environ(settings)
        self.failing = ""  # why the event under way has failed so far
        self.given_up: list[int] = []  # cursors

    def deal(self, events: list[Row], tries: int) -> Iterator[None]:
        """Raises Ended in a pause, or while the program runs, which is then ended too; Failed where it cannot run."""
        for event in events:
            self._deal(event, tries)
            self.failing, tries = "", 0
            yield

    def _deal(self, event: Row, tries: int) -> None:
        line = (json_line(event) + "\n").encode()
        while True:
            if tries:
                self._pause(PAUSES_S[min(tries, EXEC_RETRIES) - 1])
            self.failing = self._run(line)
            if not self.failing:
                return
            tries += 1
            given_up = self._tell(event, tries)
            rest = "given up" if given_up else f"again in {PAUSES_S[tries - 1]:.0f} s"
            say(self._settings, f"{self._program}: {self.failing} at event {event['cursor']}; {rest}")
            if given_up:
                self.given_up.append(int(str(event["cursor"])))
                return

    def _tell(self, event: Row, tries: int) -> bool:
        """Have the daemon count, so that a restart does not begin anew. Whether the event was given up."""
        if not self._wish.moves:
            return tries > EXEC_RETRIES
        reader = {name: self._wish.params[name] for name in ("reader", "from") if name in self._wish.params}
        told = ask(self._settings, "event.failed", {**reader, "cursor": event["cursor"], "tries": tries})
        return bool(told["given_up"])

    def _pause(self, seconds: float) -> None:
        left_s = self._wish.left_s
        self._signals.sleep(seconds if left_s is None else min(seconds, left_s))
        if left_s is not None and left_s <= seconds:
            raise Ended

    def _run(self, line: bytes) -> str:
        """Why it failed; empty where it did not. Raises Ended, Failed."""
        try:
            process = subprocess.Popen(
                [self._program],
                stdin=subprocess.PIPE,
                env=self._environ,
                process_group=0,  # so that what it started ends with it, and Ctrl-C reaches us alone
            )
        except OSError as error:
            raise self._unfit(error.strerror or str(error)) from error
        try:
            with self._signals.ending():
                process.communicate(line, EXEC_S)
        except subprocess.TimeoutExpired:
            return f"not done within {EXEC_S:.0f} s"
        finally:
            if process.returncode is None:
                _end(process)
        return self._judge(process.returncode)

    def _judge(self, status: int) -> str:
        if status in _NOT_RUN:
            raise self._unfit(_NOT_RUN[status])
        if status < 0:
            return f"ended by {_signal_name(-status)}"
        return f"exit status {status}" if status else ""

    def _unfit(self, why: str) -> Failed:
        return Failed(f"{self._program} did not run: {why}; no event was passed over", hint=f"ls -l {self._program}")


def _environ(settings: Settings) -> Mapping[str, str]:
    """The program's own calls of p2pchat speak to the daemon that this call speaks to."""
    home = {"P2PCHAT_HOME": str(Path(settings.home_dir).absolute())} if settings.home_dir else {}
    return {**os.environ, **home}


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a program, and whatever it started and did not take out of its process group."""
    assert process.stdin is not None
    process.stdin.close()
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):  # PermissionError: macOS, where all of them are dead
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END_S)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
