"""The ID blinded for a day: both halves agree, it signs as any Ed25519 key, and days are linked by who knows the ID."""

from hashlib import sha512

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.errors import BadSignature, CryptoError
from p2pchat.ids import UserId
from p2pchat.keys.blinding import DAY_S, BlindedKey, blinded_id, day_of, days_to_ask, verify
from tests.support.identities import stored_identity
from tests.support.reference_ed25519 import ORDER, PRIME, add, decode, encode, multiply

ME, YOU = stored_identity(0), stored_identity(1)
TODAY = 20_700
FRESH = bytes(range(32))


def test_who_knows_the_id_finds_the_key_that_its_owner_signs_with() -> None:
    for day in (0, TODAY, 2**32 - 1):
        assert BlindedKey.of(ME.scalar, day).public == blinded_id(ME.user, day)


def test_every_id_and_every_day_has_another_key() -> None:
    keys = [blinded_id(who.user, day) for who in (ME, YOU) for day in range(TODAY, TODAY + 50)]
    assert len(set(keys)) == 100
    assert ME.user not in keys


@given(message=st.binary(max_size=300), day=st.integers(0, 2**32 - 1), fresh=st.binary(min_size=32, max_size=32))
def test_what_it_signs_verifies_and_nothing_else_does(message: bytes, day: int, fresh: bytes) -> None:
    key = BlindedKey.of(ME.scalar, day)
    signature = key.sign(message, fresh)
    verify(key.public, day, message, signature)
    for other in (
        (key.public, day ^ 1, message, signature),
        (key.public, day, message + b"x", signature),
        (blinded_id(YOU.user, day), day, message, signature),
        (ME.user, day, message, signature),
        (key.public, day, message, signature[:63] + bytes([signature[63] ^ 1])),
        (key.public, day, message, signature[:-1]),
    ):
        with pytest.raises(BadSignature):
            verify(*other)


def test_the_plain_formulas_agree() -> None:
    """RFC 8032, 5.1.7: S·B = R + k·A."""
    key, message = BlindedKey.of(ME.scalar, TODAY), b"to a tracker"
    signature = key.sign(message, FRESH)
    signed = b"p2pchat/1/blind-sig" + TODAY.to_bytes(4) + message
    challenge = int.from_bytes(sha512(signature[:32] + key.public + signed).digest(), "little") % ORDER
    base = decode((4 * pow(5, -1, PRIME) % PRIME).to_bytes(32, "little"))
    left = multiply(int.from_bytes(signature[32:], "little"), base)
    right = add(decode(signature[:32]), multiply(challenge, decode(key.public)))
    assert encode(left) == encode(right)


def test_a_nonce_repeats_only_where_everything_does() -> None:
    key = BlindedKey.of(ME.scalar, TODAY)
    commitments = {
        key.sign(b"a", FRESH)[:32],
        key.sign(b"b", FRESH)[:32],
        key.sign(b"a", bytes(32))[:32],
        BlindedKey.of(ME.scalar, TODAY + 1).sign(b"a", FRESH)[:32],
    }
    assert len(commitments) == 4
    assert key.sign(b"a", FRESH) == key.sign(b"a", FRESH)


def test_days_begin_at_another_second_for_each_id() -> None:
    now_s = TODAY * DAY_S + 1234
    for who in (ME, YOU):
        day = day_of(who.user, now_s)
        begins_s = next(s for s in range(now_s, now_s + DAY_S) if day_of(who.user, s + 1) == day + 1) + 1
        assert days_to_ask(who.user, begins_s) == (day + 1, day)
        assert days_to_ask(who.user, begins_s + DAY_S // 2 - 1) == (day + 1, day)
        assert days_to_ask(who.user, begins_s + DAY_S // 2) == (day + 1, day + 2)
        assert days_to_ask(who.user, begins_s + DAY_S - 1) == (day + 1, day + 2)
    noon_s = TODAY * DAY_S + DAY_S // 2
    assert len({day_of(UserId(bytes([n]) * 32), noon_s) for n in range(64)}) == 2


@pytest.mark.parametrize("point", [bytes(32), b"\xff" * 32, bytes([2]) + bytes(31)])
def test_what_is_no_point_cannot_be_blinded(point: bytes) -> None:
    with pytest.raises(CryptoError):
        blinded_id(UserId(point), TODAY)
