"""One line of a printed backup: 25 bytes in base 32, which know their own place (protocol.md 17).

    07  7NFWW J3GPJ KP4G1 CADCV QMJR7 BTAJN VJ2W7 6NS89 -55

Eight groups of five characters of Crockford's base 32 (https://www.crockford.com/base32.html), then two check
characters. With the line's number in front, the line is a polynomial over GF(32) that y² + y + 3 divides:
number >> 5, number & 31, the 40 data symbols, the two check symbols. That is a primitive polynomial, so the check
finds every wrong character, any two wrong ones that do not stand 33 apart, any two exchanged ones, and a line in
another's place. As the number goes into the check alone, it comes out again: the one in front is only for the eye.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

LINE_BYTES: Final = 25
DATA_CHARS: Final = 40
LINE_CHARS: Final = DATA_CHARS + 2
LONGEST_CHARS: Final = LINE_CHARS + 3  # with a number in front
NUMBERS: Final = range(1, 256)
_GROUP_CHARS: Final = 5
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # no I, L, O, U
_VALUES: Final = {
    **{char: value for value, char in enumerate(_ALPHABET)},
    **{char.lower(): value for value, char in enumerate(_ALPHABET)},
    **dict.fromkeys("Oo", 0),
    **dict.fromkeys("IiLl", 1),
}
_FIELD: Final = 0b100101  # x⁵ + x² + 1: how GF(32) multiplies


@dataclass(frozen=True, slots=True, repr=False)
class Typed:
    """A line as a person typed it or a camera read it."""

    number: int | None  # in front, if one was there; it may be wrong
    chars: str  # letters and digits behind it, of whatever alphabet and number


def write_line(number: int, body: bytes, *, width: int) -> str:
    """The line of ``body``, 25 bytes. ``width``: digits of the number in front."""
    assert number in NUMBERS
    assert len(body) == LINE_BYTES
    bits = int.from_bytes(body)
    data = [bits >> shift & 31 for shift in range(5 * (DATA_CHARS - 1), -1, -5)]
    text = _text(data)
    groups = [text[i : i + _GROUP_CHARS] for i in range(0, DATA_CHARS, _GROUP_CHARS)]
    return f"{number:0{width}d}  {' '.join(groups)} -{_text([*_remainder(number, [*data, 0, 0])])}"


def take_apart(text: str) -> Typed:
    """Letters and digits, and before them the number if it makes the line too long. All else is passed over.

    So blanks, dashes, ``> ``, ``1.``, ``01:`` and characters without width need no rule of their own.
    """
    chars = letters_and_digits(text)
    if LINE_CHARS < len(chars) <= LONGEST_CHARS:
        digits = [_VALUES.get(char, 31) for char in chars[:-LINE_CHARS]]  # a camera reads O7 and l2
        if max(digits) < 10:
            return Typed(int("".join(map(str, digits))), chars[-LINE_CHARS:])
    return Typed(None, chars)


def letters_and_digits(text: str) -> str:
    """Of whatever alphabet."""
    return "".join(char for char in text if char.isalnum())


def strange_at(chars: str) -> int | None:
    """Where the first character stands that no line has, from 0."""
    return next((at for at, char in enumerate(chars) if char not in _VALUES), None)


def read_line(chars: str) -> tuple[int, bytes] | None:
    """The number and the 25 bytes of a line without its number in front; None where its check fits no number."""
    if len(chars) != LINE_CHARS or strange_at(chars) is not None:
        return None
    symbols = [_VALUES[char] for char in chars]
    number = _numbers().get(_remainder(0, symbols))
    if number is None:
        return None
    bits = 0
    for symbol in symbols[:DATA_CHARS]:
        bits = bits << 5 | symbol
    return number, bits.to_bytes(LINE_BYTES)


@cache
def _numbers() -> dict[tuple[int, int], int]:
    """What a number alone leaves, and the number: a right line without its number leaves the same."""
    return {_remainder(number, [0] * LINE_CHARS): number for number in NUMBERS}


def _remainder(number: int, symbols: list[int]) -> tuple[int, int]:
    """Of the polynomial ``number`` ‖ ``symbols`` by y² + y + 3: the coefficients of y and of 1."""
    high = low = 0
    for symbol in (number >> 5, number & 31, *symbols):
        high, low = high ^ low, symbol ^ _times_three(high)  # y² = y + 3
    return high, low


def _times_three(symbol: int) -> int:
    doubled = symbol << 1
    return symbol ^ (doubled ^ _FIELD if doubled > 31 else doubled)


def _text(symbols: list[int]) -> str:
    return "".join(_ALPHABET[symbol] for symbol in symbols)
