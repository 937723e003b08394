"""The WebSocket carrier over a connection in memory: both ends ours, or one of them somebody else's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest
import trio
from trio.testing import MockClock

from p2pchat.errors import BadFormat, ConnectionLost, Unreachable
from p2pchat.limits import DECOY_S, HTTP_S, PREAUTH_BYTES
from p2pchat.link.carriers import frames, upgrade
from p2pchat.link.carriers.decoy import draw
from p2pchat.link.carriers.frames import BINARY, CLOSE, PING, TEXT, encode
from p2pchat.link.carriers.upgrade import Visitor
from p2pchat.link.carriers.websocket import CONTROL_BURST, MESSAGE_BYTES, REFUSAL_S, WebSocketCarrier
from tests.support.sim_pipe import Pipe, PipeStream, stream_pair

KEY = bytes(range(16))
MASK = b"mask"
DECOY = draw(bytes(32))
NOW_MS = 1_800_000_000_000
DRAW = Random(1).randbytes


async def visit(stream: PipeStream) -> Visitor | None:
    return await upgrade.answer(stream, DECOY, DRAW, now_ms=lambda: NOW_MS)


@asynccontextmanager
async def both() -> AsyncIterator[tuple[WebSocketCarrier, WebSocketCarrier]]:
    """A dialler's and a server's carrier, the first word already exchanged."""
    near, far = stream_pair(Pipe(), Pipe())
    found: list[WebSocketCarrier] = []

    async def serve() -> None:
        visitor = await visit(far)
        assert visitor is not None and visitor.key == KEY
        found.append(visitor.carrier)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        client, hour = await upgrade.ask(near, "192.0.2.1", 4711, KEY, DRAW)
    assert hour == NOW_MS // 3_600_000
    await found[0].send(b"2")
    assert await client.receive(1) == b"2"
    yield client, found[0]


@asynccontextmanager
async def visiting() -> AsyncIterator[tuple[PipeStream, WebSocketCarrier]]:
    """A server's carrier, and the bare connection of a visitor whose upgrade was granted."""
    near, far = stream_pair(Pipe(), Pipe())
    request = upgrade.Client("192.0.2.1", 4711, KEY).request()
    await near.send_all(request)
    visitor = await visit(far)
    assert visitor is not None
    assert (await near.receive_some()).startswith(b"HTTP/1.1 101 ")
    yield near, visitor.carrier


async def everything(stream: PipeStream) -> bytes:
    got = b""
    while data := await stream.receive_some():
        got += data
    return got


async def drained(carrier: WebSocketCarrier) -> None:
    while await carrier.receive(100):
        pass


def closed(data: bytes) -> int | None:
    """The code of the close frame at the end of what a server sent."""
    events = frames.FrameReader(masked=False).feed(data)
    assert isinstance(events[-1], frames.Closed)
    return events[-1].code


@pytest.mark.parametrize("size", [1, 16384, MESSAGE_BYTES, MESSAGE_BYTES + 1, 300_000])
async def test_bytes_arrive_as_they_were_sent(size: int, autojump_clock: MockClock) -> None:
    data = Random(size).randbytes(size)
    async with both() as ends, trio.open_nursery() as nursery:
        for one, other in (ends, ends[::-1]):
            nursery.start_soon(one.send, data)
            got = b""
            while len(got) < size:
                piece = await other.receive(7000)
                assert 0 < len(piece) <= 7000
                got += piece
            assert got == data


@pytest.mark.parametrize("ends_first", ["client", "server"])
async def test_an_end_is_a_full_close_exchange_and_no_reset(ends_first: str, autojump_clock: MockClock) -> None:
    async with both() as (client, server):
        first, second = (client, server) if ends_first == "client" else (server, client)
        await first.send(b"last words")
        await first.finish()
        assert await second.receive(100) == b"last words"
        assert await second.receive(100) == b""
        assert await first.receive(100) == b""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(first.aclose)
            nursery.start_soon(second.aclose)
        assert trio.current_time() < 0.5, "nobody had to wait for the other to give up"
        for end in (first, second):
            assert not end._stream.out.broken or end._stream.out.ended  # type: ignore[attr-defined]
            with pytest.raises(ConnectionLost):
                await end.send(b"more")


async def test_who_is_let_go_in_the_middle_still_gets_a_close(autojump_clock: MockClock) -> None:
    async with both() as (client, server), trio.open_nursery() as nursery:
        nursery.start_soon(client.aclose)
        assert await server.receive(100) == b""
        await server.aclose()


async def test_a_peer_that_never_closes_is_waited_for_half_a_second(autojump_clock: MockClock) -> None:
    async with visiting() as (stream, server):
        began_s = trio.current_time()
        await server.aclose()
        assert trio.current_time() - began_s == pytest.approx(0.5)
        assert closed(await everything(stream)) == frames.GOING_AWAY


async def test_pings_are_answered_also_while_nothing_is_read_of_the_stream(autojump_clock: MockClock) -> None:
    async with visiting() as (stream, server), trio.open_nursery() as nursery:
        await server.send(b"2")
        nursery.start_soon(server.receive, 100)
        await stream.send_all(encode(PING, b"still there?", MASK))
        assert await stream.receive_some() == encode(BINARY, b"2")
        assert await stream.receive_some() == encode(frames.PONG, b"still there?")
        nursery.cancel_scope.cancel()


