"""The vault's end of the boundary."""

from collections.abc import AsyncIterator
from typing import Final

import trio

from p2pchat.boundary_port import BROKEN, BoundaryPort
from p2pchat.errors import BadFormat
from p2pchat.wire import boundary
from p2pchat.wire.shape import Struct

_WELCOME_S: Final = 10.0


class Port(BoundaryPort):
    async def messages(self) -> AsyncIterator[list[Struct]]:
        """Batches of messages as they arrive; ends when the gate does. Raises BadFormat on a frame that cannot be."""
        reader = boundary.BoundaryReader()
        while data := await self.receive():
            batch = reader.feed(data)
            if batch:
                yield batch

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
        except BROKEN:
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
