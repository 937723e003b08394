"""The boundary on the gate's side: one task writes what has queued; the reader never awaits a send (DESIGN 2, 14)."""

from collections.abc import AsyncIterator
from typing import Final

import trio

from p2pchat.errors import BadFormat
from p2pchat.wire import boundary
from p2pchat.wire.shape import Struct

READ_BYTES: Final = 256 * 1024
SOON_S: Final = 0.005  # usually the peer's receipt comes before, and says more
_BROKEN: Final = (trio.BrokenResourceError, trio.ClosedResourceError)


class Port:
    """Boundary messages over a byte stream, in order."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._reader = boundary.BoundaryReader()
        self._arrived: list[Struct] = []
        self._queued: list[bytes] = []
        self._soon: dict[int, boundary.Sent] = {}
        self._work = trio.Event()

    def send(self, message: Struct) -> None:
        """Queue a message; never waits. What can queue is bounded by the windows of the links."""
        self._queued.append(boundary.encode(message))
        self._work.set()

    def send_soon(self, sent: boundary.Sent) -> None:
        """Queue what can wait a moment for company: each write wakes the vault. Of one link the last one counts."""
        self._soon[sent.link] = sent
        self._work.set()

    async def write(self) -> None:
        """Run until the vault has gone: join what has queued into one write."""
        while True:
            await self._work.wait()
            if not self._queued:
                self._work = trio.Event()
                with trio.move_on_after(SOON_S):
                    await self._work.wait()
            self._work = trio.Event()
            joined = b"".join([*map(boundary.encode, self._soon.values()), *self._queued])
            self._soon, self._queued = {}, []
            try:
                await self._stream.send_all(joined)
            except _BROKEN:
                return  # the reader sees the end, too, and ends the gate

    async def hello(self, build: bytes) -> boundary.VaultHello | None:
        """The vault's first word; None where it ended before. Raises BadFormat where it is not our twin."""
        while not self._arrived:  # unbounded: the vault may be at work on its store, and its end is noticed
            data = await self._receive()
            if not data:
                return None
            self._arrived = self._reader.feed(data)
        first = self._arrived.pop(0)
        if not isinstance(first, boundary.VaultHello) or first.build != build:
            raise BadFormat(
                "vault and gate are not of the same build", hint="p2pchat daemon stop; p2pchat daemon start"
            )
        return first

    async def messages(self) -> AsyncIterator[Struct]:
        """Everything after the first word, until the vault ends. Raises BadFormat on a frame that cannot be."""
        while True:
            arrived, self._arrived = self._arrived, []
            for message in arrived:
                yield message
            data = await self._receive()
            if not data:
                return
            self._arrived = self._reader.feed(data)

    async def _receive(self) -> bytes:
        try:
            return bytes(await self._stream.receive_some(READ_BYTES))
        except _BROKEN:
            return b""
