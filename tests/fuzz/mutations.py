"""Hypothesis strategies: good input spoilt a little, as bytes and as the msgpack tree that it may be."""

from collections.abc import Callable
from typing import Final

import msgpack
from hypothesis import strategies as st

from p2pchat.errors import BadFormat
from p2pchat.wire import codec
from tests.fuzz.target import Target

AT: Final = st.integers(0, 2**32)
LENGTHS: Final = st.sampled_from(
    [bytes([n]) for n in (0, 1, 0x7F, 0x80, 0xFF)]
    + [n.to_bytes(2) for n in (0, 0x7FFF, 0x8000, 0xFFFF)]
    + [n.to_bytes(4) for n in (0, 2**31 - 1, 2**31, 2**32 - 1)]
    + [n.to_bytes(8) for n in (0, 2**53, 2**63 - 1, 2**63, 2**64 - 1)]
)
Spoil = Callable[[bytes, int, bytes], bytes]  # (good, where, more) -> spoilt


def _put(good: bytes, at: int, more: bytes) -> bytes:
    at %= len(good) + 1
    return good[:at] + more + good[at + len(more) :]


SPOILS: Final[dict[str, Spoil]] = {
    "flip a bit": lambda good, at, _: _put(good, at, bytes([good[at % len(good)] ^ 1 << at % 8])) if good else b"\1",
    "overwrite": _put,
    "insert": lambda good, at, more: good[: at % (len(good) + 1)] + more + good[at % (len(good) + 1) :],
    "cut": lambda good, at, _: good[: at % (len(good) + 1)],
    "delete": lambda good, at, more: good[: at % (len(good) + 1)] + good[at % (len(good) + 1) + len(more) :],
    "repeat": lambda good, at, more: good[: at % (len(good) + 1)] + good * (1 + len(more) % 3),
}
SCALARS: Final = (
    st.none()
    | st.booleans()
    | st.sampled_from([0, 1, -1, 2**31, 2**53, 2**63 - 1, 2**63, 2**64 - 1, -(2**63)])
    | st.binary(max_size=40)
    | st.text(max_size=20)
    | st.sampled_from([b"", bytes(16), bytes(32), bytes(1024), b"\xff" * 32, "\x00", "\x1b]0;x\x07", "\u202e"])
)
VALUES: Final = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=5), max_leaves=10)


@st.composite
def spoilt(draw: st.DrawFn, target: Target) -> bytes:
    """A good input after one to three spoils."""
    data = draw(st.sampled_from(target.seeds()))
    for _ in range(draw(st.integers(1, 3))):
        data = SPOILS[draw(st.sampled_from(sorted(SPOILS)))](data, draw(AT), draw(LENGTHS | st.binary(max_size=20)))
    return data


@st.composite
def rebuilt(draw: st.DrawFn, target: Target) -> bytes:
    """A good input in which one value of the msgpack tree, however deep, is another; all around it is well-formed."""
    data = draw(st.sampled_from(target.seeds()))
    for start in (0, 1):  # some targets choose by their first byte
        try:
            tree = codec.unpack(data[start:])
        except BadFormat:
            continue
        return data[:start] + msgpack.packb(_exchanged(draw, tree), use_bin_type=True)
    return SPOILS["overwrite"](data, draw(AT), draw(LENGTHS))


def _exchanged(draw: st.DrawFn, tree: codec.Value) -> codec.Value:
    if isinstance(tree, list) and tree and draw(st.integers(0, 9)):
        at = draw(st.integers(0, len(tree) - 1))
        match draw(st.sampled_from(["exchange", "exchange", "exchange", "drop", "double"])):
            case "drop":
                return tree[:at] + tree[at + 1 :]
            case "double":
                return [*tree[:at], tree[at], *tree[at:]]
            case _:
                return [*tree[:at], _exchanged(draw, tree[at]), *tree[at + 1 :]]
    if isinstance(tree, bytes) and len(tree) > 2 and draw(st.booleans()):
        try:
            inside = codec.unpack(tree)
        except BadFormat:
            return SPOILS["flip a bit"](tree, draw(AT), b"")
        return bytes(msgpack.packb(_exchanged(draw, inside), use_bin_type=True))
    value: codec.Value = draw(VALUES)
    return value
