"""From a fresh TCP stream to a WebSocket carrier: the HTTP phase of either side, with its deadline."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import trio

from p2pchat.errors import Unreachable
from p2pchat.limits import HTTP_S
from p2pchat.link.carriers.decoy import Decoy
from p2pchat.link.carriers.http import Client, Server
from p2pchat.link.carriers.websocket import GOODBYE_S, Draw, WebSocketCarrier

_READ_BYTES: Final = 16 * 1024
_BROKEN: Final = (trio.BrokenResourceError, trio.ClosedResourceError)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody whose request was an upgrade: everybody gets one; ``key`` may be a knock."""

    carrier: WebSocketCarrier
    key: bytes  # 16


async def answer(
    stream: trio.abc.HalfCloseableStream, decoy: Decoy, draw: Draw, *, now_ms: Callable[[], int], first: bytes = b""
) -> Visitor | None:
    """Serve a connection for 10 s at most; None where it never asked for an upgrade (and is closed by then).

    ``first``: bytes that were read from it already.
    """
    server = Server(decoy.page)
    with trio.move_on_after(HTTP_S), contextlib.suppress(*_BROKEN):
        while not server.ended:
            data, first = first or bytes(await stream.receive_some(_READ_BYTES)), b""
            if told := server.feed(data, now_ms=now_ms()):
                await stream.send_all(told)
            if server.upgraded is not None:
                carrier = WebSocketCarrier(stream, draw, client=False, rest=server.upgraded.rest)
                return Visitor(carrier, server.upgraded.key)
    await _part(stream)
    return None


async def ask(
    stream: trio.abc.HalfCloseableStream, host: str, port: int, key: bytes, draw: Draw
) -> tuple[WebSocketCarrier, int | None]:
    """Ask for the upgrade; the carrier, and the hour (since 1970) that the server believes it is, where it says so.

    ``host`` is an IP literal, ``key`` 16 bytes. Raises Unreachable; then, and where it is cancelled, the stream is
    closed.
    """
    client = Client(host, port, key)
    try:
        with trio.fail_after(HTTP_S):
            await stream.send_all(client.request())
            while (accepted := client.feed(bytes(await stream.receive_some(_READ_BYTES)))) is None:
                pass
    except BaseException as error:
        await _part(stream)
        if isinstance(error, trio.TooSlowError):
            raise Unreachable(f"{host} port {port} did not answer within {HTTP_S:.0f} s") from None
        if isinstance(error, _BROKEN):
            raise Unreachable(f"{host} port {port} broke the connection") from error
        raise
    return WebSocketCarrier(stream, draw, client=True, rest=accepted.rest), accepted.hour


async def _part(stream: trio.abc.HalfCloseableStream) -> None:
    """Close without a reset: end our half, leave nothing of the other's unread."""
    with trio.move_on_after(GOODBYE_S, shield=True), contextlib.suppress(*_BROKEN):
        await stream.send_eof()
        while await stream.receive_some(_READ_BYTES):
            pass
    await trio.aclose_forcefully(stream)
