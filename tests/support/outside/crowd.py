"""Strangers in numbers, in a process of their own: idle ones, and ones that say a byte a second.

``python -m tests.support.outside.crowd SPEC`` takes a JSON object (``Crowd``) and prints one (``Report``) once the node
has closed every connection. Whoever is closed comes again, until ``for_s`` is over.
"""

import contextlib
import json
import os
import socket
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field

import trio

from p2pchat.ids import parse_user_id
from p2pchat.link.carriers import frames
from p2pchat.link.carriers.http import Client
from p2pchat.link.carriers.knock import HOUR_MS, NONCE_BYTES, knock, knock_key
from p2pchat.link.framing import wrap
from p2pchat.link.handshake import INITIATOR_FRESH_BYTES, Initiator
from tests.support.links import local

BYTE_EVERY_S = 1.0
AGAIN_S = 1.0
IDLE_LATER_S = 2.0
PATIENCE_S = 40.0  # longer than any place is kept
WIDTH = 250  # of the last two numbers of a source address


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    host: str
    port: int
    user: str  # the ID that runs there, for those who know it
    kinds: dict[str, int]  # idle, head, frame, noise: how many
    spread: bool  # each from a /24 of its own, else all from one
    for_s: float


@dataclass(slots=True)
class Report:
    visits: dict[str, int] = field(default_factory=lambda: defaultdict(int))  # connections by kind
    stayed: dict[str, int] = field(default_factory=lambda: defaultdict(int))  # those not turned away within a second
    longest_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))  # by kind
    upgraded: int = 0  # who got a 101
    phantoms: int = 0  # the kernel had no room to queue them, and told only this side that they stand


def main(crowd: Crowd) -> None:
    report = Report()
    trio.run(_all, crowd, report)
    print(json.dumps({name: getattr(report, name) for name in Report.__slots__}))


async def _all(crowd: Crowd, report: Report) -> None:
    until_s = trio.current_time() + crowd.for_s
    names = [kind for kind, count in crowd.kinds.items() for _ in range(count)]
    async with trio.open_nursery() as nursery:
        for number, kind in enumerate(names):
            nursery.start_soon(_come, crowd, report, kind, number, until_s)


async def _come(crowd: Crowd, report: Report, kind: str, number: int, until_s: float) -> None:
    await trio.sleep(IDLE_LATER_S if kind == "idle" else 0)  # else they had taken every place
    source = f"127.{1 + number // WIDTH}.{number % WIDTH}.9" if crowd.spread else "127.0.0.9"
    while trio.current_time() < until_s:
        sock = trio.socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        with sock, contextlib.suppress(OSError):
            await sock.bind((source, 0))
            await sock.connect((crowd.host, crowd.port))
            await _visit(crowd, report, kind, trio.SocketStream(sock))
        await trio.sleep(AGAIN_S)


async def _visit(crowd: Crowd, report: Report, kind: str, stream: trio.SocketStream) -> None:
    """Until the node ends it, or 40 s and then until it is certain that the node knows of it."""
    report.visits[kind] += 1
    began_s = trio.current_time()
    at_once, slowly = _words(crowd, kind)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_say, stream, at_once, slowly)
        with trio.move_on_after(PATIENCE_S) as patience:
            await _hear(report, stream)
        nursery.cancel_scope.cancel()
    if patience.cancelled_caught and await _phantom(stream):
        report.phantoms += 1
        return
    stayed_s = trio.current_time() - began_s
    report.stayed[kind] += stayed_s > 1
    report.longest_s[kind] = max(report.longest_s[kind], stayed_s)


async def _hear(report: Report, stream: trio.SocketStream) -> None:
    with contextlib.suppress(trio.BrokenResourceError):
        while data := await stream.receive_some(4096):
            report.upgraded += data.startswith(b"HTTP/1.1 101 ")


async def _phantom(stream: trio.SocketStream) -> bool:
    """Whether nobody is at the other end: then a byte is answered by a reset."""
    try:
        with trio.move_on_after(2):
            await stream.send_all(b"?")
            await stream.receive_some(1)
    except trio.BrokenResourceError:
        return True
    return False


async def _say(stream: trio.SocketStream, at_once: bytes, slowly: bytes) -> None:
    try:
        await stream.send_all(at_once)
        for byte in slowly:
            await trio.sleep(BYTE_EVERY_S)
            await stream.send_all(bytes([byte]))
    except trio.BrokenResourceError:
        return


def _words(crowd: Crowd, kind: str) -> tuple[bytes, bytes]:
    """What a visitor says at once, and what a byte a second."""
    if kind == "idle":
        return b"", b""
    if kind == "head":
        return b"", Client(crowd.host, crowd.port, os.urandom(16)).request()
    if kind == "frame":
        return Client(crowd.host, crowd.port, os.urandom(16)).request(), frames.encode(2, os.urandom(600), b"mask")
    user = parse_user_id(crowd.user)
    hour = int(time.time() * 1000) // HOUR_MS
    request = Client(crowd.host, crowd.port, knock(knock_key(user), os.urandom(NONCE_BYTES), hour)).request()
    stranger = Initiator(local(3), user, None, fresh=os.urandom(INITIATOR_FRESH_BYTES))
    return request, frames.encode(2, wrap(stranger.start(), stranger.psk, 1), b"mask")


if __name__ == "__main__":
    main(Crowd(**json.loads(sys.argv[1])))
