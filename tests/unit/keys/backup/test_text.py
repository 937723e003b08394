import itertools
import json
import math
import random
import time
from hashlib import sha256, shake_256
from pathlib import Path
from typing import Any, Final

import pytest

from p2pchat.errors import Corrupt, Failed
from p2pchat.keys.backup.text import (
    MOST_BYTES,
    STRING_CHARS,
    TEXT_CHARS,
    Read,
    from_text,
    judge_line,
    to_lines,
)
from p2pchat.keys.backup.text_line import LINE_CHARS, letters_and_digits, read_line

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CONTAINER: Final = shake_256(b"backup text").digest(1310)
LINES: Final = to_lines(CONTAINER)
BARE: Final = tuple(line[4:] for line in LINES)  # without the numbers in front
OTHER: Final = to_lines(shake_256(b"another backup").digest(1310))
PARITY: Final = 6
VECTOR: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "vectors" / "backup_text.json").read_text(encoding="utf-8")
)


def joined(lines: tuple[str, ...] | list[str]) -> str:
    return "\n".join(lines)


def without(*numbers: int, lines: tuple[str, ...] = LINES) -> list[str]:
    return [line for number, line in enumerate(lines, 1) if number not in numbers]


def altered(lines: tuple[str, ...], changed: dict[int, str]) -> list[str]:
    """``lines`` with some of them, counted from 1, replaced."""
    return [changed.get(number, line) for number, line in enumerate(lines, 1)]


def slip(line: str, at: int = 10) -> str:
    """One character of a line replaced by the next of the alphabet."""
    at %= len(line)
    return line[:at] + ALPHABET[(ALPHABET.index(line[at]) + 1) % 32] + line[at + 1 :]


def refused(text: str) -> Corrupt:
    with pytest.raises(Corrupt) as caught:
        from_text(text)
    assert caught.value.hint
    return caught.value


# --- layout ----------------------------------------------------------------------------------------------------------


def test_lines_are_pleasant_to_read() -> None:
    assert len(LINES) == 61
    assert {len(line) for line in LINES} == {55}
    assert LINES[6].startswith("07  ")
    assert [len(group) for group in LINES[6].split()] == [2, *[5] * 8, 3]
    assert LINES[6][-4:-2] == " -"
    assert not set("".join(LINES)) & set("ILOU")


def test_the_frozen_vector_in_both_directions() -> None:
    assert bytes.fromhex(VECTOR["container"]) == CONTAINER
    assert tuple(VECTOR["lines"]) == LINES
    assert from_text(joined(VECTOR["lines"])) == Read(CONTAINER, ())


def test_the_layout_is_what_the_document_says() -> None:
    """Read with arithmetic of its own, written from docs/protocol.md."""
    rows = []
    for number, line in enumerate(VECTOR["lines"], 1):
        symbols = [ALPHABET.index(char) for char in line[4:] if char not in " -"]
        assert _divides([number >> 5, number & 31, *symbols])
        bits = "".join(f"{symbol:05b}" for symbol in symbols[:40])
        body = bytes(int(bits[i : i + 8], 2) for i in range(0, 200, 8))
        assert body[0] == len(VECTOR["lines"])
        rows.append(body[1:])
    for column in zip(*rows, strict=True):
        assert [_evaluated(column, power) for power in range(PARITY)] == [0] * PARITY
    data = b"".join(rows[:-PARITY])
    end = 8 + int.from_bytes(data[:2])
    assert data[8:end] == CONTAINER
    assert data[2:8] == sha256(data[:2] + CONTAINER).digest()[:6]
    assert not any(data[end:])
    assert len(data) - end < 24


def _times(a: int, b: int, field: int, bits: int) -> int:
    product = 0
    for bit in range(bits):
        product ^= (a << bit) * (b >> bit & 1)
    for bit in range(bits - 2, -1, -1):
        product ^= (field << bit) * (product >> bit + bits & 1)
    return product


def _divides(symbols: list[int]) -> bool:
    """Whether y² + y + 3 divides a polynomial over GF(32), by long division."""
    left = list(symbols)
    for at in range(len(left) - 2):
        left[at + 1] ^= left[at]
        left[at + 2] ^= _times(left[at], 3, 0b100101, 5)
    return left[-2:] == [0, 0]


