"""The codec's bounds: catalogue section 4.4."""

import tracemalloc

import msgpack
import pytest

from p2pchat.errors import BadFormat
from p2pchat.limits import CODEC_DEPTH, CODEC_ELEMENTS
from p2pchat.wire import codec


def refused(raw: bytes) -> str:
    tracemalloc.start()
    try:
        with pytest.raises(BadFormat) as caught:
            codec.unpack(raw)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20, "refusing must not cost memory"
    finally:
        tracemalloc.stop()
    return caught.value.message


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        127,
        128,
        2**32,
        2**63,
        -1,
        -33,
        -(2**63),
        b"",
        b"x" * 300,
        "",
        "häß",
        [],
        [[1], [b"2", []]],
    ],
)
def test_values_survive(value: codec.Value) -> None:
    assert codec.unpack(codec.pack(value)) == value


@pytest.mark.parametrize(
    "head",
    [b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff"],
)
def test_H038_a_claimed_length_of_four_billion_is_refused(head: bytes) -> None:
    refused(head)


def test_H039_a_hundred_thousand_nested_arrays_are_refused() -> None:
    assert "nested" in refused(b"\x91" * 100_000 + b"\x00")


def test_H040_nesting_just_beyond_our_depth_is_refused() -> None:
    codec.unpack(b"\x91" * CODEC_DEPTH + b"\x00")
    assert "nested" in refused(b"\x91" * (CODEC_DEPTH + 1) + b"\x00")


def test_H041_a_megabyte_of_empty_containers_is_refused() -> None:
    assert "elements" in refused(b"\xdd\x00\x10\x00\x00" + b"\x90" * (1 << 20))
    codec.unpack(codec.pack([0] * (CODEC_ELEMENTS - 1)))
    assert "elements" in refused(codec.pack([0] * CODEC_ELEMENTS))


def test_H042_nested_headers_that_each_claim_a_million_are_refused() -> None:
    refused(b"\xdd\x00\x0f\x42\x40" * 400)


def test_H043_duplicate_keys_cannot_be_because_maps_are_refused() -> None:
    refused(b"\x82\xa1a\x01\xa1a\x02")


def test_H044_integer_keys_are_refused_with_the_map() -> None:
    refused(b"\x81\x01\x02")


def test_H045_bad_utf8_is_refused() -> None:
    refused(b"\xa2\xff\xfe")


def test_H046_floats_are_refused() -> None:
    refused(msgpack.packb(float("nan")))
    refused(msgpack.packb(1.5, use_single_float=True))


def test_H047_extension_types_are_refused() -> None:
    refused(msgpack.packb(msgpack.ExtType(5, b"x")))
    refused(msgpack.packb(msgpack.Timestamp(1)))


def test_H048_trailing_bytes_are_refused() -> None:
    assert "follow" in refused(b"\x01\x01")
    refused(b"")


@pytest.mark.parametrize(
    "raw",
    [b"\xcc\x01", b"\xcd\x00\xff", b"\xd9\x01a", b"\xc5\x00\x01a", b"\xdc\x00\x01\x00", b"\xd3" + bytes(8)],
)
def test_H049_longer_forms_than_needed_are_refused(raw: bytes) -> None:
    assert "shortest" in refused(raw)
