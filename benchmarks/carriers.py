"""One-way throughput of a link over each carrier: 16 KiB link frames through link.drive, between two processes.

Handshake left out, everything behind it in: framing, sealing, carrier, TCP on loopback, opening. The dialler sends, so
that the WebSocket carrier pays for masking and for unmasking. The receiver looks at each frame: number and content.
"""

import multiprocessing
import os
import socket
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from typing import Any, Final, cast

import trio

from benchmarks.figures import Figure, share_of_limit
from p2pchat.env_system import SystemRandom
from p2pchat.link.carriers import Carrier, upgrade
from p2pchat.link.carriers.decoy import draw
from p2pchat.link.carriers.raw import RawCarrier
from p2pchat.link.drive import Link
from p2pchat.link.establish import Established
from p2pchat.link.records import Opener, Sealer
from p2pchat.wire.boundary import Reason
from p2pchat.wire.frames import Frame, FrameType

FRAME_BYTES: Final = 16 * 1024
SECONDS: Final = 5.0
IN_FLIGHT: Final = 32  # frames handed to the link and not written yet: 512 KiB, as the boundary allows
_FILL: Final = os.urandom(FRAME_BYTES - 8)
_HOST: Final = "127.0.0.1"
_HELLO: Final = b"2"  # in place of message 2: a server that has not spoken takes one message and no more
_FORK: Final = multiprocessing.get_context("fork")
_DIALLING, _ANSWERING = b"d" * 32, b"a" * 32  # one secret a direction
_Open = Callable[[trio.SocketStream], Awaitable[Carrier]]


def carriers(seconds: float = SECONDS, rounds: int = 3) -> list[Figure]:
    """In turns, so that a slow minute meets both."""
    runs: dict[str, list[float]] = {"raw": [], "ws": []}
    for _ in range(rounds):
        for name, values in runs.items():
            values.append(one_way(name, seconds))
    raw, ws = (tuple(values) for values in runs.values())
    note = f"one way, {FRAME_BYTES // 1024} KiB link frames, {seconds:g} s, two processes"
    limit = sorted(raw)[len(raw) // 2]
    return [
        Figure("link", "one way over raw", "MB/s", raw, note=note),
        Figure("link", "one way over ws", "MB/s", ws, limit, share_of_limit(0.7), note),
    ]


def one_way(carrier: str, seconds: float) -> float:
    """Megabytes of frame content that arrived, verified, a second."""
    listener = socket.create_server((_HOST, 0))
    listener.setblocking(False)
    port = listener.getsockname()[1]
    result, told = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=_receiver, args=(listener, carrier, told), daemon=True)
    process.start()
    listener.close()
    told.close()
    try:
        took_s = cast(float, trio.run(_send, carrier, port, seconds))
        frames = cast(int, result.recv())
    finally:
        process.terminate()
        process.join()
    return frames * FRAME_BYTES / took_s / 1e6


def _receiver(listener: socket.socket, carrier: str, told: Connection) -> None:
    async def main() -> None:
        sock, _ = await trio.socket.from_stdlib_socket(listener).accept()
        end = await visited(carrier, trio.SocketStream(sock))
        await end.send(_HELLO)
        link = Link(_established(end, dialling=False), SystemRandom())
        frames = 0

        async def deliver(frame: Frame) -> None:
            nonlocal frames
            if frame.body[:8] != frames.to_bytes(8) or frame.body[8:] != _FILL:
                raise SystemExit(f"frame {frames} arrived otherwise than it was sent")
            frames += 1

        await link.run(deliver, _ignore)
        told.send(frames)

    trio.run(main)


async def _send(carrier: str, port: int, seconds: float) -> float:
    """Seconds from the first frame to the moment at which the other side had read them all, and said good-bye."""
    stream = await trio.open_tcp_stream(_HOST, port)
    end = await dialled(carrier, stream)
    assert await end.receive(len(_HELLO)) == _HELLO
    link = Link(_established(end, dialling=True), SystemRandom())
    done, moved = 0, trio.Event()

    def written(seq: int) -> None:
        nonlocal done, moved
        done = seq
        moved.set()
        moved = trio.Event()

    async def run() -> None:
        ended = await link.run(_nothing, written)
        if ended.reason is not Reason.CLOSED:
            raise SystemExit(f"the link over {carrier} ended: {ended.reason.name}")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        began, sent = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            while sent - done < IN_FLIGHT:
                link.send(Frame(FrameType.ENVELOPE, sent.to_bytes(8) + _FILL), sent + 1)
                sent += 1
            await moved.wait()
        link.close(Reason.CLOSED)
    return time.perf_counter() - began


def _established(carrier: Carrier, *, dialling: bool) -> Established:
    send, receive = (_DIALLING, _ANSWERING) if dialling else (_ANSWERING, _DIALLING)
    nobody = cast(Any, None)  # who the peer is matters to nobody here
    return Established(nobody, carrier, Sealer(send, now_s=trio.current_time()), Opener(receive), [])


async def dialled(carrier: str, stream: trio.SocketStream) -> Carrier:
    """The dialler's end on a fresh connection."""
    if carrier == "raw":
        return RawCarrier(stream)
    host, port = stream.socket.getpeername()
    return (await upgrade.ask(stream, host, port, os.urandom(16), os.urandom))[0]


async def visited(carrier: str, stream: trio.SocketStream) -> Carrier:
    """The other one's."""
    if carrier == "raw":
        return RawCarrier(stream)
    visitor = await upgrade.answer(stream, draw(bytes(32)), os.urandom, now_ms=lambda: time.time_ns() // 1_000_000)
    assert visitor is not None
    return visitor.carrier


async def _nothing(_frame: Frame) -> None:
    await trio.lowlevel.checkpoint()


def _ignore(_seq: int) -> None:
    return None
