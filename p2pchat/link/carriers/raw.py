"""The raw carrier: the bytes themselves on a stream, as on a LAN or by choice."""

from typing import Final

import trio

from p2pchat.errors import ConnectionLost

_BROKEN: Final = (trio.BrokenResourceError, trio.ClosedResourceError)


class RawCarrier:
    name = "raw"

    def __init__(self, stream: trio.abc.HalfCloseableStream) -> None:
        self._stream = stream

    async def send(self, data: bytes) -> None:
        try:
            await self._stream.send_all(data)
        except _BROKEN as error:
            raise ConnectionLost("the connection broke") from error

    async def receive(self, most: int) -> bytes:
        try:
            return bytes(await self._stream.receive_some(most))
        except _BROKEN as error:
            raise ConnectionLost("the connection broke") from error

    async def finish(self) -> None:
        try:
            await self._stream.send_eof()
        except _BROKEN as error:
            raise ConnectionLost("the connection broke") from error

    async def aclose(self) -> None:
        await trio.aclose_forcefully(self._stream)
