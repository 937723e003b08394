"""Running an authenticated link over its carrier: one task reads, one writes, one keeps the heartbeat."""

import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import trio

from p2pchat.env import Random
from p2pchat.errors import BadFormat, ConnectionLost, P2PChatError
from p2pchat.link.credentials import Authenticated
from p2pchat.link.establish import Established
from p2pchat.link.heartbeat import Beat, Heartbeat
from p2pchat.token_bucket import TokenBucket
from p2pchat.wire.boundary import Reason
from p2pchat.wire.frames import CLASS_OF, Frame, FrameType
from p2pchat.wire.structs import Close, Ping

READ_BYTES: Final = 64 * 1024
RECORD_S: Final = 10.0  # a record that has begun is whole by then, or the link is cut (walls 4.2: H016, H017)
CLOSE_S: Final = 1.0  # for the last words
SIGNAL_BURST: Final = 64.0  # frames that cost the peer nothing and us a look: PING, PONG, unknown types (H026)
SIGNALS_PER_S: Final = 4.0

Deliver = Callable[[Frame], Awaitable[None]]  # may wait: the carrier is not read meanwhile
Written = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Ended:
    """Why a link ended, and what the peer said about it (None: it said nothing)."""

    reason: Reason
    told: Reason | None = None


class Link:
    """One authenticated link. ``send`` and ``close`` only queue; ``run`` does the work and owns the carrier."""

    def __init__(self, established: Established, random: Random) -> None:
        self._carrier = established.carrier
        self._sealer = established.sealer
        self._opener = established.opener
        self._early = established.early
        self._random = random
        now_s = trio.current_time()
        self._heartbeat = Heartbeat(now_s=now_s, draw=random.uniform(0, 1))
        self._signals = TokenBucket(burst=SIGNAL_BURST, per_s=SIGNALS_PER_S, now_s=now_s)
        self._queue: list[Frame] = []
        self._last_seq = 0
        self._closing: Reason | None = None
        self._work = trio.Event()
        self._doubt = trio.Event()
        self._arriving = (-1, math.inf)  # which record is incomplete, and when it must be whole
        self._paused = False
        self._ended: Ended | None = None
        self._scope = trio.CancelScope()
        self.peer: Authenticated = established.peer
        self.sent_bytes = self.received_bytes = 0  # of records

    def send(self, frame: Frame, seq: int = 0) -> None:
        """Queue a frame. ``seq`` (rising) is reported as written once the carrier has taken it; 0 is not."""
        self._queue.append(frame)
        self._last_seq = max(self._last_seq, seq)
        self._work.set()

    def close(self, reason: Reason) -> None:
        """End the link: what is queued and an authenticated CLOSE still go out if the carrier takes them within 1 s."""
        if self._closing is None:
            self._closing = reason
            self._scope.deadline = min(self._scope.deadline, trio.current_time() + CLOSE_S)
            self._work.set()

    def probe(self) -> None:
        """Ask the peer at once whether it still lives: it has 5 s."""
        self._heartbeat.probe(trio.current_time())
        self._doubt.set()

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Within, ``deliver`` waits for long and nothing is read: the peer hears from us all the same."""
        self._paused = True
        self._doubt.set()
        try:
            yield
        finally:
            self._paused = False
            self._heartbeat.heard()

    async def run(self, deliver: Deliver, written: Written) -> Ended:
        """Drive the link to its end and close the carrier. ``deliver`` gets every frame that is not the link's own."""
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._until_end, self._read, deliver)
                    nursery.start_soon(self._until_end, self._write, written)
                    nursery.start_soon(self._until_end, self._beat)
            if self._closing is not None and self._ended is not None:
                await self._linger()
        finally:
            await self._carrier.aclose()
        return self._ended or Ended(self._closing if self._closing is not None else Reason.LOST)

    async def _until_end(self, task: Callable[..., Awaitable[Ended]], *arguments: object) -> None:
        try:
            ended = await task(*arguments)
        except ConnectionLost:
            ended = Ended(Reason.LOST)
        except P2PChatError:
            ended = Ended(Reason.DAMAGED)
        self._ended = self._ended or ended
        self._scope.cancel()

    async def _linger(self) -> None:
        """Let the peer take our CLOSE: closing over unread bytes would reset the connection under it."""
        with trio.move_on_after(CLOSE_S):
            try:
                while await self._carrier.receive(READ_BYTES):
                    pass
            except P2PChatError:  # whatever it says now, the link has ended
                return

    # --- reading ------------------------------------------------------------------------------------------------------

    async def _read(self, deliver: Deliver) -> Ended:
        frames, self._early = self._early, []
        while True:
            for frame in frames:
                ended = await self._take(frame, deliver)
                if ended is not None:
                    return ended
            frames = self._opener.feed(await self._receive())

    async def _receive(self) -> bytes:
        data = b""
        with trio.move_on_at(self._record_due_s()) as deadline:
            data = await self._carrier.receive(READ_BYTES)
        if deadline.cancelled_caught:
            raise BadFormat("a record began and did not end")
        if not data:
            raise ConnectionLost("the stream ended without a CLOSE")
        self._heartbeat.heard()
        self.received_bytes += len(data)
        return data

    def _record_due_s(self) -> float:
        """When the record that has begun to arrive must be whole."""
        if not self._opener.incomplete:
            return math.inf
        if self._arriving[0] != self._opener.opened:  # another one than last time
            self._arriving = (self._opener.opened, trio.current_time() + RECORD_S)
        return self._arriving[1]

    async def _take(self, frame: Frame, deliver: Deliver) -> Ended | None:
        match frame.kind:
            case FrameType.PING:
                self._check_quota()
                self.send(Frame(FrameType.PONG, Ping.decode(frame.body).encode()))
            case FrameType.PONG:
                self._check_quota()
                self._heartbeat.answered(Ping.decode(frame.body).nonce, trio.current_time())
            case FrameType.CLOSE:
                return _ended_by_peer(Close.decode(frame.body))
            case kind if kind not in CLASS_OF or kind == FrameType.CREDIT:
                if frame.critical:
                    raise BadFormat(f"frame type {kind} is unknown and critical")
                self._check_quota()
            case _:
                if not frame.body:
                    raise BadFormat("a frame is empty")
                await deliver(frame)
        return None

    def _check_quota(self) -> None:
        if not self._signals.take(trio.current_time()):
            raise BadFormat("too many signals in a short time")

    # --- writing ------------------------------------------------------------------------------------------------------

    async def _write(self, written: Written) -> Ended:
        while True:
            await self._work.wait()
            self._work = trio.Event()
            frames, self._queue = self._queue, []
            seq, self._last_seq = self._last_seq, 0
            closing = self._closing
            if closing is not None:
                frames.append(Frame(FrameType.CLOSE, Close(reason=_told(closing)).encode()))
            if frames:
                records = self._sealer.seal(frames, now_s=trio.current_time())
                await self._carrier.send(records)
                self.sent_bytes += len(records)
            if seq:
                written(seq)
            if closing is not None:
                await self._carrier.finish()
                return Ended(closing)

    async def _beat(self) -> Ended:
        while True:
            with trio.move_on_at(self._heartbeat.due_s):
                await self._doubt.wait()
                self._doubt = trio.Event()
            now_s, draw = trio.current_time(), self._random.uniform(0, 1)
            match self._heartbeat.tick(now_s=now_s, draw=draw, paused=self._paused):
                case Beat.DEAD:
                    return Ended(Reason.SILENT)
                case Beat.PING:
                    nonce = self._random.bytes(8)
                    self._heartbeat.asked(nonce, now_s)
                    self.send(Frame(FrameType.PING, Ping(nonce=nonce).encode()))
                case Beat.WAIT:
                    await trio.lowlevel.checkpoint()


def _told(reason: Reason) -> Reason:
    """What the peer hears: to be sent away looks like any other rest."""
    return Reason.IDLE if reason is Reason.UNWANTED else reason


def _ended_by_peer(close: Close) -> Ended:
    told = Reason(close.reason) if close.reason in set(Reason) else Reason.CLOSED
    return Ended(Reason.REPLACED if told is Reason.REPLACED else Reason.CLOSED, told)
