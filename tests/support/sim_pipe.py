"""Byte streams in memory that behave as bad as real ones: bounded, late, cut at any byte, stalled, half-open, frozen.

Trio's own memory streams take whatever is sent, which hides every mistake of back-pressure.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

import trio

PIPE_BYTES: Final = 64 * 1024


class Trouble(Enum):
    """What befalls a connection at some byte."""

    CUT = auto()  # reset: what is on its way arrives
    LOSSY_CUT = auto()  # reset: what is on its way does not
    STALL = auto()  # nothing moves for a while
    SILENCE = auto()  # half-open: the sender succeeds, nothing more arrives


@dataclass(frozen=True, slots=True)
class Fate:
    """``trouble`` comes once ``at_byte`` bytes were sent; a stall lasts ``stall_s``."""

    trouble: Trouble
    at_byte: int
    stall_s: float = 0.0


def _at_once() -> float:
    return 0.0


def _never() -> bool:
    return False


class Pipe:
    """One direction of a connection. Bytes arrive in order, each piece not before its time."""

    def __init__(
        self,
        *,
        capacity: int = PIPE_BYTES,
        latency_s: Callable[[], float] = _at_once,
        parted: Callable[[], bool] = _never,
        sent: Callable[[int], None] | None = None,
    ) -> None:
        """``sent`` hears the size of what is sent; while ``parted()`` nothing arrives (``ring`` when that changes)."""
        self.twin: Pipe | None = None
        self.fate: Fate | None = None
        self.writer_frozen = False  # its machine stands still: it neither sends nor learns anything
        self.reader_frozen = False
        self._capacity = capacity
        self._latency_s = latency_s
        self._parted = parted
        self._sent = sent
        self._pieces: deque[tuple[float, bytes]] = deque()
        self.held = 0  # bytes on their way
        self.passed = 0  # bytes ever sent
        self._silent = False
        self.ended = False  # the writer closed in order
        self._closed = False  # the reader has gone
        self.broken = False
        self._moves_at_s = 0.0
        self._changed = trio.Event()

    @property
    def unread(self) -> bool:
        return bool(self._pieces)

    @property
    def silent(self) -> bool:
        return self._silent

    def ring(self) -> None:
        """Something changed: whoever waits looks again."""
        self._changed.set()
        self._changed = trio.Event()

    # --- the writer ---------------------------------------------------------------------------------------------------

    async def send(self, data: bytes) -> None:
        """Raises BrokenResourceError, ClosedResourceError."""
        if self._sent is not None and not self.writer_frozen:
            self._sent(len(data))
        while data:
            await self.wait_room()
            room = self._capacity - self.held
            piece, data = data[:room], data[room:]
            self._put(piece)

    async def wait_room(self) -> None:
        """Raises as ``send``."""
        while True:
            if self.writer_frozen:
                await trio.sleep_forever()
            if self.ended:
                raise trio.ClosedResourceError("this end was closed")
            if self.broken:
                raise trio.BrokenResourceError("the connection was reset")
            if self.held < self._capacity:
                return
            await self._changed.wait()

    def end(self) -> None:
        """In order: what was sent still arrives."""
        if not self.writer_frozen:
            self.ended = True
            self.ring()

    def _put(self, piece: bytes) -> None:
        fate = self.fate
        if fate is not None and self.passed + len(piece) >= fate.at_byte:
            self.fate = None
            before = fate.at_byte - self.passed
            self._put_quietly(piece[:before])
            self._strike(fate)
            piece = piece[before:]
        if not self.broken:
            self._put_quietly(piece)

    def _put_quietly(self, piece: bytes) -> None:
        self.passed += len(piece)
        if not piece or self._silent:
            return
        due_s = max(trio.current_time() + self._latency_s(), self._moves_at_s)
        if self._pieces:
            due_s = max(due_s, self._pieces[-1][0])
        self._pieces.append((due_s, piece))
        self.held += len(piece)
        self.ring()

    def _strike(self, fate: Fate) -> None:
        match fate.trouble:
            case Trouble.CUT | Trouble.LOSSY_CUT:
                self.reset(lossy=fate.trouble is Trouble.LOSSY_CUT)
            case Trouble.STALL:
                self._moves_at_s = trio.current_time() + fate.stall_s
            case Trouble.SILENCE:
                self._silent = True

    # --- the reader ---------------------------------------------------------------------------------------------------

    async def receive(self, most: int) -> bytes:
        """Empty at the end. Raises BrokenResourceError, ClosedResourceError."""
        while True:
            if self.reader_frozen:
                await trio.sleep_forever()
            if self._closed:
                raise trio.ClosedResourceError("this end was closed")
            if not self._parted():
                if self._pieces and self._pieces[0][0] <= trio.current_time():
                    return self._take(most)
                if not self._pieces and self.broken:
                    raise trio.BrokenResourceError("the connection was reset")
                if not self._pieces and self.ended:
                    return b""
            due_s = self._pieces[0][0] if self._pieces and not self._parted() else float("inf")
            with trio.move_on_at(due_s):
                await self._changed.wait()

    def close(self) -> None:
        """The reader goes: who writes meets a reset."""
        if not self.reader_frozen:
            self._closed = self.broken = True
            self._drop()

    def _take(self, most: int) -> bytes:
        due_s, piece = self._pieces.popleft()
        taken, rest = piece[:most], piece[most:]
        if rest:
            self._pieces.appendleft((due_s, rest))
        self.held -= len(taken)
        self.ring()
        return taken

    # --- the world ----------------------------------------------------------------------------------------------------

    def reset(self, *, lossy: bool) -> None:
        """Both directions break. ``lossy``: what is on its way is gone, else it still arrives before the reset."""
        for pipe in (self, self.twin):
            if pipe is not None and not pipe.broken:
                pipe.broken = True
                if lossy:
                    pipe._drop()
                pipe.ring()

    def calm(self) -> None:
        """No trouble from now on; what had gone silent is reset, what had stalled moves."""
        self.fate = None
        self._moves_at_s = 0.0
        now_s = trio.current_time()
        self._pieces = deque((min(due_s, now_s + 1), piece) for due_s, piece in self._pieces)
        if self._silent:
            self.reset(lossy=True)
        self.ring()

    def _drop(self) -> None:
        self._pieces.clear()
        self.held = 0
        self.ring()


class PipeStream(trio.abc.HalfCloseableStream):
    """One end of a connection."""

    def __init__(self, out: Pipe, into: Pipe) -> None:
        self.out, self.into = out, into

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await trio.lowlevel.checkpoint()
        await self.out.send(bytes(data))

    async def wait_send_all_might_not_block(self) -> None:
        await self.out.wait_room()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        await trio.lowlevel.checkpoint()
        return await self.into.receive(max_bytes or PIPE_BYTES)

    async def send_eof(self) -> None:
        await trio.lowlevel.checkpoint()
        self.out.end()

    async def aclose(self) -> None:
        self.close()
        await trio.lowlevel.checkpoint()

    def close(self) -> None:
        """As the system closes it when its process is gone."""
        if self.into.unread and not self.into.reader_frozen:
            self.out.reset(lossy=False)  # TCP answers with a reset where something was left unread
        self.out.end()
        self.into.close()

    def end_reading(self) -> None:
        """``shutdown(SHUT_RD)``: the reader sees the end once it has read what is there."""
        self.into.end()

    def freeze(self) -> None:
        """This end's process stands still from now on."""
        self.out.writer_frozen = self.into.reader_frozen = True

    def release(self) -> None:
        """The frozen process is gone: the system closes what it had open."""
        self.out.writer_frozen = self.into.reader_frozen = False
        self.close()


def stream_pair(one: Pipe, other: Pipe) -> tuple[PipeStream, PipeStream]:
    """Join two pipes to a connection; the first end writes into ``one``."""
    one.twin, other.twin = other, one
    return PipeStream(one, other), PipeStream(other, one)
