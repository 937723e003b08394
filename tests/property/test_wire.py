"""Garbage gives BadFormat or a value, and nothing else; what was read is written back as the same bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.errors import BadFormat
from p2pchat.limits import CODEC_DEPTH
from p2pchat.wire import boundary, codec, structs
from p2pchat.wire.frames import FrameReader
from p2pchat.wire.shape import Struct

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.binary(max_size=40) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=6),
    max_leaves=30,
)
STRUCTS = sorted(
    (s for s in vars(structs).values() if isinstance(s, type) and issubclass(s, Struct) and s is not Struct),
    key=lambda s: s.__name__,
)


@given(st.binary(max_size=200))
def test_garbage_is_refused_or_canonical(raw: bytes) -> None:
    try:
        value = codec.unpack(raw)
    except BadFormat:
        return
    assert codec.pack(value) == raw


@given(VALUES)
def test_values_survive_or_are_too_deep(value: codec.Value) -> None:
    def depth(inner: codec.Value) -> int:
        return 1 + max(map(depth, inner), default=0) if isinstance(inner, list) else 0

    if depth(value) > CODEC_DEPTH:
        with pytest.raises(BadFormat, match="nested"):
            codec.unpack(codec.pack(value))
    else:
        assert codec.unpack(codec.pack(value)) == value


@given(st.sampled_from(STRUCTS), VALUES)
def test_no_value_breaks_a_structure(struct: type[Struct], value: codec.Value) -> None:
    listed = value if isinstance(value, list) else [value]
    for candidate in (value, [struct.LABEL, *listed] if struct.LABEL else listed):
        try:
            got = struct.from_value(candidate)
        except BadFormat:
            continue
        assert struct.decode(got.encode()) == got


@given(st.lists(st.binary(max_size=60), max_size=5))
def test_readers_take_any_stream(pieces: list[bytes]) -> None:
    for reader in (FrameReader(), boundary.BoundaryReader()):
        try:
            for piece in pieces:
                reader.feed(piece)
        except BadFormat:
            pass
