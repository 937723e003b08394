"""A printed backup comes back whole, or the damage is named; no text gives anything else."""

import random
from hashlib import shake_256
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p2pchat.errors import Corrupt
from p2pchat.keys.backup.text import Read, from_text, judge_line, to_lines, total_lines

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CONTAINER: Final = shake_256(b"backup text").digest(300)
LINES: Final = to_lines(CONTAINER)
PARITY: Final = 6
NUMBERS: Final = range(1, len(LINES) + 1)
FEW: Final = settings(max_examples=60, deadline=None)


def _front(line: str, numbered: bool) -> str:
    return line if numbered else line[4:]


def _mangle(line: str, chance: random.Random) -> str:
    """Some of what hands, cameras and software do to a line; its body is another one afterwards, or none."""
    front, body = line[:4], line[4:]
    at = [i for i, char in enumerate(body) if char.isalnum()]
    for place in chance.sample(at, chance.choice([1, 1, 2, 5, 42])):
        body = body[:place] + chance.choice(ALPHABET.replace(body[place], "")) + body[place + 1 :]
    cut = chance.choice(at)
    return front + chance.choice([body, body, body[:cut], body[:cut] + body[cut + 1 :], body[:cut] + "#" + body[cut:]])


@FEW
@given(st.binary(min_size=1, max_size=1400), st.booleans())
def test_what_was_printed_is_read(container: bytes, numbered: bool) -> None:
    lines = to_lines(container)
    assert from_text("\n".join(_front(line, numbered) for line in lines)) == Read(container, ())
    assert {total_lines(line) for line in lines} == {len(lines)}


@FEW
@given(st.sets(st.sampled_from(NUMBERS), max_size=PARITY), st.booleans(), st.randoms(use_true_random=False))
def test_missing_lines_are_repaired_and_named(lost: set[int], numbered: bool, chance: random.Random) -> None:
    left = [_front(line, numbered) for number, line in enumerate(LINES, 1) if number not in lost]
    chance.shuffle(left)
    assert from_text("\n".join(left)) == Read(CONTAINER, tuple(sorted(lost)))


@FEW
@given(st.sets(st.sampled_from(NUMBERS), max_size=PARITY // 2), st.booleans(), st.integers(0, 2**32))
def test_mangled_lines_are_repaired_and_named(wrong: set[int], numbered: bool, seed: int) -> None:
    chance = random.Random(seed)
    lines = [_mangle(line, chance) if number in wrong else line for number, line in enumerate(LINES, 1)]
    read = from_text("\n".join(_front(line, numbered) for line in lines))
    assert read == Read(CONTAINER, tuple(sorted(wrong)))


@FEW
@given(st.sampled_from(NUMBERS), st.integers(0, 41), st.sampled_from(ALPHABET), st.booleans())
def test_one_wrong_character_is_noticed_and_named(number: int, at: int, char: str, numbered: bool) -> None:
    line = LINES[number - 1]
    place = [i for i, c in enumerate(line) if c.isalnum()][2 + at]
    wrong = line[:place] + char + line[place + 1 :]
    text = "\n".join(_front(wrong if each == line else each, numbered) for each in LINES)
    assert from_text(text) == Read(CONTAINER, () if wrong == line else (number,))
    assert (judge_line(number, wrong) is None) == (wrong == line)


@FEW
@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 60), st.text(max_size=30)), max_size=12))
def test_a_damaged_text_gives_its_container_or_corrupt(edits: list[tuple[int, int, str]]) -> None:
    text = "\n".join(LINES)
    for at, length, new in edits:
        text = text[:at] + new + text[at + length :]
    try:
        read = from_text(text)
    except Corrupt as error:
        assert error.message.startswith(("the backup string is damaged: ", "this is no backup string: "))
    else:
        assert read.container == CONTAINER


GARBAGE: Final = st.one_of(
    st.text(max_size=400),
    st.text(ALPHABET + "iIlLoO -\n", max_size=400),
    st.lists(st.text(ALPHABET, min_size=42, max_size=45), max_size=20).map("\n".join),
    st.lists(st.sampled_from(LINES), max_size=40).map(" ".join),
)


@settings(max_examples=200, deadline=None)
@given(GARBAGE, st.integers(-1, 300))
def test_garbage_gives_the_container_or_corrupt(text: str, number: int) -> None:
    try:
        assert from_text(text).container == CONTAINER
    except Corrupt as error:
        assert error.hint
    judged = judge_line(number, text)
    assert judged is None or judged


@settings(max_examples=10, deadline=None)
@given(st.one_of(st.text(min_size=1, max_size=80), st.text(ALPHABET + " -\n", min_size=1, max_size=200)))
def test_8_kib_of_anything_are_refused_in_a_sentence(part: str) -> None:
    text = (part * 8192)[:8192]
    with pytest.raises(Corrupt):
        from_text(text)
    judge_line(1, text)