async def test_H028_pings_without_end_end_the_connection(autojump_clock: MockClock) -> None:
    async with visiting() as (stream, server):
        await server.send(b"2")
        await stream.send_all(encode(PING, b"", MASK) * int(CONTROL_BURST + 1))
        with pytest.raises(ConnectionLost, match="too many signals"):
            await server.receive(100)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (encode(BINARY, b"unmasked"), 1002),
        (encode(TEXT, b"text on a link", MASK), 1003),
        (encode(TEXT, b"\xff", MASK), 1007),
        (b"GET / HTTP/1.1\r\n\r\n", 1002),
        (encode(BINARY, b"", MASK) * int(CONTROL_BURST + 1), 1008),
    ],
)
async def test_H028_a_violation_is_told_by_its_close_code(sent: bytes, code: int, autojump_clock: MockClock) -> None:
    async with visiting() as (stream, server):
        await server.send(b"2")
        await stream.send_all(sent)
        with pytest.raises(ConnectionLost):
            await drained(server)
        await server.aclose()
        assert closed(await everything(stream)) == code


async def test_a_server_that_was_given_no_handshake_says_so_when_the_message_is_whole(
    autojump_clock: MockClock,
) -> None:
    async with visiting() as (stream, server):
        whole = encode(BINARY, b"not a handshake", MASK)
        await stream.send_all(whole[:-1])
        assert await server.receive(100) == b"not a handshak"
        await stream.send_all(whole[-1:])
        assert await server.receive(100) == b"e"
        with pytest.raises(BadFormat):
            await server.receive(100)


async def test_a_text_tells_the_dialler_that_nobody_knows_him(autojump_clock: MockClock) -> None:
    near, far = stream_pair(Pipe(), Pipe())
    client = WebSocketCarrier(near, DRAW, client=True)
    await far.send_all(encode(TEXT, b"sign in"))
    with pytest.raises(Unreachable, match="only a web server"):
        await client.receive(100)


@pytest.mark.parametrize("first", [b"x" * 10, b"x" * (PREAUTH_BYTES + 10), b""])
async def test_a_stranger_is_refused_and_sent_home_on_time(first: bytes, autojump_clock: MockClock) -> None:
    async with visiting() as (stream, server), trio.open_nursery() as nursery:
        began_s = trio.current_time()
        nursery.start_soon(server.turn_away, DECOY.refusal)
        await trio.sleep(2)
        await stream.send_all(encode(BINARY, first, MASK))
        assert await stream.receive_some() == encode(TEXT, DECOY.refusal.encode())
        assert trio.current_time() - began_s == pytest.approx(2 + REFUSAL_S)
        await stream.send_all(encode(TEXT, b"and now?", MASK) + encode(PING, b"?", MASK))
        assert await stream.receive_some() == encode(frames.PONG, b"?")
        assert await stream.receive_some() == encode(CLOSE, frames.close_payload(frames.POLICY))
        assert trio.current_time() - began_s == pytest.approx(DECOY_S)


async def test_a_stranger_who_says_nothing_is_sent_home_too(autojump_clock: MockClock) -> None:
    async with visiting() as (stream, server), trio.open_nursery() as nursery:
        nursery.start_soon(server.turn_away, DECOY.refusal)
        assert closed(await stream.receive_some()) == frames.POLICY
        assert trio.current_time() == pytest.approx(DECOY_S)


async def test_a_stranger_who_reads_nothing_keeps_no_place(autojump_clock: MockClock) -> None:
    """The close frame finds no room, and he waits for it for ever."""
    async with visiting() as (stream, server):
        stream.into._capacity = 1
        await server._stream.send_all(b"\0")
        with trio.fail_after(DECOY_S + 1):
            await server.turn_away(DECOY.refusal)
            await server.aclose()


async def test_a_stranger_may_send_so_much_and_is_not_read_after_it(autojump_clock: MockClock) -> None:
    async with visiting() as (stream, server), trio.open_nursery() as nursery:
        nursery.start_soon(server.turn_away, DECOY.refusal)
        with trio.move_on_after(DECOY_S - 1):
            for _ in range(100):
                await stream.send_all(encode(BINARY, bytes(4000), MASK))
        assert stream.out.passed < 53_248 + 65_536 + 16_384 + 1000, "his own pipe is full"
        nursery.cancel_scope.cancel()


# --- before the upgrade -----------------------------------------------------------------------------------------------


async def test_a_visit_to_the_page_lasts_ten_seconds(autojump_clock: MockClock) -> None:
    near, far = stream_pair(Pipe(), Pipe())
    await near.send_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /half")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(visit, far)
        assert (await everything(near)).endswith(DECOY.page)
        assert trio.current_time() == pytest.approx(HTTP_S)


async def test_slow_bytes_get_no_more_time(autojump_clock: MockClock) -> None:
    near, far = stream_pair(Pipe(), Pipe())

    async def drip() -> None:
        for byte in b"GET / HTTP/1.1\r\nHost: a\r\n\r\n":
            await near.send_all(bytes([byte]))
            await trio.sleep(1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(visit, far)
        nursery.start_soon(drip)
        assert await everything(near) == b""
        assert trio.current_time() == pytest.approx(HTTP_S)
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("answer", [None, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"])
async def test_a_dialler_gives_up_where_nothing_upgrades(answer: bytes | None, autojump_clock: MockClock) -> None:
    near, far = stream_pair(Pipe(), Pipe())
    if answer:
        await far.send_all(answer)
    with pytest.raises(Unreachable):
        await upgrade.ask(near, "192.0.2.1", 4711, KEY, DRAW)
    assert trio.current_time() < HTTP_S + 1
    with pytest.raises(trio.ClosedResourceError):
        await near.send_all(b"x")
