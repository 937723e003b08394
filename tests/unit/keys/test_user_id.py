"""Q = D0 + t·B, checked against the formulas of protocol.md 2.2 written out with a second, independent curve."""

import hashlib
import hmac

import pytest

from p2pchat.errors import CryptoError
from p2pchat.keys.user_id import discovery_scalar, genesis_fingerprint, public_point, user_id, user_scalar
from tests.support import reference_ed25519 as curve
from tests.support.identities import stored_root

SECRET = stored_root(0).secret
GENESIS = b"any bytes will do here"
D0 = public_point(discovery_scalar(SECRET))
LOW_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",  # the neutral element
    "0000000000000000000000000000000000000000000000000000000000000000",  # order 4
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",  # order 8
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # order 2
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # not canonical
    "0200000000000000000000000000000000000000000000000000000000000000",  # not on the curve
]


def _hkdf(secret: bytes, info: bytes, length: int) -> bytes:
    prk = hmac.digest(bytes(32), secret, "sha256")
    out, block = b"", b""
    for i in range(1, 1 + (length + 31) // 32):
        block = hmac.digest(prk, block + info + bytes([i]), "sha256")
        out += block
    return out[:length]


def _reduced(digest: bytes) -> int:
    return int.from_bytes(digest, "little") % curve.ORDER


def test_the_id_is_what_the_formulas_say() -> None:
    d0 = _reduced(_hkdf(SECRET, b"p2pchat/1/discovery", 64))
    discovery = curve.encode(curve.multiply(d0, curve.BASE))
    gfp = hashlib.new("sha512_256", b"p2pchat/1/gfp" + GENESIS).digest()
    t = _reduced(hashlib.sha512(b"p2pchat/1/id-tweak" + discovery + gfp).digest())
    user = curve.encode(curve.add(curve.decode(discovery), curve.multiply(t, curve.BASE)))
    assert discovery == D0
    assert genesis_fingerprint(GENESIS) == gfp
    assert user_id(D0, GENESIS) == user
    assert user_scalar(SECRET, GENESIS) == ((d0 + t) % curve.ORDER).to_bytes(32, "little")


def test_the_scalar_belongs_to_the_id() -> None:
    assert public_point(user_scalar(SECRET, GENESIS)) == user_id(D0, GENESIS)


def test_another_genesis_or_another_root_is_another_id() -> None:
    other = public_point(discovery_scalar(stored_root(1).secret))
    assert len({user_id(D0, GENESIS), user_id(D0, GENESIS + b"."), user_id(other, GENESIS)}) == 3


@pytest.mark.parametrize("point", LOW_ORDER)
def test_a_discovery_key_is_a_point_of_prime_order(point: str) -> None:
    with pytest.raises(CryptoError, match="discovery key"):
        user_id(bytes.fromhex(point), GENESIS)


def test_a_point_with_a_low_order_part_is_refused() -> None:
    two = curve.decode(bytes.fromhex(LOW_ORDER[3]))
    mixed = curve.encode(curve.add(curve.decode(D0), two))
    with pytest.raises(CryptoError, match="discovery key"):
        user_id(mixed, GENESIS)


def test_zero_has_no_public_key() -> None:
    with pytest.raises(CryptoError):
        public_point(bytes(32))
