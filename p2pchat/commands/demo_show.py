"""How the demo looks: a line a step, with its time; or an object a step."""

import os
import shutil
import sys
import time
from pathlib import Path
from typing import Final

from p2pchat.commands.demo_story import Step
from p2pchat.commands.frame import Settings
from p2pchat.commands.output import print_json, print_line
from p2pchat.show import show, width

_WHO_COLUMNS: Final = 9
_DOES_COLUMNS: Final = 23
_DIM: Final = "\x1b[2m"
_BOLD: Final = "\x1b[1m"
_GREEN: Final = "\x1b[32m"
_PLAIN: Final = "\x1b[0m"
_ERASE_LINE: Final = "\r\x1b[K"
_NEXT: Final = (
    ("init --nickname YOU", "your own keys, in about ten seconds"),
    ("daemon start", "go online"),
    ("contact card --out me.p2pcard", "give this file to a friend"),
    ("contact add friend.p2pcard", "take theirs; 'contact list' shows how things stand"),
)


class Stage:
    """Prints the steps as they happen. On a terminal the running one stands there before it is done."""

    def __init__(self, settings: Settings) -> None:
        self._json: Final = settings.json
        self._quiet: Final = settings.quiet
        terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self._replaces: Final = terminal and sys.stderr.isatty() and not settings.json
        self._colours: Final = terminal and not settings.no_color and not os.environ.get("NO_COLOR")

    def open(self) -> None:
        self._words("Two people on this machine, each with a home and a daemon of three processes:\n")

    def progress(self, words: str) -> None:
        """A line that the next one replaces; only where it can be replaced."""
        if self._replaces:
            sys.stderr.write(f"{_ERASE_LINE}{self._paint(_DIM, words)}")
            sys.stderr.flush()

    def play(self, step: Step) -> None:
        """Run one step and show what its receiver saw. Raises what the step raises, on a line of its own."""
        who = step.by if step.by == step.seen_by else f"{step.by} → {step.seen_by}"
        action = f"{who:<{_WHO_COLUMNS}}  {step.does:<{_DOES_COLUMNS}}"
        self.progress(f"{'...':>9}  {action}")
        began_s = time.monotonic()
        try:
            seen = step.run()
        finally:
            took_s = time.monotonic() - began_s
            self._erase()
        if self._json:
            shape = {"step": step.name, "by": step.by, "seen_by": step.seen_by, "seen": seen}
            print_json({**shape, **_times(took_s)})
        else:
            words = f"“{show(seen)}”" if step.quotes else self._paint(_DIM, show(seen))
            print_line(f"{self._paint(_GREEN, f'{_duration(took_s):>9}')}  {action}  {words}")
        sys.stdout.flush()

    def close(self, took_s: float) -> None:
        """After the last step, when everything has been removed."""
        if self._json:
            print_json({"step": "done", **_times(took_s)})
            return
        self._words(f"\nEvery step was seen by its receiver, in {took_s:.1f} s. No process and no file is left.\n")
        self._words("Your turn:")
        for words, why in _NEXT:
            command = f"{_program()} {words}"
            self._words(f"  {self._paint(_BOLD, command)}{' ' * max(2, 46 - width(command))}{self._paint(_DIM, why)}")

    def _words(self, words: str) -> None:
        if not self._json and not self._quiet:
            print_line(words)

    def _erase(self) -> None:
        if self._replaces:
            sys.stderr.write(_ERASE_LINE)
            sys.stderr.flush()

    def _paint(self, colour: str, words: str) -> str:
        return f"{colour}{words}{_PLAIN}" if self._colours else words


def _times(took_s: float) -> dict[str, int]:
    """When something began that took so long and ends now; their difference is no matter of the wall clock."""
    ended_ms = time.time_ns() // 1_000_000
    return {"began_ms": ended_ms - round(took_s * 1000), "ended_ms": ended_ms}


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s " if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def _program() -> str:
    """How the user can type this program here: by its name where it is on PATH, else by its path."""
    called = Path(sys.argv[0])
    if shutil.which("p2pchat") or called.name != "p2pchat":
        return "p2pchat"
    return os.path.relpath(called)
