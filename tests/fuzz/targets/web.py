"""What faces the open net first: HTTP heads, WebSocket frames, knocks."""

from functools import cache
from typing import Final

from p2pchat.errors import Unreachable
from p2pchat.limits import HTTP_HEAD_BYTES
from p2pchat.link.carriers import frames
from p2pchat.link.carriers.http import Client, Server
from tests.fuzz.target import Target
from tests.fuzz.targets.wire import READ_BYTES
from tests.support.identities import NOW_MS

KEY: Final = bytes(range(16))
PAGE: Final = b"<!DOCTYPE html><p>a page</p>"
MASK: Final = bytes((1, 2, 3, 4))


def read_requests(data: bytes) -> None:
    """The first byte says where the stream is cut. Every answer begins as one, and the phase ends where it must."""
    at, rest = (data[0] if data else 0), data[1:]
    server, answers = Server(PAGE), b""
    for piece in (*filter(None, (rest[:at], rest[at:])), b""):  # at last the visitor ends
        if not server.ended and server.upgraded is None:
            answers += server.feed(piece, now_ms=NOW_MS)
    assert not answers or answers.startswith(b"HTTP/1.1 ")
    assert server.upgraded is None or len(server.upgraded.key) == len(KEY)


def read_answer(data: bytes) -> None:
    client = Client("192.0.2.1", 80, KEY)
    client.request()
    if client.feed(data[:64]) is None and client.feed(data[64:]) is None:
        raise Unreachable("the answer is not whole")


def read_frames(data: bytes) -> None:
    """From a client (the top bit of the first byte) or a server. Cut anywhere, the stream says the same."""
    choice = data[0] if data else 0
    at, masked, stream = choice & 0x7F, bool(choice & 0x80), data[1:]
    whole, cut = frames.FrameReader(masked=masked), frames.FrameReader(masked=masked)
    assert said(cut.feed(stream[:at]) + cut.feed(stream[at:])) == said(whole.feed(stream))


def said(events: list[frames.Event]) -> list[object]:
    """Events with the pieces of a message joined, as they depend on where the stream was cut."""
    joined: list[object] = []
    payload = bytearray()
    for event in events:
        if isinstance(event, frames.Data):
            payload += event.payload
            if event.ends:
                joined.append((bytes(payload), event.text))
                payload.clear()
        elif isinstance(event, frames.Fault):  # a text is judged by its pieces, so what came before may differ
            return [*joined, event.code]
        else:
            joined.append(event)
    return [*joined, bytes(payload)]


@cache
def _requests() -> tuple[bytes, ...]:
    upgrade = Client("192.0.2.1", 8080, KEY).request()
    plain = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    return (
        b"\x20" + upgrade,
        b"\x05" + plain + plain + upgrade + b"\x82\x81aaaab",
        b"\x05POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        b"\x05POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"\x05HEAD /x?y HTTP/1.0\r\n\r\n",
        b"\x05\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # a TLS hello
    )


@cache
def _answers() -> tuple[bytes, ...]:
    server = Server(PAGE)
    switched = server.feed(Client("192.0.2.1", 80, KEY).request(), now_ms=NOW_MS)
    return (
        switched,
        switched + frames.encode(frames.BINARY, b"at once"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    )


def _frames() -> tuple[bytes, ...]:
    bodies = ((frames.BINARY, bytes(300)), (frames.TEXT, "ä€".encode()), (frames.PING, b"?"), (frames.PONG, b""))
    close = (frames.CLOSE, frames.close_payload(frames.NORMAL) + b"bye")
    streams = []
    for first, key in ((b"\x10", b""), (b"\x90", MASK)):
        streams += [first + frames.encode(opcode, body, key) for opcode, body in (*bodies, close)]
        streams.append(first + b"".join(frames.encode(opcode, body, key) for opcode, body in (*bodies, close)))
    fragments = b"\x10\x01\x02\xc3\xa4\x00\x01a\x80\x01b"
    return (*streams, fragments, b"\x10" + frames.encode(frames.BINARY, bytes(70_000)))


TARGETS: Final = (
    Target("http-request", read_requests, _requests, limit=HTTP_HEAD_BYTES, once=READ_BYTES),
    Target("http-answer", read_answer, _answers, limit=HTTP_HEAD_BYTES, once=READ_BYTES),
    Target("web-frames", read_frames, _frames, once=READ_BYTES),
)
