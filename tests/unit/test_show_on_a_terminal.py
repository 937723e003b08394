"""What ``show`` lets through, on a terminal: it draws, and does nothing else (walls 4.8, H079 to H095)."""

import random
import re
from collections.abc import Iterator
from itertools import islice

import pytest

from p2pchat.show import GUTTER, fold, show, show_body, show_name, width
from tests.support.terminal import Terminal

ID = "pc1" + "q" * 58
ACTING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")  # a newline is ours
BATCH = 25  # texts on one screen
FRAGMENTS = (
    *("\x1b[", "\x1b]0;", "\x1b]52;c;", "\x1bP", "\x1b\\", "\x1b(0", "\x1bc", "\x1b[?1049h", "\x1b[6n", "\x9b", "\x9d"),
    *(
        "\x07",
        "\x08",
        "\r",
        "\n",
        "\r\n",
        "\t",
        "\x0b",
        "\x0c",
        "\x0e",
        "\x85",
        "\x7f",
        "\x00",
        "2J",
        "10A",
        "31m",
        ";",
    ),
    *("\u202e", "\u2066", "\u2069", "\u2068", "\u200d", "\u200b", "\ufeff", "\u2028", "\ufe0f", "\u3164", "\U000e0041"),
    *(
        "e\u0301\u0323",
        "\u0338",
        "\u1161",
        "\u0903",
        "👩🏽",
        "👩\u200d👧",
        "🏽",
        "日本",
        "ｆ",
        "א",
        "\u0627",
        "ab",
        " ",
        "    ",
    ),
)


def hostile(chance: random.Random) -> str:
    """Fragments of what terminals obey, and any code points at all."""
    parts = [
        chance.choice(FRAGMENTS) if chance.random() < 0.7 else chr(chance.randrange(0x110000))
        for _ in range(chance.randrange(1, 8))
    ]
    return "".join(parts)


def every_code_point() -> Iterator[str]:
    for start in range(0, 0x110000, 64):
        yield "x".join(map(chr, range(start, start + 64)))


def balanced(line: str) -> bool:
    """Each isolate that is opened is closed on the same line, and none is closed that was not opened."""
    depth = 0
    for char in line:
        depth += (char == "\u2068") - (char == "\u2069")
        if depth not in {0, 1}:
            return False
    return depth == 0


def shown_lines(text: str, at: int) -> list[str]:
    """The text as a name, as a line, or as a body, in turn."""
    return ([f"{show_name(text, ID)}|"], [f"pc1{show(text)}|"], show_body(text).split("\n"))[at % 3]


def judge(texts: Iterator[str]) -> None:
    """Show the texts one below the other, each before a line of ours; nothing but drawing may come of it."""
    terminal = Terminal(columns=1200, lines=BATCH * 12)
    while batch := list(islice(texts, BATCH)):
        lines: list[str] = []
        for at, text in enumerate(batch):
            shown = shown_lines(text, at)
            for line in shown:
                assert not ACTING.search(line), ascii(text)
                assert balanced(line), ascii(text)
                assert line.startswith((ID[:3], GUTTER.rstrip())), ascii(text)
                line.encode()  # raises for half a character
            lines += [*shown, "ours"]
        terminal.reset()
        terminal.acts.clear()
        terminal.show("\n".join(lines))
        assert terminal.acts == [], ascii(batch)
        assert terminal.title == "", ascii(batch)
        assert (terminal.cursor.y, terminal.cursor.x) == (len(lines) - 1, len("ours")), ascii(batch)
        for row, line in enumerate(lines):
            expected = line[: 4 if line == "ours" else 3]
            assert terminal.left(row, len(expected)) == expected, (ascii(line), ascii(batch))


def test_the_emulator_does_obey_what_is_not_cleaned() -> None:
    """Otherwise the tests below would prove nothing."""
    for text, act in (
        ("\x1b[2J", "erase_in_display"),
        ("\x1b]0;owned\x07", "set_title"),
        ("\x9b10A", "cursor_up"),
        ("\x07", "bell"),
        ("\x1b[6n", "report_device_status"),
        ("a\x08b", "backspace"),
        ("\t", "tab"),
    ):
        terminal = Terminal()
        terminal.show(text)
        assert act in [name for name, _ in terminal.acts]
    terminal.show("\x1b]0;owned\x07")
    assert terminal.title == "owned"


def test_two_thousand_hostile_strings_only_draw() -> None:
    chance = random.Random(4_8)
    judge(hostile(chance) for _ in range(2_000))


@pytest.mark.slow
def test_a_hundred_thousand_hostile_strings_only_draw() -> None:
    chance = random.Random(48_000)
    judge(hostile(chance) for _ in range(100_000))


@pytest.mark.slow
def test_every_code_point_only_draws() -> None:
    judge(every_code_point())


def folded_rows(line: str, columns: int) -> list[str]:
    terminal = Terminal(columns=columns, lines=60)
    terminal.show(fold(line, columns))
    assert terminal.acts == []
    return [row for row in terminal.rows() if row]


@pytest.mark.parametrize("columns", [20, 40, 80, 132])
def test_H087_no_blanks_and_no_emoji_put_a_text_at_the_left_edge(columns: int) -> None:
    """A terminal goes on at its left edge when a line is full, where only words of ours stand."""
    fake = "2026-01-01 08:00:00  pc1aaaaaaaa bob: I agree"
    fillers = ["x", " ", "日", "👩\u200d👧\u200d👦", "👋🏽", "e\u0301", "\u0915\u0903", "א", "❤️"]
    for filler in fillers:
        for count in range(max(1, columns - 12), columns + 8):
            line = f"head: {show_body(filler * count + fake, gutter='')}"
            first, *rest = folded_rows(line, columns)
            assert first.startswith("head:"), ascii(filler)
            assert rest or width(line) <= columns
            assert all(row.startswith(GUTTER.rstrip()) for row in rest), (ascii(filler), count)


def test_a_folded_line_loses_nothing_and_isolates_each_part() -> None:
    line = "me: " + show("abc שלום " * 30)
    parts = fold(line, 40).split(f"\n{GUTTER}")
    assert len(parts) > 4 and all(balanced(part) for part in parts)
    assert "".join(parts).replace("\u2068", "").replace("\u2069", "") == line.replace("\u2068", "").replace(
        "\u2069", ""
    )
    assert fold("short", 80) == "short" and fold("", 80) == ""
    assert all(width(part) <= 40 for part in parts)


def test_random_texts_fold_within_any_terminal() -> None:
    chance = random.Random(7)
    for _ in range(300):
        columns = chance.choice([20, 33, 80])
        line = f"head: {show(''.join(hostile(chance) for _ in range(6)))}"
        first, *rest = folded_rows(line, columns)
        assert first.startswith("head:")
        assert all(row.startswith(GUTTER.rstrip()) for row in rest), ascii(line)
