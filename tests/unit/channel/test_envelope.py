from dataclasses import replace

import pytest

from p2pchat.channel import envelope
from p2pchat.channel.envelope import DamagedEnvelope, Header, UnopenableEnvelope, WrongBodyCheck
from p2pchat.errors import BadFormat
from p2pchat.ids import EpochId
from p2pchat.limits import FRAME_BODY_BYTES, TEXT_BYTES
from p2pchat.wire.checksum import md5

KEY, ROUTE, NONCE = b"k" * 32, bytes(range(96)), b"n" * 24
HEADER = Header(EpochId(b"epoch id"), 7)


def sealed(body: bytes = b"a body") -> bytes:
    return envelope.seal(HEADER, KEY, ROUTE, body, NONCE)


def opened(frame: bytes, *, key: bytes = KEY, route: bytes = ROUTE) -> bytes:
    envelope.check_damage(frame)
    envelope.parse_header(frame)
    return envelope.open_with(key, route, frame)


def mended(frame: bytes) -> bytes:
    """With a right md5_ct: what a forger can always do."""
    return frame[:-16] + md5(frame[:-16])


@pytest.mark.parametrize("size", [0, 1, 100, 500, TEXT_BYTES + 300])
def test_a_body_comes_back(size: int) -> None:
    assert opened(sealed(bytes(size))) == bytes(size)
    assert envelope.parse_header(sealed(bytes(size))) == HEADER
    assert len(sealed(bytes(size))) <= FRAME_BODY_BYTES


def test_short_messages_have_one_size() -> None:
    assert {len(sealed(bytes(size))) for size in range(130, 370, 10)} == {468}


def test_every_flipped_bit_is_damage() -> None:
    frame = sealed()
    for at in range(len(frame)):
        broken = frame[:at] + bytes([frame[at] ^ 0x40]) + frame[at + 1 :]
        with pytest.raises(DamagedEnvelope):
            opened(broken)


def test_every_byte_is_authenticated_even_with_a_mended_check() -> None:
    frame = sealed()
    for at in range(len(frame) - 16):
        broken = mended(frame[:at] + bytes([frame[at] ^ 1]) + frame[at + 1 :])
        with pytest.raises((UnopenableEnvelope, BadFormat)):
            opened(broken)


def test_another_key_or_route_does_not_open() -> None:
    with pytest.raises(UnopenableEnvelope):
        opened(sealed(), key=b"K" * 32)
    with pytest.raises(UnopenableEnvelope):
        opened(sealed(), route=ROUTE[48:] + ROUTE[:48])  # sent back to its sender


def test_a_body_damaged_before_it_was_sealed_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(envelope, "md5", lambda *parts: md5(*parts) if len(parts[0]) > 6 else b"0" * 16)
        frame = sealed(b"a body")
    with pytest.raises(WrongBodyCheck):
        opened(frame)


@pytest.mark.parametrize("size", [0, 13, 89, FRAME_BODY_BYTES + 1])
def test_impossible_sizes_are_refused_before_anything_is_read(size: int) -> None:
    with pytest.raises(BadFormat, match="bytes"):
        envelope.check_damage(bytes(size))


@pytest.mark.parametrize(("at", "value"), [(0, 2), (13, 0x02), (13, 0x80)])
def test_a_newer_version_or_an_unknown_flag_says_so(at: int, value: int) -> None:
    frame = sealed()
    with pytest.raises(BadFormat, match="newer version"):
        envelope.parse_header(mended(frame[:at] + bytes([value]) + frame[at + 1 :]))


# --- a key of its own (rsa = "every") ---------------------------------------------------------------------------------

WITH_LEG, LEG = replace(HEADER, has_leg=True), bytes(range(256)) * 4


def test_an_envelope_may_hold_a_leg_which_is_authenticated_with_the_rest() -> None:
    frame = envelope.seal(WITH_LEG, KEY, ROUTE, b"a body", NONCE, LEG)
    envelope.check_damage(frame)
    assert envelope.parse_header(frame) == WITH_LEG
    assert envelope.leg_of(frame) == LEG
    assert envelope.open_with(KEY, ROUTE, frame, LEG) == b"a body"
    other = mended(frame[:38] + bytes(1024) + frame[38 + 1024 :])
    with pytest.raises(UnopenableEnvelope):
        envelope.open_with(KEY, ROUTE, other, envelope.leg_of(other))


def test_a_leg_cannot_be_denied_or_invented() -> None:
    frame = envelope.seal(WITH_LEG, KEY, ROUTE, b"a body", NONCE, LEG)
    with pytest.raises(UnopenableEnvelope):
        opened(mended(frame[:13] + b"\0" + frame[14:]))
    with pytest.raises(BadFormat, match="too short"):
        opened(mended(sealed()[:13] + b"\1" + sealed()[14:]))


def test_the_longest_text_with_a_leg_still_fits_a_frame() -> None:
    assert len(envelope.seal(WITH_LEG, KEY, ROUTE, bytes(TEXT_BYTES + 300), NONCE, LEG)) <= FRAME_BODY_BYTES
