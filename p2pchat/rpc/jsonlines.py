"""Strict JSON lines: one value a line of at most 1 MiB, UTF-8. No I/O.

The standard library's parser lets through what makes two readers disagree (duplicate keys, NaN, lone surrogates,
numbers beyond 2^53) or one reader fall over (depth): all of it is refused here. Numbers are whole: nothing on this
socket is a fraction.
"""

import binascii
import json
from typing import Final, NoReturn, TypeAlias

from p2pchat.errors import BadFormat
from p2pchat.limits import RPC_DEPTH, RPC_LINE_BYTES

SAFE_INTEGER: Final = 2**53 - 1  # what every JSON reader holds exactly (RFC 8259, section 6)
ELEMENTS: Final = 16_384  # values in one line; a full page has a tenth of that

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"


def decode(line: bytes) -> Json:
    """The value of one line, with or without its newline. Raises BadFormat."""
    if len(line) > RPC_LINE_BYTES:
        raise _bad(f"a line is longer than {RPC_LINE_BYTES} bytes")
    if _marks(line) > ELEMENTS and _is_crowded(line):
        raise _too_many()
    try:
        value: Json = _DECODER.decode(line.decode())
    except UnicodeDecodeError:
        raise _bad("a line is not UTF-8") from None
    except RecursionError:
        raise _bad(f"values are nested more than {RPC_DEPTH} deep") from None
    except json.JSONDecodeError as error:
        raise _bad(f"a line is not JSON: {error.msg} at character {error.pos}") from None
    _check_size(value)
    return value


def encode(value: object) -> bytes:
    """One line with its newline; bytes become base64. Raises BadFormat where it would be too long or is no text."""
    try:
        line = _ENCODER.encode(value).encode()
    except UnicodeEncodeError:
        raise _bad("a text is not valid Unicode") from None
    if len(line) >= RPC_LINE_BYTES:
        raise _bad(f"this does not fit into a line of {RPC_LINE_BYTES} bytes")
    return line + b"\n"


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    shape = dict(pairs)
    if len(shape) != len(pairs):
        raise _bad("an object names a field twice")
    return shape


def _whole(digits: str) -> int:
    value = int(digits) if len(digits) <= 17 else SAFE_INTEGER + 1
    if abs(value) > SAFE_INTEGER:
        raise _bad("a number is beyond 2^53")
    return value


def _fraction(text: str) -> NoReturn:
    raise _bad(f"numbers are whole, {text[:32]} is none")


def _base64(value: object) -> str:
    if isinstance(value, bytes):
        return binascii.b2a_base64(value, newline=False).decode()
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def _marks(line: bytes) -> int:
    """As many as the line has values, or a few more: each value but the first stands behind one of these."""
    return sum(line.count(mark) for mark in (b",", b":", b"[", b"{"))


def _is_crowded(line: bytes) -> bool:
    """Whether there are too many values, told without making one: 1 MiB of empty lists would become 25 MiB."""
    plain = line.replace(rb"\\", b"").replace(rb"\"", b"")
    if plain.count(b'"') > 2 * ELEMENTS:
        return True
    outside_texts = b"".join(plain.split(b'"')[::2])
    return _marks(outside_texts) > ELEMENTS


def _check_size(value: Json) -> None:
    """Bound depth and count, and refuse half characters, which no encoder could write again."""
    level, count = [value], 1
    for _ in range(RPC_DEPTH + 1):
        below: list[Json] = []
        for item in level:
            if isinstance(item, str):
                _check_text(item)
            elif isinstance(item, list):
                below += item
            elif isinstance(item, dict):
                below += item.keys()
                below += item.values()
        count += len(below)
        if not below:
            return
        if count > ELEMENTS:
            raise _too_many()
        level = below
    raise _bad(f"values are nested more than {RPC_DEPTH} deep")


def _check_text(text: str) -> None:
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _bad("a text holds half a character (a lone surrogate)") from None


def _too_many() -> BadFormat:
    return _bad(f"a line holds more than {ELEMENTS} values")


def _bad(what: str) -> BadFormat:
    return BadFormat(what, hint="p2pchat rpc schema")


# Made once: the module's own functions make one a call, which takes as long as reading a short line.
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_whole, parse_float=_fraction, parse_constant=_fraction
)
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_base64)
