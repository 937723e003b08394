"""Units of handshake messages: their masked lengths."""

import pytest

from p2pchat.errors import BadFormat
from p2pchat.link.framing import UnitReader, wrap

PSK = bytes(range(32))


def message(fill: int, length: int = 1260) -> bytes:
    return bytes([fill]) * 32 + bytes(length - 32)


def test_what_follows_a_unit_is_kept() -> None:
    reader = UnitReader(PSK, 1, limit=2048)
    assert reader.feed(wrap(message(1), PSK, 1) + b"more") == message(1)
    assert reader.rest == b"more"


def test_equal_lengths_do_not_look_alike() -> None:
    masked = {wrap(message(fill), PSK, 1)[32:34] for fill in range(100)}
    assert len(masked) > 90
    assert len({wrap(message(1), PSK, number)[32:34] for number in (1, 2, 3)}) == 3


def test_a_length_beyond_the_bound_is_refused_before_it_is_awaited() -> None:
    unit = wrap(message(1, 2049), PSK, 1)
    reader = UnitReader(PSK, 1, limit=2048)
    with pytest.raises(BadFormat):
        reader.feed(unit[:34])


def test_a_length_that_ends_within_the_head_is_refused() -> None:
    short = wrap(message(1, 32), PSK, 1)
    with pytest.raises(BadFormat):
        UnitReader(PSK, 1, limit=2048).feed(short)


def test_another_id_finds_another_length() -> None:
    lengths = set()
    for fill in range(50):
        reader = UnitReader(bytes(32), 1, limit=65535)
        assert reader.feed(wrap(message(fill), PSK, 1)[:34]) is None
        lengths.add(reader._length)
    assert len(lengths) > 40
