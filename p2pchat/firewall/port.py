"""The gate's end of the boundary."""

from collections.abc import AsyncIterator

import trio

from p2pchat.boundary_port import BoundaryPort
from p2pchat.errors import BadFormat
from p2pchat.wire import boundary
from p2pchat.wire.shape import Struct


class Port(BoundaryPort):
    def __init__(self, stream: trio.abc.Stream) -> None:
        super().__init__(stream)
        self._reader = boundary.BoundaryReader()
        self._arrived: list[Struct] = []

    async def hello(self, build: bytes) -> boundary.VaultHello | None:
        """The vault's first word; None where it ended before. Raises BadFormat where it is not our twin."""
        while not self._arrived:  # unbounded: the vault may be at work on its store, and its end is noticed
            data = await self.receive()
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
            data = await self.receive()
            if not data:
                return
            self._arrived = self._reader.feed(data)
