"""The vault's end of the boundary: one task writes, one reads, and the reader never awaits a send (DESIGN 14)."""

from collections.abc import AsyncIterator
from typing import Final

import trio

from p2pchat.errors import BadFormat
from p2pchat.wire import boundary
from p2pchat.wire.shape import Struct

_READ_BYTES: Final = 256 * 1024
_WELCOME_S: Final = 10.0
_BROKEN: Final = (trio.BrokenResourceError, trio.ClosedResourceError)


class Port:
    """Boundary messages over a byte stream. What is queued goes out in order, joined into few writes."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._queued: list[bytes] = []
        self._wake = trio.Event()

    def send(self, message: Struct) -> None:
        """Queue a message; never blocks. Volume is bounded by the acknowledgement windows of the callers."""
        self._queued.append(boundary.encode(message))
        self._wake.set()

    async def write(self) -> None:
        """Run until the gate has gone: write what has queued."""
        while True:
            await self._wake.wait()
            self._wake = trio.Event()
            joined, self._queued = b"".join(self._queued), []
            if joined:
                try:
                    await self._stream.send_all(joined)
                except _BROKEN:
                    return  # the reader sees the end, too, and ends the vault in order

    async def messages(self) -> AsyncIterator[list[Struct]]:
        """Batches of messages as they arrive; ends when the gate does. Raises BadFormat on a frame that cannot be."""
        reader = boundary.BoundaryReader()
        while data := await self._receive():
            batch = reader.feed(data)
            if batch:
                yield batch

    async def _receive(self) -> bytes:
        try:
            return bytes(await self._stream.receive_some(_READ_BYTES))
        except _BROKEN:
            return b""

    async def welcome(self, hello: boundary.VaultHello) -> boundary.Welcome | None:
        """Exchange the first words; None where the gate has ended: it tells the launcher why.

        Raises BadFormat where the gate is of another build, or silent for 10 s.
        """
        raw = b""
        try:
            await self._stream.send_all(boundary.encode(hello))
            with trio.move_on_after(_WELCOME_S) as waited:
                raw = await self._exactly(boundary.LENGTH_BYTES)
                raw = await self._exactly(int.from_bytes(raw))
        except _BROKEN:
            return None
        if not raw and not waited.cancelled_caught:
            return None
        answer = boundary.decode(raw) if raw else None
        if not isinstance(answer, boundary.Welcome) or answer.build != hello.build:
            raise BadFormat("the gate is not of this build", hint="p2pchat daemon stop; p2pchat daemon start")
        return answer

    async def _exactly(self, count: int) -> bytes:
        """``count`` bytes, one by one boundary-safe: nothing of the next message is taken."""
        if count > 1 << 20:
            return b""
        got = bytearray()
        while len(got) < count:
            piece = await self._stream.receive_some(count - len(got))
            if not piece:
                return b""
            got += piece
        return bytes(got)
