"""The WebSocket carrier: the stream of bytes as binary messages, once HTTP has been upgraded (RFC 6455)."""

import contextlib
from collections.abc import Callable
from typing import Final

import trio

from p2pchat.errors import BadFormat, ConnectionLost, P2PChatError, Unreachable
from p2pchat.limits import DECOY_S, HANDSHAKE_BYTES, PREAUTH_BYTES
from p2pchat.link.carriers import frames
from p2pchat.token_bucket import TokenBucket

READ_BYTES: Final = 64 * 1024
MESSAGE_BYTES: Final = 64 * 1024 - 1  # the longest that has a length of two bytes
GOODBYE_S: Final = 0.5  # for the close exchange
REFUSAL_S: Final = 0.25  # from a stranger's first message to the answer, whatever was found out meanwhile
CONTROL_BURST: Final = 64.0  # pings, pongs and empty messages: they cost the peer nothing and us a look
CONTROLS_PER_S: Final = 4.0
_BROKEN: Final = (trio.BrokenResourceError, trio.ClosedResourceError)
Draw = Callable[[int], bytes]


class WebSocketCarrier:
    """One end. The client masks with fresh keys from ``draw``; both close with the full exchange, never with a reset.

    A server that has sent nothing yet takes one message: who still waits for bytes behind it has been given no
    handshake (``receive`` raises BadFormat). So whatever is wrong with it, its answer is due when the message is whole.
    """

    name = "ws"

    def __init__(self, stream: trio.abc.HalfCloseableStream, draw: Draw, *, client: bool, rest: bytes = b"") -> None:
        """``rest`` came behind the HTTP head already."""
        self._stream = stream
        self._draw = draw
        self._client = client
        self._reader = frames.FrameReader(masked=not client)
        self._unread = [rest] if rest else []
        self._inbox: list[bytes] = []
        self._sending = trio.Lock()
        self._torn = False  # a frame went out in part: no further one can follow
        self._pong: bytes | None = None  # owed to the latest ping
        self._began_s = trio.current_time()
        self._controls = TokenBucket(burst=CONTROL_BURST, per_s=CONTROLS_PER_S, now_s=self._began_s)
        self._budget = PREAUTH_BYTES + HANDSHAKE_BYTES  # what a stranger may send, frame headers included
        self._first = 0  # bytes of the first message so far
        self._first_s: float | None = None  # when it was whole, or longer than any handshake
        self._answered = client
        self._said_close = False
        self._heard_close = False
        self._ended = False  # nothing more comes

    # --- the carrier --------------------------------------------------------------------------------------------------

    async def send(self, data: bytes) -> None:
        self._answered = True
        view = memoryview(data)
        pieces = [view[at : at + MESSAGE_BYTES] for at in range(0, len(view), MESSAGE_BYTES)]
        await self._write(b"".join([self._frame(frames.BINARY, piece) for piece in pieces]))

    async def receive(self, most: int) -> bytes:
        while not self._inbox:
            if self._ended:
                return b""
            if not self._answered and self._first_s is not None:
                raise BadFormat("the first message is no handshake")
            await self._read()
        data = b"".join(self._inbox)
        self._inbox = [data[most:]] if len(data) > most else []
        return data[:most]

    async def finish(self) -> None:
        await self._say_close(frames.NORMAL)

    async def aclose(self) -> None:
        """Within 0.5 s by the close exchange, whatever is being cancelled; else at once. Raises nothing."""
        with trio.move_on_after(GOODBYE_S, shield=True), contextlib.suppress(P2PChatError):
            await self._goodbye()
        await trio.aclose_forcefully(self._stream)

    # --- a stranger's session -----------------------------------------------------------------------------------------

    async def turn_away(self, refusal: str) -> None:
        """Be what a stranger finds here: refuse its first message with a text, drop the rest, close after 15 s."""
        with trio.move_on_at(self._began_s + DECOY_S), contextlib.suppress(ConnectionLost):
            while self._first_s is None:
                if self._ended:
                    return
                await self._read()
            await trio.sleep_until(self._first_s + REFUSAL_S)
            await self._write(self._frame(frames.TEXT, refusal.encode()))
            while self._budget > 0 and not self._ended:
                await self._read()
                self._inbox.clear()
            if not self._ended:
                await trio.sleep_forever()
        with trio.move_on_after(GOODBYE_S), contextlib.suppress(ConnectionLost):  # he may have stopped reading
            await self._say_close(frames.POLICY)

    # --- reading ------------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        """Take what comes next. Raises ConnectionLost, or Unreachable where the server says it does not know us."""
        data = self._unread.pop() if self._unread else await self._receive_some()
        if not data:
            self._ended = True
            return
        self._budget -= len(data)
        for event in self._reader.feed(data):
            await self._take(event)

    async def _receive_some(self) -> bytes:
        try:
            return bytes(await self._stream.receive_some(READ_BYTES))
        except _BROKEN as error:
            self._ended = self._torn = True
            raise ConnectionLost("the connection broke") from error

    async def _take(self, event: frames.Event) -> None:
        match event:
            case frames.Data(payload, text, ends):
                await self._data(payload, text, ends)
            case frames.Ping(payload):
                await self._count()
                self._pong = payload
                if not self._sending.locked():
                    await self._write(b"")
            case frames.Pong():
                await self._count()
            case frames.Closed():
                self._heard_close = self._ended = True
                await self._say_close(frames.NORMAL)
            case frames.Fault(code, why):
                await self._fail(code, why)

    async def _data(self, payload: bytes, text: bool, ends: bool) -> None:
        if not payload:
            await self._count()
        if self._first_s is None:
            self._first += len(payload)
            if ends or self._first >= PREAUTH_BYTES:
                self._first_s = trio.current_time()
        if not text:
            self._inbox += [payload] if payload else []
        elif self._client:
            raise Unreachable("only a web server answers there: it is not this ID, or does not let us in")
        elif self._answered:
            await self._fail(frames.UNSUPPORTED, "a text came on a link")

    async def _count(self) -> None:
        if not self._controls.take(trio.current_time()):
            await self._fail(frames.POLICY, "too many signals in a short time")

    async def _fail(self, code: int, why: str) -> None:
        self._ended = True
        await self._say_close(code)
        raise ConnectionLost(f"the connection broke: {why}")

    # --- writing ------------------------------------------------------------------------------------------------------

    def _frame(self, opcode: int, payload: bytes | memoryview) -> bytes:
        return frames.encode(opcode, payload, self._draw(4) if self._client else b"")

    async def _write(self, data: bytes) -> None:
        """Whole frames, and the pong that is owed. Raises ConnectionLost."""
        async with self._sending:
            if self._torn or self._said_close:
                raise ConnectionLost("the connection has ended")
            if data:
                await self._put(data)
            while self._pong is not None:  # one may become due meanwhile
                pong, self._pong = self._pong, None
                await self._put(self._frame(frames.PONG, pong))

    async def _say_close(self, code: int) -> None:
        """Nothing follows a close frame."""
        async with self._sending:
            if self._torn or self._said_close:
                return
            self._said_close = True
            await self._put(self._frame(frames.CLOSE, frames.close_payload(code)))

    async def _put(self, data: bytes) -> None:
        self._torn = True  # unless all of it goes out
        try:
            await self._stream.send_all(data)
        except _BROKEN as error:
            raise ConnectionLost("the connection broke") from error
        self._torn = False

    async def _goodbye(self) -> None:
        """Both say close, the server ends its half first, and nothing is left unread: no side meets a reset."""
        if self._torn:
            return
        await self._say_close(frames.GOING_AWAY)
        while not self._ended:
            await self._read()
            self._inbox.clear()
        if not self._client or not self._heard_close:
            await self._end_half()
        while await self._receive_some():
            pass

    async def _end_half(self) -> None:
        try:
            await self._stream.send_eof()
        except _BROKEN as error:
            raise ConnectionLost("the connection broke") from error
