"""The printed string: a backup's container as numbered lines to print, copy by hand and type in (protocol.md 17).

A line (``text_line``) is the number of all lines, one byte, and then one row of data or parity (``text_rows``). So each
line tells its own number and how many there are, wherever it stands and whatever is lost. A reader takes every line
that fits its check and passes over all else, be it prose or damage: what it has not got by then is lost, repaired if
that is no more than the parity, and named.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from p2pchat.errors import Corrupt, Failed
from p2pchat.keys.backup.text_line import (
    DATA_CHARS,
    LINE_CHARS,
    LONGEST_CHARS,
    letters_and_digits,
    read_line,
    strange_at,
    take_apart,
    write_line,
)
from p2pchat.keys.backup.text_rows import LEAST_PARITY, MOST_BYTES, PARITY, from_rows, to_rows

TEXT_CHARS: Final = 64 * 1024  # with blanks and characters without width
TYPED_CHARS: Final = 1000  # of one line
STRING_CHARS: Final = 8 * 1024  # letters and digits, without the numbers in front (walls 4.6: H062)
_IN_FRONT: Final = re.compile(r"^\W*\d{1,3}(?:[.:)]\W*|\s+)(?=\w\w)")  # a number set off from the first group
_BEHIND_CHECK: Final = re.compile(r"(?<=[-\u2010-\u2015\u2212]\w\w)\s+")  # -XY, where line breaks became blanks


@dataclass(frozen=True, slots=True)
class Read:
    """What a text held."""

    container: bytes = field(repr=False)
    repaired: tuple[int, ...]  # numbers of the lines that were wrong or missing


def to_lines(container: bytes) -> tuple[str, ...]:
    """The lines to print: 61 of 55 characters for 1310 bytes. Raises Failed unless there are 1 to 4096 bytes."""
    if not 1 <= len(container) <= MOST_BYTES:
        raise Failed(f"a backup string holds 1 to {MOST_BYTES} bytes", hint="write the backup to a file")
    rows = to_rows(container)
    total, width = bytes([len(rows)]), max(2, len(str(len(rows))))
    return tuple(write_line(number, total + row, width=width) for number, row in enumerate(rows, 1))


def from_text(text: str) -> Read:
    """The container in a text, repaired where it can be. At most a second of work, whatever the text.

    Takes lines in any order and spacing, with or without their numbers, in either case, between lines of prose.
    Raises Corrupt, which names the lines that are wrong or missing.
    """
    typed = _typed(text)
    # A list that numbers itself makes right lines look wrong: what the check says is then tried without the numbers.
    sheets = [sheet for numbers in (True, False) if (sheet := _gather(typed, numbers=numbers)) is not None]
    if not sheets:
        hint = f"a line is {DATA_CHARS} letters and digits in groups of five, and two more to check them"
        raise Corrupt("this is no backup string: not one line of it fits its check characters", hint=hint)
    for sheet in sheets:
        container = from_rows(sheet.rows())
        if container is not None:
            return Read(container, sheet.repaired(container))
    raise min(sheets, key=lambda sheet: len(sheet.missing())).damage()


def judge_line(number: int, typed: str, total: int | None = None) -> str | None:
    """What is wrong with line ``number`` as it was typed, in a sentence; None where it is right.

    ``total``: what ``total_lines`` told of a line before; with it, a line of another backup is noticed.
    """
    if len(typed) > TYPED_CHARS:
        return "it is far too long for a line"
    found = read_line(take_apart(typed).chars)
    if found is None or found[0] != number:
        chars = letters_and_digits(_IN_FRONT.sub("", typed))
        if (at := strange_at(chars)) is not None:
            return f"character {at + 1} is {chars[at]!r}, which no line has"
        if (off := len(chars) - LINE_CHARS) != 0:
            count = "1 character" if abs(off) == 1 else f"{abs(off)} characters"
            return f"it is {count} too {'long' if off > 0 else 'short'}"
        found = read_line(chars)
    told = _total_of(found)
    if found is not None and told is not None and found[0] in {number - 1, number + 1}:
        return f"this is line {found[0]}, and line {number} is wanted"
    if found is None or told is None or found[0] != number:
        return "its check characters do not fit: look at it again"
    if total is not None and told != total:
        return f"this is a line of another backup, which has {told} lines and not {total}"
    return None


def total_lines(typed: str) -> int | None:
    """How many lines there are in all, as any right line tells; None for a line that is not right."""
    return _total_of(read_line(take_apart(typed).chars))


@dataclass(frozen=True, slots=True, repr=False)
class _Sheet:
    """The lines that fit."""

    total: int
    found: dict[int, set[bytes]]  # number -> row; more than one where a damaged line fits that number by chance

    def rows(self) -> list[bytes | None]:
        every = (self.found.get(number, set()) for number in range(1, self.total + 1))
        return [next(iter(rows)) if len(rows) == 1 else None for rows in every]

    def missing(self) -> list[int]:
        return [number for number, row in enumerate(self.rows(), 1) if row is None]

    def repaired(self, container: bytes) -> tuple[int, ...]:
        """Numbers of the lines of which nobody gave the right one."""
        return tuple(
            number for number, row in enumerate(to_rows(container), 1) if row not in self.found.get(number, ())
        )

    def damage(self) -> Corrupt:
        missing, parity = self.missing(), PARITY[self.total]
        if len(missing) > parity:
            why = f"{_named(missing)} wrong or missing, and {parity} of {self.total} can be repaired"
            return Corrupt(f"the backup string is damaged: {why}", hint="compare them with the original")
        beside = f", and {_named(missing)} wrong or missing" if missing else ""
        why = f"its lines do not belong together{beside}"
        return Corrupt(f"the backup string is damaged: {why}", hint="look for lines of another backup among them")


@dataclass(frozen=True, slots=True, repr=False)
class _Fitting:
    """A line that fits a number, in a string of ``total`` lines."""

    in_front: int | None  # the number written there
    number: int
    total: int
    row: bytes


def _typed(text: str) -> list[_Fitting]:
    """Every line that fits. Raises Corrupt for a text that is too long."""
    alone = "give the lines of the backup string alone"
    if len(text) > TEXT_CHARS:
        raise Corrupt(f"this is no backup string: it has more than {TEXT_CHARS // 1024} KiB", hint=alone)
    lines = [take_apart(line) for line in _broken(text)]
    if sum(len(line.chars) for line in lines) > STRING_CHARS:
        raise Corrupt(f"this is no backup string: it has more than {STRING_CHARS} letters and digits", hint=alone)
    read = ((line.number, read_line(line.chars)) for line in lines)
    return [
        _Fitting(in_front, found[0], total, found[1][1:])
        for in_front, found in read
        if found is not None and (total := _total_of(found)) is not None
    ]


def _broken(text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield from _BEHIND_CHECK.split(line) if len(letters_and_digits(line)) > LONGEST_CHARS else [line]


def _total_of(found: tuple[int, bytes] | None) -> int | None:
    """How many lines a line says there are, unless no string has so many, or not this one."""
    if found is None:
        return None
    number, body = found
    return body[0] if body[0] in PARITY and number <= body[0] else None


def _gather(typed: list[_Fitting], *, numbers: bool) -> _Sheet | None:
    """``numbers``: a line with another number in front than fits is wrong. None where no line is right.

    Raises Corrupt where there are lines of two backups.
    """
    right = [line for line in typed if not numbers or line.in_front in {None, line.number}]
    totals = Counter(line.total for line in right).most_common()
    if not totals:
        return None
    total = totals[0][0]
    found: defaultdict[int, set[bytes]] = defaultdict(set)
    for line in right:
        if line.total == total:
            found[line.number].add(line.row)
    doubled = sum(len(rows) > 1 for rows in found.values())
    if max(doubled, *(count for _, count in totals[1:]), 0) > LEAST_PARITY:  # chance makes one or two
        raise Corrupt("the text holds lines of two different backups", hint="give the lines of one alone")
    return _Sheet(total, dict(found))


def _named(numbers: list[int]) -> str:
    """``line 17 is``, ``lines 3, 4, 6 to 9 and 23 are``: at most ten words of them."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    words = [word for run in runs for word in ([f"{run[0]} to {run[-1]}"] if len(run) > 2 else map(str, run))]
    words = [*words[:10], "others"] if len(words) > 10 else words
    listed = " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
    return f"line {listed} is" if len(numbers) == 1 else f"lines {listed} are"
