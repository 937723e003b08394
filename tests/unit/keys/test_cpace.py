"""A shared password, agreed on without showing it: who has another one learns that, and nothing else."""

from hashlib import shake_256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.errors import AuthFailed, BadFormat
from p2pchat.keys.cpace import FRESH_BYTES, Exchange
from tests.support.reference_ed25519 import ORDER, decode, encode, multiply

CHANNEL = b"both IDs and a link"
LOW_ORDER = [
    (1).to_bytes(32, "little"),  # the identity
    (2**255 - 20).to_bytes(32, "little"),  # order 2
    bytes(32),  # order 4
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),  # order 8
]


def fresh(name: str) -> bytes:
    return shake_256(name.encode()).digest(FRESH_BYTES)


def begin(password: bytes, name: str, channel: bytes = CHANNEL, about: bytes = b"") -> Exchange:
    return Exchange.begin(password, channel, about=about, fresh=fresh(name))


@given(password=st.binary(max_size=300), about=st.tuples(st.binary(max_size=40), st.binary(max_size=40)))
def test_who_share_a_password_share_a_key(password: bytes, about: tuple[bytes, bytes]) -> None:
    ann, ben = begin(password, "ann", about=about[0]), begin(password, "ben", about=about[1])
    one, other = ann.finish(ben.point, about[1]), ben.finish(ann.point, about[0])
    one.check(other.own_tag)
    other.check(one.own_tag)
    assert one.key == other.key
    assert one.own_tag != other.own_tag


@pytest.mark.parametrize("different", ["password", "channel", "about", "said"])
def test_whoever_differs_in_anything_learns_that_alone(different: str) -> None:
    ann = begin(b"tea at five", "ann", about=b"a")
    password = b"tea at six" if different == "password" else b"tea at five"
    ben = begin(password, "ben", b"another link" if different == "channel" else CHANNEL, about=b"b")
    one = ann.finish(ben.point, b"c" if different == "about" else b"b")
    other = ben.finish(ann.point, b"d" if different == "said" else b"a")
    for mine, theirs in ((one, other), (other, one)):
        with pytest.raises(AuthFailed):
            mine.check(theirs.own_tag)
    assert one.key != other.key


def test_what_goes_over_the_wire_is_another_each_time() -> None:
    points = {begin(b"tea", f"try {n}").point for n in range(20)}
    assert len(points) == 20


@pytest.mark.parametrize("point", [*LOW_ORDER, b"\xff" * 32, bytes([2]) + bytes(31), b"", bytes(31), bytes(33)])
def test_what_is_no_point_of_the_group_is_refused(point: bytes) -> None:
    with pytest.raises(BadFormat):
        begin(b"tea", "ann").finish(point)


def test_a_point_or_a_tag_that_comes_back_proves_nothing() -> None:
    ann, ben = begin(b"tea", "ann"), begin(b"tea", "ben")
    with pytest.raises(BadFormat, match="own point"):
        ann.finish(ann.point)
    agreed = ann.finish(ben.point)
    with pytest.raises(AuthFailed):
        agreed.check(agreed.own_tag)


def test_the_plain_formulas_agree() -> None:
    """x·(y·G) = y·(x·G), by arithmetic of its own."""
    ann, ben = begin(b"tea", "ann"), begin(b"tea", "ben")
    scalar = int.from_bytes(fresh("ann"), "little") % ORDER
    other = int.from_bytes(fresh("ben"), "little") % ORDER
    assert encode(multiply(scalar, decode(ben.point))) == encode(multiply(other, decode(ann.point)))


def test_the_exchange_is_frozen() -> None:
    ann, ben = begin(b"tea at five", "ann", about=b"a"), begin(b"tea at five", "ben", about=b"b")
    agreed = ann.finish(ben.point, b"b")
    assert (ann.point.hex(), ben.point.hex(), agreed.own_tag.hex(), agreed.key.hex()) == (POINT_A, POINT_B, TAG, KEY)


POINT_A = "daba6b400863de1493ba91627816b9388ea54663d830809b71972ed929bc71f8"
POINT_B = "e0cf981c8699bc71499e2365b15166e72c1d8721279bb2806f4a2dd3fc52c39d"
TAG = "7139b8676edc29b28469899b5ee8a3c9d29edffe1111a816ceaa5f121340eb4f"
KEY = "12650971dc70db1e486da0f5107f24a0c83d6c08f8e1f8de6d635db91c940981"
