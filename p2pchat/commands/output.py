"""Where output goes: data to stdout, words and errors to stderr; JSON for programs."""

import json
import os
import sys
from collections.abc import Mapping
from typing import Final, TextIO

from p2pchat.commands.frame import Settings
from p2pchat.errors import P2PChatError

_RED: Final = "\x1b[31m"
_PLAIN: Final = "\x1b[0m"


def json_line(shape: Mapping[str, object]) -> str:
    """One object. ASCII only, so that nothing a peer wrote can act on a terminal."""
    return json.dumps({"v": 1, **shape}, separators=(",", ":"))


def print_json(shape: Mapping[str, object]) -> None:
    sys.stdout.write(json_line(shape) + "\n")


def print_line(line: str) -> None:
    """A line for people, on stdout. Whatever a peer wrote in it has gone through ``show``."""
    sys.stdout.write(_encodable(line) + "\n")


def print_folded(line: str) -> None:
    """Lines that hold long texts of others (cleaned by ``show``): on a terminal none of them is broken by it."""
    if columns := _columns():
        from p2pchat.show import fold

        line = "\n".join(fold(part, columns) for part in line.split("\n"))
    print_line(line)


def _columns() -> int:
    """Of the terminal that stdout is; 0 where it is none, or does not say."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns if sys.stdout.isatty() else 0
    except (OSError, ValueError):
        return 0


def say(settings: Settings, words: str) -> None:
    """A word about what happens, on stderr, unless ``--quiet``."""
    if not settings.quiet:
        sys.stderr.write(_encodable(words) + "\n")


def report(settings: Settings, error: P2PChatError) -> None:
    """The error object, or a sentence and the next command to type."""
    if settings.json:
        sys.stderr.write(json_line({"error": error.as_json()}) + "\n")
        return
    from p2pchat.show import show

    lines = [f"{_paint(settings, 'error:')} {show(error.message)}"]
    candidates = error.details.get("candidates")
    if isinstance(candidates, list):
        lines += [f"  {show(str(candidate))}" for candidate in candidates]
    if error.hint:
        lines.append(f"hint: {show(error.hint)}")
    sys.stderr.write(_encodable("\n".join(lines)) + "\n")


def _paint(settings: Settings, words: str) -> str:
    return f"{_RED}{words}{_PLAIN}" if coloured(settings, sys.stderr) else words


def coloured(settings: Settings, stream: TextIO) -> bool:
    """Whether colours may go there."""
    return stream.isatty() and not settings.no_color and not os.environ.get("NO_COLOR")


def _encodable(text: str) -> str:
    """A terminal of another alphabet gets escapes instead of an exception."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)
