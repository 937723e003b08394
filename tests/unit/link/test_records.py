"""Records: padding, masking, rekeying, and what damage does."""

import random

import pytest

from p2pchat.errors import BadFormat, CryptoError, P2PChatError
from p2pchat.limits import FRAME_BODY_BYTES, REKEY_RECORDS, REKEY_S
from p2pchat.link import records
from p2pchat.link.records import BUCKETS, CONTENT_BYTES, Opener, Sealer, record_size
from p2pchat.wire.frames import HEADER_BYTES, Frame, FrameType

SECRET = bytes(range(32))


def pair() -> tuple[Sealer, Opener]:
    return Sealer(SECRET, now_s=0.0), Opener(SECRET)


def envelope(length: int, fill: bytes = b"x") -> Frame:
    return Frame(FrameType.ENVELOPE, fill * length)


def test_frames_come_out_as_they_went_in() -> None:
    sealer, opener = pair()
    frames = [
        Frame(FrameType.PING, b"12345678"),
        envelope(0),
        envelope(FRAME_BODY_BYTES),
        Frame(40, b"g", critical=True),
    ]
    assert opener.feed(sealer.seal(frames, now_s=1.0)) == frames
    assert not opener.incomplete


@pytest.mark.parametrize("size", BUCKETS)
def test_a_record_is_a_whole_bucket_on_the_wire(size: int) -> None:
    used = size - 21  # masked size 2, flags and used 3, tag 16
    for length, expected in ((used, size), (used - 1, size)):
        assert record_size(length) == expected
        sealer, _ = pair()
        assert len(sealer.seal([envelope(length - HEADER_BYTES)], now_s=0.0)) == expected


def test_small_signals_share_one_bucket() -> None:
    sizes = {len(pair()[0].seal([envelope(n)], now_s=0.0)) for n in range(223)}
    assert sizes == {256}


def test_several_frames_share_a_record_and_a_long_one_spans_records() -> None:
    sealer, opener = pair()
    assert len(sealer.seal([envelope(40)] * 4, now_s=0.0)) == 256
    sealer, opener = pair()
    sealed = sealer.seal([envelope(60_000)], now_s=0.0)
    assert len(sealed) == 3 * 16384 + record_size(60_000 + HEADER_BYTES - 3 * CONTENT_BYTES)
    assert opener.feed(sealed) == [envelope(60_000)]


def test_any_cut_of_the_stream_gives_the_same_frames() -> None:
    sealer, opener = pair()
    frames = [envelope(n * 37) for n in range(60)]
    stream = b"".join(sealer.seal([frame], now_s=0.0) for frame in frames)
    cuts = random.Random(4)
    got: list[Frame] = []
    at = 0
    while at < len(stream):
        step = cuts.choice((1, 2, 3, 100, 5000))
        got += opener.feed(stream[at : at + step])
        at += step
    assert got == frames


def test_lengths_do_not_show_on_the_wire() -> None:
    sealer, _ = pair()
    firsts = {sealer.seal([envelope(1)], now_s=0.0)[:2] for _ in range(100)}
    assert len(firsts) > 90
    assert b"SCHT" not in sealer.seal([envelope(1000)], now_s=0.0)


def test_both_ends_rekey_after_1000_records() -> None:
    sealer, opener = pair()
    for number in range(2 * REKEY_RECORDS + 5):
        frame = envelope(4, number.to_bytes(4))
        assert opener.feed(sealer.seal([frame], now_s=0.0)) == [frame]
    assert sealer._keys.records == opener._keys.records == 5


def test_both_ends_rekey_after_an_hour() -> None:
    sealer, opener = pair()
    for now_s in (1.0, REKEY_S + 1.0, REKEY_S + 2.0):
        assert opener.feed(sealer.seal([envelope(9)], now_s=now_s)) == [envelope(9)]
    assert sealer._keys.records == opener._keys.records == 1  # the second record was the last under its keys


def test_a_peer_that_never_rekeys_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    sealer, opener = pair()
    monkeypatch.setattr(records, "REKEY_RECORDS", 10**9)
    sealed = [sealer.seal([envelope(1)], now_s=0.0) for _ in range(REKEY_RECORDS)]
    monkeypatch.undo()
    for record in sealed[:-1]:
        opener.feed(record)
    with pytest.raises(BadFormat):
        opener.feed(sealed[-1])


