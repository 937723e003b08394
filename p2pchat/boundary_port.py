"""One end of the boundary between vault and gate, as either process has it.

One task writes what has queued, joined into few writes; the reader never awaits a send.
"""

from typing import Final

import trio

from p2pchat.wire import boundary
from p2pchat.wire.shape import Struct

SOON_S: Final = 0.005  # usually something else goes before
_READ_BYTES: Final = 256 * 1024
BROKEN: Final = (trio.BrokenResourceError, trio.ClosedResourceError)


class BoundaryPort:
    """Messages over a byte stream, in order. What queues is bounded by the windows of the links."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._queued: list[bytes] = []
        self._soon: dict[int, boundary.Sent | boundary.Took] = {}
        self._work = trio.Event()

    def send(self, message: Struct) -> None:
        """Queue a message; never waits."""
        self._queued.append(boundary.encode(message))
        self._work.set()

    def send_soon(self, message: boundary.Sent | boundary.Took) -> None:
        """Queue what can wait a moment for company: each write wakes the other side. Of a link the last one counts.

        It overtakes nothing: TOOK lets the gate read on, by what the vault said before it.
        """
        self._soon[message.link] = message
        self._work.set()

    def hasten(self, link: int) -> None:
        """What waits for this link goes before whatever is queued next."""
        if (message := self._soon.pop(link, None)) is not None:
            self.send(message)

    async def write(self) -> None:
        """Run until the other side has gone, which the reader notices too."""
        while True:
            await self._work.wait()
            if not self._queued:
                self._work = trio.Event()
                with trio.move_on_after(SOON_S):
                    await self._work.wait()
            self._work = trio.Event()
            joined = b"".join([*self._queued, *map(boundary.encode, self._soon.values())])
            self._soon, self._queued = {}, []
            try:
                await self._stream.send_all(joined)
            except BROKEN:
                return

    async def receive(self) -> bytes:
        """What has come; nothing once the other side has gone."""
        try:
            return bytes(await self._stream.receive_some(_READ_BYTES))
        except BROKEN:
            return b""
