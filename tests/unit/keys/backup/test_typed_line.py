"""A line of a backup's string as somebody types it: right, or what is wrong with it, in a sentence."""

from hashlib import shake_256
from typing import Final

import pytest

from p2pchat.keys.backup.text import TYPED_CHARS, judge_line, to_lines, total_lines

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LINES: Final = to_lines(shake_256(b"backup text").digest(1310))
BARE: Final = tuple(line[4:] for line in LINES)  # without the numbers in front


def slip(line: str) -> str:
    """One character of a line replaced by the next of the alphabet."""
    return line[:10] + ALPHABET[(ALPHABET.index(line[10]) + 1) % 32] + line[11:]


@pytest.mark.parametrize(
    "typed", [LINES[6], BARE[6], LINES[6].lower(), "7." + BARE[6], " 7 " + BARE[6], BARE[6].replace(" ", "")]
)
def test_a_right_line_is_right(typed: str) -> None:
    assert judge_line(7, typed) is None
    assert judge_line(7, typed, total=61) is None
    assert total_lines(typed) == 61


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "it is 42 characters too short"),
        (BARE[6][:-1], "it is 1 character too short"),
        (LINES[6][:-1], "it is 1 character too short"),
        ("7." + BARE[6][:-3], "it is 2 characters too short"),
        (BARE[6] + "A", "it is 1 character too long"),
        (LINES[6] + "ABC", "it is 3 characters too long"),
        (BARE[6][:13] + "U" + BARE[6][14:], "character 12 is 'U', which no line has"),
        (LINES[6][:17] + "ä" + LINES[6][18:], "character 12 is 'ä', which no line has"),
        (BARE[6][:13] + "?" + BARE[6][14:], "it is 1 character too short"),
        (slip(BARE[6]), "its check characters do not fit: look at it again"),
        (slip(LINES[6]), "its check characters do not fit: look at it again"),
        (LINES[20], "its check characters do not fit: look at it again"),
        ("0" * 42, "its check characters do not fit: look at it again"),
        (BARE[7], "this is line 8, and line 7 is wanted"),
        (BARE[5], "this is line 6, and line 7 is wanted"),
        ("A" * (TYPED_CHARS + 1), "it is far too long for a line"),
    ],
)
def test_what_is_wrong_with_a_line_is_said(typed: str, sentence: str) -> None:
    assert judge_line(7, typed) == sentence


def test_a_line_of_another_backup_is_noticed() -> None:
    shorter = to_lines(b"a shorter backup")
    assert total_lines(shorter[3]) == 7
    assert judge_line(4, shorter[3]) is None
    assert judge_line(4, shorter[3], total=61) == "this is a line of another backup, which has 7 lines and not 61"


def test_a_line_that_is_not_right_tells_no_number_of_lines() -> None:
    assert total_lines(slip(BARE[6])[:-1]) is None
    assert total_lines("") is None


def test_every_line_typed_one_by_one_makes_the_whole() -> None:
    assert [judge_line(number, line, total=61) for number, line in enumerate(BARE, 1)] == [None] * 61