def _evaluated(column: tuple[int, ...], power: int) -> int:
    """A polynomial over GF(256) at 2^power."""
    at = 1
    for _ in range(power):
        at = _times(at, 2, 0x11D, 8)
    value = 0
    for symbol in column:
        value = _times(value, at, 0x11D, 8) ^ symbol
    return value


@pytest.mark.parametrize(("size", "lines"), [(1, 7), (16, 7), (17, 8), (1432, 66), (1433, 68), (MOST_BYTES, 189)])
def test_sizes_at_the_edges(size: int, lines: int) -> None:
    container = shake_256(b"size").digest(size)
    text = to_lines(container)
    assert len(text) == lines
    assert from_text(joined(text)) == Read(container, ())
    parity = max(6, math.ceil(math.ceil((8 + size) / 24) / 10))
    assert from_text(joined(text[parity:])) == Read(container, tuple(range(1, parity + 1)))


def test_a_container_ending_in_zeros_keeps_them() -> None:
    for size in (1, 15, 16, 17, 40):
        assert from_text(joined(to_lines(bytes(size)))).container == bytes(size)


@pytest.mark.parametrize("size", [0, MOST_BYTES + 1])
def test_what_does_not_fit_is_refused(size: int) -> None:
    with pytest.raises(Failed):
        to_lines(bytes(size))


def test_the_container_is_not_shown_by_accident() -> None:
    assert repr(Read(b"\x12\x34", (3,))) == "Read(repaired=(3,))"


# --- any spelling ----------------------------------------------------------------------------------------------------


def _numbered(form: str) -> str:
    return joined([form.format(number, line) for number, line in enumerate(BARE, 1)])


SPELLINGS: Final = {
    "as printed": joined(LINES),
    "lower case": joined(LINES).lower(),
    "mixed case": "".join(random.Random(1).choice([c.lower(), c]) for c in joined(LINES)),
    "look-alikes": joined(LINES).replace("0", "O").replace("1", "I"),
    "other look-alikes": joined(LINES).replace("0", "o").replace("1", "l"),
    "without numbers": joined(BARE),
    "without blanks and numbers": joined([letters_and_digits(line) for line in BARE]),
    "without blanks": joined([letters_and_digits(line) for line in LINES]),
    "numbered 1.": _numbered("{}. {}"),
    "numbered 01:": _numbered("{:02d}:{}"),
    "numbered 1)": _numbered(" {}) {}"),
    "numbered 001": _numbered("{:03d} {}"),
    "numbered [1]": _numbered("[{}] {}"),
    "every character apart": joined([" ".join(letters_and_digits(line)) for line in LINES]),
    "dashes": joined(LINES).replace(" ", "-"),
    "long dashes": joined(LINES).replace(" -", " \u2014 "),
    "tabs and blanks at the ends": joined([f" \t{line.replace(' ', chr(9))} \t " for line in LINES]),
    "no-break blanks": joined(LINES).replace(" ", "\u00a0"),
    "blank lines": "\n\n \n".join(LINES),
    "quoted": joined([f"> > {line}" for line in LINES]),
    "Windows": "\ufeff" + "\r\n".join(LINES) + "\r\n",
    "old Macintosh": "\r".join(LINES),
    "no line breaks": " ".join(LINES),
    "no line breaks, no numbers": " ".join(BARE),
    "two in a row": joined([f"{a}   {b}" for a, b in itertools.zip_longest(LINES[::2], LINES[1::2], fillvalue="")]),
    "joiners and marks": joined(["\u2060\ufeff" + "\u200b\u200d\u00ad".join(line) for line in LINES]),
    "a table": joined([f"| {line.replace('  ', ' | ')} |" for line in LINES]),
    "specks": joined(LINES).replace("Q ", "Q. ").replace("T ", "T' "),
    "backwards": joined(LINES[::-1]),
    "backwards, without numbers": joined(BARE[::-1]),
    "twice": joined(LINES + BARE),
    "numbers in a column of their own": joined([line[:2] for line in LINES] + list(BARE)),
    "a sheet": "\n".join(
        [
            "# p2pchat backup 12345678 of pc1qpzry9x8gf2tvdw0s3jn54khce6mua7lqpzry9x8gf2tvdw0s3jn54khce6mua7l",
            "What to do with this sheet (page 1 of 2, 2026-08-01):",
            *LINES[:30],
            "Page 2. Type the lines below, 31 to 61. Keep the password elsewhere; it is not on this sheet.",
            *LINES[30:],
            "-- ",
            "42",
        ]
    ),
}


