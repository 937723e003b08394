"""How objects look to people: fields, tables, messages. Under ``--json`` the same calls print the objects."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from p2pchat.commands.frame import Settings
from p2pchat.commands.output import print_folded, print_json, print_line, say
from p2pchat.show import NICKNAME_COLUMNS, SHORT_ID_CHARS, show, show_body, width

_SHORT: Final = {"id": SHORT_ID_CHARS, "to": SHORT_ID_CHARS}  # columns that hold the IDs of users
_OTHERS_WORDS: Final = {"nickname", "message", "reason"}  # fields that may hold what a peer wrote
_FIRST_S: Final = 1_577_836_800  # 2020-01-01: no p2pchat wrote anything before it
_AHEAD_S: Final = 400 * 86400  # expiry lies at most a year ahead


def print_fields(settings: Settings, shape: Mapping[str, object]) -> None:
    """One object: JSON, or for people a field a line."""
    if settings.json:
        print_json(shape)
        return
    longest = max(len(_label(name)) for name in shape)
    for name, value in shape.items():
        line = f"{_label(name):<{longest}}  {cell(name, value)}".rstrip()
        print_folded(line) if name in _OTHERS_WORDS else print_line(line)


def print_table(
    settings: Settings, rows: Iterable[Mapping[str, object]], columns: Sequence[str], *, marks: Sequence[str] = ()
) -> None:
    """One object a line: JSON, or for people the named ``columns``; ``marks`` end the lines of the same order.

    For people ids are cut to what the verbs still take as one. An empty list prints nothing.
    """
    if settings.json:
        for row in rows:
            print_json(row)
        return
    cells = [[_narrow(name, row.get(name)) for name in columns] for row in rows]
    if not cells:
        return
    heads = [_label(name) for name in columns]
    widths = [max(width(line[at]) for line in [heads, *cells]) for at in range(len(columns))]
    say(settings, _aligned(heads, widths).rstrip())
    for at, line in enumerate(cells):
        print_folded((_aligned(line, widths) + (f"  {marks[at]}" if marks else "")).rstrip())


def _narrow(name: str, value: object) -> str:
    """A value in a column, where a long nickname would push all the others off the screen."""
    if name in {"nickname", "name"} and value:
        return show(str(value), NICKNAME_COLUMNS)
    return cell(name, value)[: _SHORT.get(name)]


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
    """Local time of a Unix millisecond; what cannot be, by a peer's clock or one's own, is marked."""
    try:
        shown = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(ms / 1000))
    except (OverflowError, ValueError, OSError):
        return f"{ms} ms (clock wrong)"
    sane = _FIRST_S * 1000 <= ms <= (time.time() + _AHEAD_S) * 1000
    return shown if sane else f"{shown} (clock wrong)"


def print_message(name: str, sent_ms: int, text: str) -> None:
    """One message: a line, or a head line and the indented text where it has several."""
    head = f"{when(sent_ms)}  {name}"
    if "\n" in text:
        print_folded(head + ":")
        print_folded(show_body(text))
    else:
        print_folded(f"{head}: {show_body(text, gutter='')}")


def _label(name: str) -> str:
    return name.removesuffix("_ms").replace("_", " ")


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(text + " " * (columns - width(text)) for text, columns in zip(line, widths, strict=True))
