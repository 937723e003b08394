import pytest

from p2pchat.channel import padding
from p2pchat.errors import BadFormat
from p2pchat.limits import FRAME_BODY_BYTES
from p2pchat.link.records import Sealer
from p2pchat.wire.frames import Frame, FrameType

BUCKETS = (256, 512, 1024, 2048, 4096, *range(8192, 73_729, 4096))


def on_the_wire(body_bytes: int) -> int:
    """What the link really makes of a frame with such a body."""
    frame = Frame(FrameType.ENVELOPE, bytes(body_bytes))
    return len(Sealer(bytes(32), now_s=0.0).seal([frame], now_s=0.0))


@pytest.mark.parametrize("least", [1, 100, 200, 213, 400, 900, 2_000, 4_000, 9_000, 16_000, 16_300, 33_000, 65_300])
def test_a_padded_frame_fills_a_record_of_the_link(least: int) -> None:
    room = padding.frame_room(least)
    assert least <= room <= FRAME_BODY_BYTES
    assert on_the_wire(room) in BUCKETS
    bucket = on_the_wire(room)
    smaller = max((size for size in BUCKETS if size < bucket), default=0)
    assert least + 12 + 32 * -(-bucket // 16384) > smaller  # no larger a bucket than needed


def test_sizes_step_at_the_edges() -> None:
    assert padding.frame_room(212) == 212
    assert on_the_wire(212) == 256
    assert padding.frame_room(213) == 468
    assert on_the_wire(468) == 512


def test_padding_comes_off_again() -> None:
    padded = padding.pad(b"content", 64, b"check")
    assert len(padded) == 64
    assert padding.unpad(padded, 5) == (b"content", b"check")


@pytest.mark.parametrize(
    "padded",
    [
        b"",
        b"\0\0\0",
        (5).to_bytes(4) + b"four",
        (4).to_bytes(4) + b"four" + b"che",  # no room for the check
        (2**32 - 1).to_bytes(4) + bytes(60),
        (4).to_bytes(4) + b"four" + b"check" + b"\0\1",  # something hidden in the padding
    ],
)
def test_a_padding_that_lies_is_refused(padded: bytes) -> None:
    hidden = padded.endswith(b"\1")
    with pytest.raises(BadFormat, match="else than zeros" if hidden else "longer than it is"):
        padding.unpad(padded, 5)