@pytest.mark.parametrize("text", SPELLINGS.values(), ids=SPELLINGS)
def test_any_spelling_is_read(text: str) -> None:
    assert from_text(text) == Read(CONTAINER, ())


# --- damage ----------------------------------------------------------------------------------------------------------


def test_every_wrong_character_is_found_by_the_line_s_check() -> None:
    line = letters_and_digits(BARE[6])
    for at, char in itertools.product(range(LINE_CHARS), ALPHABET):
        found = read_line(line[:at] + char + line[at + 1 :])
        assert (found is not None and found[0] == 7) == (line[at] == char)


def test_every_exchange_of_two_characters_is_found_by_the_line_s_check() -> None:
    line = letters_and_digits(BARE[6])
    for a, b in itertools.combinations(range(LINE_CHARS), 2):
        chars = list(line)
        chars[a], chars[b] = chars[b], chars[a]
        found = read_line("".join(chars))
        assert (found is not None and found[0] == 7) == (line[a] == line[b])


def test_two_wrong_characters_are_found_unless_they_stand_33_apart() -> None:
    line, some = letters_and_digits(BARE[6]), random.Random(2)
    for a, b in itertools.combinations(range(LINE_CHARS), 2):
        chars = list(line)
        chars[a] = some.choice(ALPHABET.replace(line[a], ""))
        chars[b] = some.choice(ALPHABET.replace(line[b], ""))
        found = read_line("".join(chars))
        assert b - a == 33 or found is None or found[0] != 7


@pytest.mark.parametrize("lines", [LINES, BARE], ids=["numbered", "bare"])
def test_one_slip_anywhere_is_named_and_repaired(lines: tuple[str, ...]) -> None:
    for number in (1, 2, 30, 55, 56, 61):
        wrong = slip(lines[number - 1], at=-2)
        assert from_text(joined(altered(lines, {number: wrong}))) == Read(CONTAINER, (number,))


def test_a_wrong_number_in_front_is_named_too() -> None:
    wrong = altered(LINES, {17: "71" + LINES[16][2:], 18: "1B" + LINES[17][2:]})
    assert from_text(joined(wrong)) == Read(CONTAINER, (17, 18))


def test_lines_in_each_other_s_place_are_named() -> None:
    swapped = altered(LINES, {3: LINES[2][:4] + BARE[3], 4: LINES[3][:4] + BARE[2]})
    assert from_text(joined(swapped)) == Read(CONTAINER, (3, 4))


@pytest.mark.parametrize("lines", [LINES, BARE], ids=["numbered", "bare"])
@pytest.mark.parametrize(
    "lost", [(1, 2, 3, 4, 5, 6), (56, 57, 58, 59, 60, 61), (1, 61), (1, 2, 30, 55, 56, 61)], ids=str
)
def test_missing_lines_are_named_and_repaired(lost: tuple[int, ...], lines: tuple[str, ...]) -> None:
    assert from_text(joined(without(*lost, lines=lines))) == Read(CONTAINER, lost)


def test_wrong_lines_with_their_numbers_cost_no_more_than_missing_ones() -> None:
    wrong = {number: slip(LINES[number - 1]) for number in (1, 9, 20, 33, 47, 61)}
    assert from_text(joined(altered(LINES, wrong))) == Read(CONTAINER, (1, 9, 20, 33, 47, 61))


def test_wrong_lines_whose_check_fits_are_found_by_the_others() -> None:
    wrong = {number: OTHER[number - 1] for number in (5, 20, 58)}
    assert from_text(joined(altered(LINES, wrong))) == Read(CONTAINER, (5, 20, 58))
    wrong = {5: OTHER[4], 20: OTHER[19], 30: "", 31: slip(LINES[30])}
    assert from_text(joined(altered(LINES, wrong))) == Read(CONTAINER, (5, 20, 30, 31))


