"""WebSocket frames: every rule of RFC 6455 that keeps a peer honest, and wsproto as an independent judge."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.frame_protocol import FrameProtocol, Opcode

from p2pchat.link.carriers import frames
from p2pchat.link.carriers.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    FIN,
    PING,
    PONG,
    TEXT,
    Closed,
    Data,
    Event,
    Fault,
    FrameReader,
    Ping,
    Pong,
    encode,
    mask,
    mask_by_tables,
)

KEY = bytes.fromhex("deadbeef")
SIZES = (0, 1, 125, 126, 127, 65535, 65536, 70_001)


def read(*pieces: bytes, masked: bool = True) -> list[Event]:
    reader = FrameReader(masked=masked)
    return [event for piece in pieces for event in reader.feed(piece)]


def joined(events: list[Event]) -> list[Event]:
    """Pieces of one message put together: how a message was cut on its way means nothing."""
    whole: list[Event] = []
    for event in events:
        last = whole[-1] if whole else None
        if isinstance(event, Data) and isinstance(last, Data) and not last.ends:
            whole[-1] = Data(last.payload + event.payload, event.text, event.ends)
        else:
            whole.append(event)
    return whole


def head(first: int, second: int, *more: int) -> bytes:
    return bytes([first, second, *more])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("key", [b"", KEY])
def test_a_message_of_any_size_survives(size: int, key: bytes) -> None:
    payload = bytes(range(256)) * (size // 256) + bytes(range(size % 256))
    assert read(encode(BINARY, payload, key), masked=bool(key)) == [Data(payload, text=False, ends=True)]


@pytest.mark.parametrize("client", [True, False])
@pytest.mark.parametrize("size", SIZES)
def test_wsproto_reads_what_we_write_and_we_what_it_writes(size: int, client: bool) -> None:
    payload, other = bytes(size), FrameProtocol(not client, [])
    other.receive_bytes(encode(BINARY, payload, KEY if client else b""))
    (frame,) = other.received_frames()
    assert (frame.opcode, bytes(frame.payload), frame.message_finished) == (Opcode.BINARY, payload, True)
    assert read(bytes(other.send_data(payload)), masked=not client) == [Data(payload, text=False, ends=True)]


def test_a_message_in_fragments_with_a_ping_between_them() -> None:
    pieces = [
        head(TEXT, 2) + "ж".encode(),
        encode(PING, b"?"),
        head(CONTINUATION, 1) + "ж".encode()[:1],
        head(FIN | CONTINUATION, 1) + "ж".encode()[1:],
    ]
    events = read(*pieces, masked=False)
    assert [event for event in events if isinstance(event, Data)] == [
        Data("ж".encode(), text=True, ends=False),
        Data(b"\xd0", text=True, ends=False),
        Data(b"\xb6", text=True, ends=True),
    ]
    assert Ping(b"?") in events


def test_control_frames_are_told_whole() -> None:
    events = read(encode(PONG, b"p" * 125, KEY), encode(CLOSE, frames.close_payload(1001), KEY))
    assert events == [Pong(b"p" * 125), Closed(1001)]
    assert read(encode(CLOSE, b"", KEY)) == [Closed(None)]


def test_nothing_is_read_behind_a_close() -> None:
    assert read(encode(CLOSE, b"", KEY) + encode(BINARY, b"x", KEY)) == [Closed(None)]


VIOLATIONS: dict[str, tuple[bytes, int]] = {
    "a client that does not mask": (encode(BINARY, b"x"), 1002),
    "the first reserved bit, as of a deflate that nobody agreed": (head(0xC2, 0x81, 0, 0, 0, 0, 0), 1002),
    "the second reserved bit": (head(0xA2, 0x81), 1002),
    "the third reserved bit": (head(0x92, 0x81), 1002),
    "an unknown data opcode": (head(0x83, 0x80), 1002),
    "an unknown control opcode": (head(0x8B, 0x80), 1002),
    "a control frame of 126 bytes": (head(0x89, 0xFE), 1002),
    "a control frame of 8 length bytes": (head(0x89, 0xFF), 1002),
    "a control frame in fragments": (head(PING, 0x80), 1002),
    "a length of two bytes for 125": (head(0x82, 0xFE, 0, 125, 0, 0, 0, 0), 1002),
    "a length of eight bytes for 65535": (head(0x82, 0xFF, *(65535).to_bytes(8), 0, 0, 0, 0), 1002),
    "a length with the top bit": (head(0x82, 0xFF, *(2**63).to_bytes(8), 0, 0, 0, 0), 1002),
    "a continuation of nothing": (encode(CONTINUATION, b"x", KEY), 1002),
    "a message within a message": (head(BINARY, 0x80, 0, 0, 0, 0) + encode(BINARY, b"x", KEY), 1002),
    "a close of one byte": (encode(CLOSE, b"\x03", KEY), 1002),
    "a close code that is never sent": (encode(CLOSE, frames.close_payload(1006), KEY), 1002),
    "a close code out of range": (encode(CLOSE, frames.close_payload(999), KEY), 1002),
    "a close reason that is not UTF-8": (encode(CLOSE, frames.close_payload(1000) + b"\xff", KEY), 1007),
    "a text that is not UTF-8": (encode(TEXT, b"\xc3\x28", KEY), 1007),
    "a text that ends within a letter": (encode(TEXT, "ж".encode()[:1], KEY), 1007),
    "a message of more than 1 MiB": (head(0x82, 0xFF, *(2**20 + 1).to_bytes(8), 0, 0, 0, 0), 1009),
    "a message of 2**62 bytes": (head(0x82, 0xFF, *(2**62).to_bytes(8), 0, 0, 0, 0), 1009),
    "fragments without end": (
        head(BINARY, 0x80, 0, 0, 0, 0) + head(CONTINUATION, 0x80, 0, 0, 0, 0) * frames.FRAGMENTS,
        1009,
    ),
}


@pytest.mark.parametrize("what", VIOLATIONS)
@pytest.mark.parametrize("one_by_one", [False, True])
def test_H028_what_is_no_websocket_ends_it_once_and_for_all(what: str, one_by_one: bool) -> None:
    data, code = VIOLATIONS[what]
    pieces = [bytes([byte]) for byte in data] if one_by_one else [data]
    reader = FrameReader(masked=True)
    events = [event for piece in pieces for event in reader.feed(piece)]
    (fault,) = [event for event in events if isinstance(event, Fault)]
    assert fault.code == code and events[-1] is fault
    assert reader.feed(encode(BINARY, b"and yet", KEY)) == []


def test_H028_a_server_that_masks_is_no_server() -> None:
    (fault,) = read(encode(BINARY, b"x", KEY), masked=False)
    assert isinstance(fault, Fault) and fault.code == 1002


def test_what_is_held_is_bounded() -> None:
    """Payload passes through: a frame that claims a megabyte holds nothing here."""
    reader = FrameReader(masked=True)
    reader.feed(head(0x82, 0xFF, *(2**20).to_bytes(8)) + KEY)
    for _ in range(10):
        (piece,) = reader.feed(bytes(65536))
        assert isinstance(piece, Data) and len(piece.payload) == 65536
    assert len(reader._held) == 0


@given(data=st.binary(max_size=300), key=st.binary(min_size=4, max_size=4))
def test_both_masks_are_the_same_and_undo_themselves(data: bytes, key: bytes) -> None:
    assert mask(data, key) == mask_by_tables(data, key) == bytes(b ^ key[n % 4] for n, b in enumerate(data))
    assert mask(mask(data, key), key) == data


MESSAGES = st.lists(
    st.one_of(
        st.builds(
            lambda data, key: encode(BINARY, data, key), st.binary(max_size=300), st.binary(min_size=4, max_size=4)
        ),
        st.builds(lambda text: encode(TEXT, text.encode(), KEY), st.text(max_size=20)),
        st.builds(lambda data: encode(PING, data, KEY), st.binary(max_size=125)),
        st.builds(lambda code: encode(CLOSE, code.to_bytes(2), KEY), st.integers(0, 5000)),
        st.binary(max_size=20),
    ),
    max_size=6,
)


@given(stream=MESSAGES.map(b"".join), cuts=st.lists(st.integers(0, 2000), max_size=12))
def test_however_the_stream_is_cut_it_says_the_same(stream: bytes, cuts: list[int]) -> None:
    bounds = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[start:end] for start, end in pairwise(bounds)]
    whole, parts = joined(read(stream)), joined(read(*pieces))
    if whole and isinstance(whole[-1], Fault) and len(whole) > 1 and isinstance(whole[-2], Data) and whole[-2].text:
        # a text's bad byte may be told with or without the good ones before it
        whole, parts = [e for e in whole if not isinstance(e, Data)], [e for e in parts if not isinstance(e, Data)]
    assert parts == whole
