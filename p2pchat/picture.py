"""The header of a picture, and nothing behind it: is it a PNG or JPEG, and how large would it unpack?

Nothing is decoded here. A few kilobytes can claim a billion pixels, so whoever will decode a picture asks first.
"""

from typing import Final

from p2pchat.errors import BadFormat

PIXELS: Final = 4096  # a side at most
_PNG: Final = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"  # PNG, sections 5.2 and 11.2.1: the header is the first chunk
_JPEG: Final = b"\xff\xd8\xff"
_WITHOUT_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xD8)})  # TEM and RSTn stand alone
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOFn: those three are DHT, JPG and DAC
_SCAN: Final = frozenset({0xD9, 0xDA})  # EOI, SOS: behind these no header comes any more
_SEGMENTS: Final = 256


def picture_size(data: bytes) -> tuple[int, int]:
    """(width, height) in pixels, 1 to 4096 each. Raises BadFormat for anything but such a PNG or JPEG."""
    if data.startswith(_PNG):
        size = _dimensions(data[16:24], 4)
    elif data.startswith(_JPEG):
        height, width = _jpeg_size(data)
        size = (width, height)
    else:
        raise BadFormat("it is neither PNG nor JPEG", hint="choose another picture")
    if not all(1 <= side <= PIXELS for side in size):
        raise BadFormat(
            f"a picture has 1 to {PIXELS} pixels a side, this claims {size[0]} x {size[1]}",
            hint="make it smaller, or cut out the codes",
        )
    return size


def _dimensions(field: bytes, width: int) -> tuple[int, int]:
    if len(field) < 2 * width:
        raise BadFormat("the picture is cut short", hint="choose another picture")
    return int.from_bytes(field[:width]), int.from_bytes(field[width:])


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """(height, width) of the first frame header (ITU-T T.81, B.1.1.4 and B.2.2)."""
    at = 2
    for _ in range(_SEGMENTS):
        if data[at : at + 1] != b"\xff":
            break
        while data[at : at + 1] == b"\xff":  # fill bytes
            at += 1
        marker = data[at] if at < len(data) else 0
        at += 1
        if marker in _WITHOUT_LENGTH:
            continue
        if marker in _FRAMES:
            return _dimensions(data[at + 3 : at + 7], 2)
        length = int.from_bytes(data[at : at + 2])
        if marker in _SCAN or length < 2 or at + length > len(data):
            break
        at += length
    raise BadFormat("the picture is damaged: a JPEG without a frame header", hint="choose another picture")
