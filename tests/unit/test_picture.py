"""A picture's header: what it claims, bounded, and nothing decoded."""

import struct
import zlib

import pytest

from p2pchat.errors import BadFormat
from p2pchat.picture import PIXELS, picture_size


def png(width: int, height: int) -> bytes:
    """A whole PNG of black pixels in grey."""
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress((b"\0" + bytes(width)) * height) if width * height < 10**6 else b""),
        (b"IEND", b""),
    )
    packed = (len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4) for name, data in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(data) + 2).to_bytes(2) + data


def jpeg(width: int, height: int, *before: bytes, frame: int = 0xC0) -> bytes:
    header = segment(frame, struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\0")
    return b"\xff\xd8" + b"".join(before) + header + segment(0xDA, bytes(6)) + b"\xff\xd9"


JFIF = segment(0xE0, b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0")
TABLES = segment(0xDB, bytes(65)) + segment(0xC4, bytes(30))


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (png(3, 5), (3, 5)),
        (png(PIXELS, PIXELS), (PIXELS, PIXELS)),
        (jpeg(640, 480), (640, 480)),
        (jpeg(7, 9, JFIF, TABLES, frame=0xC2), (7, 9)),
        (jpeg(7, 9, JFIF, b"\xff\xff\xff" + segment(0xFE, b"fill bytes before it")), (7, 9)),
        (jpeg(1, 1, b"\xff\x01", b"\xff\xd0"), (1, 1)),
    ],
)
def test_the_size_is_read(data: bytes, size: tuple[int, int]) -> None:
    assert picture_size(data) == size


@pytest.mark.parametrize("size", [(0, 1), (1, 0), (PIXELS + 1, 1), (1, PIXELS + 1), (20_000, 20_000), (2**31, 2**31)])
def test_h067_a_picture_that_would_unpack_too_large_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(BadFormat, match="pixels a side"):
        picture_size(png(*size))
    if max(size) < 2**16:
        with pytest.raises(BadFormat, match="pixels a side"):
            picture_size(jpeg(*size))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a\x01\0\x01\0",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\x89PNG\r\n\x1a\n",
        png(3, 5)[:20],
        b"\x89PNG\r\n\x1a\n" + png(3, 5)[8:].replace(b"IHDR", b"tEXt"),
        b"\xff\xd8\xff",
        jpeg(3, 5)[:8],
        b"\xff\xd8" + JFIF + segment(0xDA, bytes(6)) + jpeg(3, 5)[2:],  # a frame behind the scan is no header
        b"\xff\xd8\xff\xe0\x00\x01" + bytes(40),
        b"\xff\xd8\xff\xe0\xff\xff" + bytes(40),
        b"\xff\xd8" + b"\xff\xd0" * 5000 + jpeg(3, 5)[2:],
        b"\xff\xd8" + b"\xff" * 5000,
    ],
)
def test_what_is_no_whole_header_is_refused(data: bytes) -> None:
    with pytest.raises(BadFormat):
        picture_size(data)


def test_every_truncation_is_refused_or_tells_the_same_size() -> None:
    for whole in (png(3, 5), jpeg(3, 5, JFIF, TABLES)):
        for length in range(len(whole)):
            try:
                assert picture_size(whole[:length]) == (3, 5)
            except BadFormat:
                continue
