"""How results and errors are printed: JSON for programs, lines for people; data on stdout, words on stderr."""

import json
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from p2pchat.commands.frame import Settings
from p2pchat.errors import P2PChatError
from p2pchat.show import show, show_body, width

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


def say(settings: Settings, words: str) -> None:
    """A word about what happens, on stderr, unless ``--quiet``."""
    if not settings.quiet:
        sys.stderr.write(_encodable(words) + "\n")


def print_fields(settings: Settings, shape: Mapping[str, object]) -> None:
    """One object: JSON, or for people a field a line."""
    if settings.json:
        print_json(shape)
        return
    longest = max(len(name) for name in shape)
    for name, value in shape.items():
        print_line(f"{name.replace('_', ' '):<{longest}}  {cell(name, value)}".rstrip())


def print_table(
    settings: Settings, rows: Iterable[Mapping[str, object]], columns: Sequence[str], *, marks: Sequence[str] = ()
) -> None:
    """One object a line: JSON, or for people the named ``columns``; ``marks`` end the lines of the same order.

    An empty list prints nothing.
    """
    if settings.json:
        for row in rows:
            print_json(row)
        return
    cells = [[cell(name, row.get(name)) for name in columns] for row in rows]
    if not cells:
        return
    widths = [max(width(line[at]) for line in [list(columns), *cells]) for at in range(len(columns))]
    say(settings, _aligned([name.removesuffix("_ms").replace("_", " ") for name in columns], widths))
    for at, line in enumerate(cells):
        print_line((_aligned(line, widths) + (f"  {marks[at]}" if marks else "")).rstrip())


def cell(name: str, value: object) -> str:
    """One value for people: cleaned text, local time, words for what is missing."""
    if value is None or value == "" or value == []:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return when(value) if name.endswith("_ms") else str(value)
    if isinstance(value, list):
        return ", ".join(cell("", item) for item in value)
    return show(str(value))


def when(ms: int) -> str:
    """Local time of a Unix millisecond, or what a peer's clock claims where that is no time at all."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(ms / 1000))
    except (OverflowError, ValueError, OSError):
        return f"clock wrong ({ms})"


def print_message(name: str, sent_ms: int, text: str) -> None:
    """One message: a line, or a head line and the indented text where it has several."""
    head = f"{when(sent_ms)}  {name}"
    if "\n" in text:
        print_line(head + ":")
        print_line(show_body(text))
    else:
        print_line(f"{head}: {show_body(text, gutter='')}")


def report(settings: Settings, error: P2PChatError) -> None:
    """The error object, or a sentence and the next command to type."""
    if settings.json:
        sys.stderr.write(json_line({"error": error.as_json()}) + "\n")
        return
    lines = [f"{_paint(settings, 'error:')} {show(error.message)}"]
    candidates = error.details.get("candidates")
    if isinstance(candidates, list):
        lines += [f"  {show(str(candidate))}" for candidate in candidates]
    if error.hint:
        lines.append(f"hint: {show(error.hint)}")
    sys.stderr.write(_encodable("\n".join(lines)) + "\n")


def _paint(settings: Settings, words: str) -> str:
    plain = settings.no_color or bool(os.environ.get("NO_COLOR")) or not sys.stderr.isatty()
    return words if plain else f"{_RED}{words}{_PLAIN}"


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(text + " " * (columns - width(text)) for text, columns in zip(line, widths, strict=True))


def _encodable(text: str) -> str:
    """A terminal of another alphabet gets escapes instead of an exception."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)
