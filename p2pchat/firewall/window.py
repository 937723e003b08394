"""The acknowledgement window towards the vault: at most 256 frames or 512 KiB that it has not taken."""

from collections import deque
from typing import Final

import trio

from p2pchat.errors import BadFormat
from p2pchat.limits import BOUNDARY_WINDOW_BYTES, BOUNDARY_WINDOW_FRAMES

WINDOW_FRAMES: Final = BOUNDARY_WINDOW_FRAMES
WINDOW_BYTES: Final = BOUNDARY_WINDOW_BYTES


class Window:
    """Frames handed to the vault and not yet taken, in order. Sequence numbers count from 1."""

    def __init__(self) -> None:
        self._sizes: deque[int] = deque()
        self._bytes = 0
        self._last = 0
        self._moved = trio.Event()

    @property
    def open(self) -> bool:
        return len(self._sizes) < WINDOW_FRAMES and self._bytes < WINDOW_BYTES

    @property
    def empty(self) -> bool:
        return not self._sizes

    def add(self, size: int) -> int:
        """A frame goes out; its sequence number."""
        self._sizes.append(size)
        self._bytes += size
        self._last += 1
        return self._last

    def took(self, seq: int) -> None:
        """Everything up to ``seq`` is committed. Raises BadFormat for what was never sent."""
        if seq > self._last:
            raise BadFormat(f"TOOK {seq}, but only {self._last} frames were sent")
        while self._sizes and self._last - len(self._sizes) < seq:
            self._bytes -= self._sizes.popleft()
        self._moved.set()
        self._moved = trio.Event()

    async def wait_open(self) -> None:
        while not self.open:
            await self._moved.wait()

    async def wait_empty(self) -> None:
        while not self.empty:
            await self._moved.wait()