def test_a_list_that_numbers_itself_is_read_by_its_checks() -> None:
    bare = without(5, lines=BARE)
    renumbered = [f"{number}. {line}" for number, line in enumerate(bare, 1)]
    assert from_text(joined(renumbered)) == Read(CONTAINER, (5,))


def test_a_line_given_twice_once_wrong_is_no_damage() -> None:
    assert from_text(joined([slip(LINES[7]), *LINES, slip(LINES[8])])) == Read(CONTAINER, ())


def test_too_much_damage_is_located() -> None:
    error = refused(joined(altered(LINES, {n: slip(LINES[n - 1]) for n in (1, 2, 17, 23, 40, 41, 42)})))
    where = "lines 1, 2, 17, 23 and 40 to 42 are wrong or missing"
    assert error.message == f"the backup string is damaged: {where}, and 6 of 61 can be repaired"
    assert "and others are wrong" in refused(joined(LINES[::2])).message


def test_lines_that_do_not_belong_together_are_told_from_damage() -> None:
    few = refused(joined(altered(LINES, {n: OTHER[n - 1] for n in (5, 20, 58, 59)})))
    assert few.message == "the backup string is damaged: its lines do not belong together"
    some = refused(joined(altered(LINES, {5: OTHER[4], 20: OTHER[19], 58: OTHER[57], 59: ""})))
    assert some.message.endswith("its lines do not belong together, and line 59 is wrong or missing")
    assert "another backup" in some.hint


@pytest.mark.parametrize("other", [OTHER, to_lines(b"a shorter backup")], ids=["as long", "shorter"])
def test_two_backups_in_one_text_are_refused(other: tuple[str, ...]) -> None:
    assert refused(joined(LINES + other)).message == "the text holds lines of two different backups"


@pytest.mark.parametrize("text", ["", "\n\n", "hello", "0" * 42, f"01 {'0' * 42}", "7" * 5000, joined(LINES)[:40]])
def test_what_is_no_string_is_told_from_damage(text: str) -> None:
    assert refused(text).message.startswith("this is no backup string")


def test_H062_bad_strings_are_named_line_by_line_and_large_ones_never_looked_at() -> None:
    """The spellings of the catalogue are read, a wrong check is located, and 1 MB costs nothing."""
    for name in ("mixed case", "look-alikes", "other look-alikes", "every character apart", "joiners and marks"):
        assert from_text(SPELLINGS[name]) == Read(CONTAINER, ()), name
    wrong = slip(LINES[16], at=-1)
    assert from_text(joined(altered(LINES, {17: wrong}))).repaired == (17,)
    assert "check characters" in str(judge_line(17, wrong))
    begun = time.process_time()
    for text in ("A" * 2**20, joined(LINES * 400), "\u200b" * 2**20, "\n" * 2**20, " " * TEXT_CHARS + joined(LINES)):
        assert refused(text).message.startswith("this is no backup string: it has more than")
    assert time.process_time() - begun < 5  # nothing in them is corrected


def test_the_longest_string_is_read_and_no_longer_one() -> None:
    longest = to_lines(shake_256(b"longest").digest(MOST_BYTES))
    rest = "prose " * ((STRING_CHARS - LINE_CHARS * len(longest)) // 5)
    assert from_text(joined([*longest, rest])).repaired == ()
    assert "more than 8192 letters and digits" in refused(joined([*longest, rest, "prose"])).message


def test_the_start_of_another_backup_is_found_by_what_follows() -> None:
    """As much work as a text can make: tests/fuzz/targets/backup.py bounds its time."""
    container, other = bytes(MOST_BYTES), to_lines(shake_256(b"x").digest(MOST_BYTES))
    worst = [*other[:9], *to_lines(container)[9:]]
    assert from_text(joined(worst)) == Read(container, tuple(range(1, 10)))
    assert "do not belong together" in refused(joined([*other[:9], worst[9], *other[10:20], *worst[20:]])).message


def test_no_error_shows_what_the_lines_hold() -> None:
    groups = {group for line in LINES for group in line.split()[1:]}
    for text in (joined(LINES[:30]), joined(LINES + OTHER), joined(LINES[:30] + OTHER[30:])):
        error = refused(text)
        assert not groups & set(f"{error} {error.hint}".split())
