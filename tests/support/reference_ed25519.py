"""Edwards25519 in the plain formulas of RFC 8032, section 5.1: slow, independent of every library. For vectors only."""

from typing import Final

PRIME: Final = 2**255 - 19
ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, -1, PRIME) % PRIME
_ROOT_OF_MINUS_ONE: Final = pow(2, (PRIME - 1) // 4, PRIME)
Point = tuple[int, int]


def decode(raw: bytes) -> Point:
    number = int.from_bytes(raw, "little")
    y, sign = number & (2**255 - 1), number >> 255
    square = (y * y - 1) * pow(_D * y * y + 1, -1, PRIME) % PRIME
    x = pow(square, (PRIME + 3) // 8, PRIME)
    if x * x % PRIME != square:
        x = x * _ROOT_OF_MINUS_ONE % PRIME
    assert x * x % PRIME == square, "not on the curve"
    return (PRIME - x if x & 1 != sign else x), y


def encode(point: Point) -> bytes:
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


def add(one: Point, other: Point) -> Point:
    (x1, y1), (x2, y2) = one, other
    twist = _D * x1 * x2 * y1 * y2 % PRIME
    x = (x1 * y2 + x2 * y1) * pow(1 + twist, -1, PRIME)
    y = (y1 * y2 + x1 * x2) * pow(1 - twist, -1, PRIME)
    return x % PRIME, y % PRIME


def multiply(scalar: int, point: Point) -> Point:
    total: Point = (0, 1)
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point = add(point, point)
        scalar >>= 1
    return total


BASE: Final = decode((4 * pow(5, -1, PRIME) % PRIME).to_bytes(32, "little"))
