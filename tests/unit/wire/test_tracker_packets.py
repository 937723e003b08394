"""Packets between trackers and clients: sizes, and that no answer is longer than what was asked."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.errors import BadFormat
from p2pchat.wire import tracker_packets as packets
from p2pchat.wire.tracker_packets import ANSWERS, REQUESTS, Packet, Type, decode, refresh_s

SIZES = {
    "Register": 141, "Registered": 53, "Announce": 199, "Announced": 13, "Refresh": 21, "Refreshed": 9, "Leave": 21,
    "Query": 171, "Found": 171, "Mail": 512, "Mailed": 11, "Fetch": 492, "Fetched": 486, "Question": 637,
    "Questioned": 13, "Ask": 609, "Asked": 609, "Trouble": 7, "Cookie": 9,
}  # fmt: skip


def sample(kind: type[Packet], fill: int = 7) -> Packet:
    """One of that type."""
    values = kind.FORM.unpack(bytes([fill]) * kind.FORM.size)
    return kind(**dict(zip((f.name for f in fields(kind)), values, strict=True)))


def test_sizes_are_frozen() -> None:
    assert {kind.__name__: kind.size() for kind in (*REQUESTS, *ANSWERS)} == SIZES


def test_no_answer_is_longer_than_its_question() -> None:
    answers = {kind.KIND: kind.size() for kind in ANSWERS}
    for kind in REQUESTS:
        longest = max(answers.get(kind.KIND, 0), packets.Trouble.size(), packets.Cookie.size())
        assert kind.size() >= longest
    assert Type.LEAVE not in answers


def test_all_fit_a_datagram_that_no_network_cuts() -> None:
    assert max(SIZES.values()) <= 1200


@pytest.mark.parametrize("kind", [*REQUESTS, *ANSWERS])
def test_each_comes_back_and_is_no_other(kind: type[Packet]) -> None:
    packet = sample(kind)
    raw = packet.encode()
    assert len(raw) == kind.size()
    assert decode(raw) == packet == kind.decode(raw)
    for wrong in (raw[:-1], raw + b"\0", bytes([raw[0] ^ 0x10]) + raw[1:], b""):
        with pytest.raises(BadFormat):
            kind.decode(wrong)
    others = [other for other in (*REQUESTS, *ANSWERS) if other is not kind]
    for other in others:
        with pytest.raises(BadFormat):
            other.decode(raw)


@given(st.binary(max_size=700))
def test_noise_is_no_packet_or_one_that_comes_back(raw: bytes) -> None:
    try:
        packet = decode(raw)
    except BadFormat:
        return
    assert len(packet.encode()) == len(raw)


def test_how_long_a_client_waits() -> None:
    assert [refresh_s(code) for code in (0, 4, 8, 28)] == [60, 120, 240, 7680]
    assert refresh_s(255) == 24 * 3600
