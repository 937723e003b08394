import pytest

from p2pchat.errors import BadFormat
from p2pchat.limits import FRAME_BODY_BYTES
from p2pchat.wire.frames import CLASS_OF, HEADER_BYTES, Frame, FrameReader, FrameType

TWO = [Frame(FrameType.HELLO, b"abc"), Frame(FrameType.ENVELOPE, b"", critical=True)]


def test_frames_come_whole_however_the_stream_is_cut() -> None:
    raw = b"".join(f.encode() for f in TWO)
    for at in range(len(raw) + 1):
        reader = FrameReader()
        assert reader.feed(raw[:at]) + reader.feed(raw[at:]) == TWO
    reader = FrameReader()
    assert [frame for byte in raw for frame in reader.feed(bytes([byte]))] == TWO


def test_every_type_has_a_class() -> None:
    assert set(CLASS_OF) == set(FrameType)


@pytest.mark.parametrize("length", [FRAME_BODY_BYTES + 1, 2**31, 2**32 - 1])
def test_H015_a_length_beyond_the_limit_is_refused_from_the_header_alone(length: int) -> None:
    header = bytearray(Frame(1, b"").encode())
    header[6:10] = length.to_bytes(4)
    with pytest.raises(BadFormat, match="claims"):
        FrameReader().feed(bytes(header))


def test_a_foreign_magic_or_version_is_refused() -> None:
    good = Frame(1, b"x").encode()
    for changed in (b"X" + good[1:], good[:5] + b"\x07" + good[6:]):
        with pytest.raises(BadFormat):
            FrameReader().feed(changed)
    assert len(good) == HEADER_BYTES + 1


def test_a_body_too_long_to_send_is_refused() -> None:
    with pytest.raises(BadFormat):
        Frame(1, bytes(FRAME_BODY_BYTES + 1)).encode()
