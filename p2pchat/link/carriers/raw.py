"""The raw carrier: the bytes themselves on a stream, as on a LAN or by choice."""

from typing import Final

import trio

from p2pchat.errors import ConnectionLost

_BROKEN: Final = (trio.BrokenResourceError, trio.ClosedResourceError)


class RawCarrier:
    name = "raw"

    def __init__(self, stream: trio.abc.HalfCloseableStream, *, first: bytes = b"") -> None:
        """``first``: bytes that were read from the stream already."""
        self._stream = stream
        self._first = first

    async def send(self, data: bytes) -> None:
        try:
            await self._stream.send_all(data)
        except _BROKEN as error:
            raise ConnectionLost("the connection broke") from error

    async def receive(self, most: int) -> bytes:
        if self._first:
            data, self._first = self._first[:most], self._first[most:]
            return data
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