def test_H020_repeated_skipped_and_swapped_records_are_refused() -> None:
    sealer, _ = pair()
    first, second, third = (sealer.seal([envelope(n)], now_s=0.0) for n in (1, 2, 3))
    for damaged in (first + first, first + third, second + first, third):
        with pytest.raises(P2PChatError):
            Opener(SECRET).feed(damaged)


def test_H021_every_flipped_bit_is_refused_alike() -> None:
    sealer, _ = pair()
    record = sealer.seal([envelope(3)], now_s=0.0)
    messages = set()
    for bit in range(len(record) * 8):
        damaged = bytearray(record)
        damaged[bit // 8] ^= 1 << bit % 8
        opener = Opener(SECRET)
        try:  # a flipped length may name a longer record, whose tag fails once it is whole
            frames = opener.feed(bytes(damaged) + bytes(BUCKETS[-1]))
        except CryptoError as error:
            messages.add(error.message)
        else:
            pytest.fail(f"bit {bit} went unnoticed: {frames}")
    assert messages == {"a record is damaged"}


def test_truncation_is_never_an_end() -> None:
    sealer, _ = pair()
    record = sealer.seal([envelope(3)], now_s=0.0)
    for length in range(1, len(record)):
        opener = Opener(SECRET)
        assert opener.feed(record[:length]) == []
        assert opener.incomplete


def test_an_error_is_final() -> None:
    sealer, opener = pair()
    with pytest.raises(CryptoError):
        opener.feed(bytes(BUCKETS[-1]))
    with pytest.raises(CryptoError):
        opener.feed(sealer.seal([envelope(1)], now_s=0.0))


def test_the_next_good_record_does_not_make_a_damaged_one_good() -> None:
    """Its number and mask would fit: only the memory of the error refuses it."""
    sealer, opener = pair()
    damaged, good = (sealer.seal([envelope(n)], now_s=0.0) for n in (1, 2))
    with pytest.raises(CryptoError):
        opener.feed(damaged[:-1] + bytes([damaged[-1] ^ 1]))
    with pytest.raises(CryptoError, match="ended with a damaged record"):
        opener.feed(good)


def forged(plaintext: bytes) -> bytes:
    """A record with a valid tag around a plaintext of the attacker's, as an authenticated peer can make it."""
    keys = records._KeySchedule(SECRET)
    masked = keys.mask((len(plaintext) + 18).to_bytes(2))
    return masked + keys.aead.encrypt(keys.next_nonce(), plaintext, masked)


@pytest.mark.parametrize(
    "plaintext",
    [
        pytest.param(b"\x00\xff\xff".ljust(238, b"\0"), id="used beyond the record"),
        pytest.param(b"\x00\x00\xec".ljust(238, b"\0"), id="used one beyond the record"),
        pytest.param(b"\x00\x00\x00".ljust(238, b"\0"), id="nothing used"),
        pytest.param((b"\x00\x00\x0c" + envelope(0).encode()).ljust(237, b"\0") + b"\x01", id="padding not zero"),
        pytest.param((b"\x80\x00\x0c" + envelope(0).encode()).ljust(238, b"\0"), id="unknown flag"),
    ],
)
def test_H027_padding_that_cannot_be_is_refused(plaintext: bytes) -> None:
    with pytest.raises(BadFormat):
        Opener(SECRET).feed(forged(plaintext))


@pytest.mark.parametrize("length", [73 * 1024, 2**31, 2**32 - 1])
def test_H015_a_frame_length_beyond_the_limit_is_refused(length: int) -> None:
    header = b"SCHT\x00\x01" + length.to_bytes(4) + b"\x00\x07"
    with pytest.raises(BadFormat):
        Opener(SECRET).feed(forged((b"\x00\x00\x0c" + header).ljust(238, b"\0")))


def test_H015_a_record_size_that_is_no_bucket_is_refused() -> None:
    for size in (0, 1, 255, 257, 16385, 65535):
        keys = records._KeySchedule(SECRET)
        with pytest.raises(CryptoError):
            Opener(SECRET).feed(keys.mask(size.to_bytes(2)) + bytes(70000))


def test_H019_an_unknown_frame_version_is_refused() -> None:
    header = b"SCHT\x00\x02" + bytes(4) + b"\x00\x07"
    with pytest.raises(BadFormat):
        Opener(SECRET).feed(forged((b"\x00\x00\x0c" + header).ljust(238, b"\0")))
