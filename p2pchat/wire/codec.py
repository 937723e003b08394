"""Canonical msgpack, bounded before it is parsed.

What we accept is a subset: nil, booleans, integers of at most 64 bits, binary, UTF-8 text and arrays. No maps
(so no duplicate keys), floats (so no NaN) or extension types. There is exactly one accepted encoding of each
value, the shortest. Nesting and the number of elements are counted over the raw bytes *before* the library
allocates anything (walls 4.4: H038-H048), unless the bytes are so few that they cannot hold too much: then the
library reads them first, which is ten times as fast.
"""

from typing import Final

import msgpack

from p2pchat.errors import BadFormat
from p2pchat.limits import CODEC_DEPTH, CODEC_ELEMENTS

Value = None | bool | int | bytes | str | list["Value"]

_SCALARS: Final = frozenset({type(None), bool, int, bytes, str})

# First byte -> (bytes of header, how to read what follows). Payload lengths and counts are big-endian.
_BODY: Final = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}  # bin and str: width of the length
_ARRAY: Final = {0xDC: 2, 0xDD: 4}
_FIXED: Final = {
    0xC0: 0,
    0xC2: 0,
    0xC3: 0,
    0xCC: 1,
    0xCD: 2,
    0xCE: 4,
    0xCF: 8,
    0xD0: 1,
    0xD1: 2,
    0xD2: 4,
    0xD3: 8,
}


def pack(value: Value) -> bytes:
    """The one canonical encoding of ``value``."""
    encoded: bytes = msgpack.packb(value, use_bin_type=True)
    return encoded


def unpack(raw: bytes, *, depth: int = CODEC_DEPTH, elements: int = CODEC_ELEMENTS) -> Value:
    """Read one canonical value that fills ``raw`` exactly. Raises BadFormat."""
    few = len(raw) <= elements  # an element takes a byte at least, and costs the library at most 64
    if not few:
        _measure(raw, depth, elements)
    try:
        value: Value = msgpack.unpackb(raw, raw=False, use_list=True)
    except msgpack.ExtraData as error:
        raise BadFormat("bytes follow the end of the msgpack value") from error
    except msgpack.StackError as error:
        raise BadFormat(f"nested deeper than {depth}") from error
    except (ValueError, UnicodeDecodeError, msgpack.UnpackException) as error:
        raise BadFormat("bytes are no valid msgpack") from error
    if few:
        _check(value, depth)
    if msgpack.packb(value, use_bin_type=True) != raw:
        raise BadFormat("msgpack is not in its shortest form")
    return value


def _check(value: Value, depth: int) -> None:
    """Refuse what is nested too deep, or of a foreign type."""
    if type(value) is list:
        if depth == 0:
            raise BadFormat("msgpack is nested too deep")
        for item in value:
            if type(item) not in _SCALARS:
                _check(item, depth - 1)
    elif type(value) not in _SCALARS:
        raise BadFormat("msgpack holds a type that is never used here")


def _measure(raw: bytes, depth: int, elements: int) -> None:
    """Walk the headers only; refuse too deep, too many, cut short, trailing or foreign types."""
    end, at, seen = len(raw), 0, 0
    open_arrays = [1]  # how many values each open level still awaits
    while open_arrays:
        if open_arrays[-1] == 0:
            open_arrays.pop()
            continue
        open_arrays[-1] -= 1
        seen += 1
        if seen > elements:
            raise BadFormat(f"more than {elements} elements")
        if at >= end:
            raise BadFormat("msgpack is cut short")
        first = raw[at]
        at += 1
        if first <= 0x7F or first >= 0xE0:
            continue
        count = -1
        if 0xA0 <= first <= 0xBF:
            at += first & 0x1F
        elif 0x90 <= first <= 0x9F:
            count = first & 0x0F
        elif (width := _FIXED.get(first)) is not None:
            at += width
        elif (width := _BODY.get(first)) is not None:
            at += width + int.from_bytes(raw[at : at + width])
        elif (width := _ARRAY.get(first)) is not None:
            count = int.from_bytes(raw[at : at + width])
            at += width
        else:
            raise BadFormat("msgpack holds a type that is never used here")
        if count >= 0:
            if len(open_arrays) > depth:
                raise BadFormat(f"nested deeper than {depth}")
            if count > end - at:  # each element takes a byte at least
                raise BadFormat("msgpack is cut short")
            open_arrays.append(count)
    if at != end:
        raise BadFormat("msgpack is cut short" if at > end else "bytes follow the end of the msgpack value")
