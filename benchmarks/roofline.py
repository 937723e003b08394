"""The limit of W2 and W3 on this machine: the least that a durable messenger of two processes does.

Two processes, one loopback connection, ChaCha20-Poly1305 a message, SQLite (WAL, synchronous=FULL) as outbox and inbox,
an acknowledgement only after the inbox has committed. No ratchet, no second process a node, no control socket.
Source: the project's reference harness ``limits_e2e.py``, its parts ``serial`` and ``pipelined``, with types added.

Run alone: ``python -m benchmarks.roofline serial|pipelined FOLDER`` prints one JSON object.
"""

import hashlib
import json
import multiprocessing
import os
import socket
import sqlite3
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import trio
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from benchmarks.figures import percentile

SERIAL: Final = 1000
PIPELINED: Final = 1000
TEXT_BYTES: Final = 300
_KEY: Final = hashlib.sha256(b"bench").digest()
_FORK: Final = multiprocessing.get_context("fork")
Row = tuple[bytes, bytes]


def open_db(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    db.execute("pragma journal_mode=wal")
    db.execute("pragma synchronous=full")
    db.execute("create table if not exists m(id integer primary key, mid blob unique, body blob, done int default 0)")
    return db


def commit(db: sqlite3.Connection, rows: Sequence[Row]) -> None:
    db.execute("begin immediate")
    db.executemany("insert or ignore into m(mid,body) values(?,?)", rows)
    db.execute("commit")


class Reader:
    """Whole length-prefixed frames from a stream, as many as have arrived."""

    def __init__(self, stream: trio.abc.ReceiveStream) -> None:
        self._stream = stream
        self._buffer = bytearray()

    async def some(self) -> list[bytes]:
        """Empty at the end of the stream."""
        while True:
            frames, offset = [], 0
            while len(self._buffer) - offset >= 4:
                end = offset + 4 + int.from_bytes(self._buffer[offset : offset + 4])
                if len(self._buffer) < end:
                    break
                frames.append(bytes(self._buffer[offset + 4 : end]))
                offset = end
            if frames:
                del self._buffer[:offset]
                return frames
            data = await self._stream.receive_some(262144)
            if not data:
                return []
            self._buffer += data


def pack(*bodies: bytes) -> bytes:
    return b"".join(len(body).to_bytes(4) + body for body in bodies)


def nodelay(stream: trio.SocketStream) -> trio.SocketStream:
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return stream


def receiver(sock: socket.socket, path: Path, most: int) -> None:
    """The receiving process: commits groups of at most ``most``, then acknowledges them."""

    async def main() -> None:
        db, cipher = open_db(path), ChaCha20Poly1305(_KEY)

        async def handler(stream: trio.SocketStream) -> None:
            reader = Reader(nodelay(stream))
            while frames := await reader.some():
                for at in range(0, len(frames), most):
                    rows = [(f[:16], cipher.decrypt(f[16:28], f[28:], f[:16])) for f in frames[at : at + most]]
                    await trio.to_thread.run_sync(commit, db, rows)
                    await stream.send_all(pack(b"".join(mid for mid, _ in rows)))

        sock.setblocking(False)
        await trio.serve_listeners(handler, [trio.SocketListener(trio.socket.from_stdlib_socket(sock))])

    trio.run(main)


async def send_serial(port: int, path: Path, count: int) -> list[float]:
    """Milliseconds from submission to acknowledgement of each."""
    db, cipher, took_ms = open_db(path), ChaCha20Poly1305(_KEY), []
    stream = nodelay(await trio.open_tcp_stream("127.0.0.1", port))
    reader = Reader(stream)
    for _ in range(count):
        began = time.perf_counter()
        mid, body, nonce = os.urandom(16), os.urandom(TEXT_BYTES), os.urandom(12)
        await trio.to_thread.run_sync(commit, db, [(mid, body)])
        await stream.send_all(pack(mid + nonce + cipher.encrypt(nonce, body, mid)))
        await reader.some()
        took_ms.append((time.perf_counter() - began) * 1e3)
    return took_ms


async def send_pipelined(port: int, path: Path, count: int, most: int) -> float:
    """Messages a second, from the first submission to the last acknowledgement."""
    db, cipher = open_db(path), ChaCha20Poly1305(_KEY)
    stream = nodelay(await trio.open_tcp_stream("127.0.0.1", port))
    reader = Reader(stream)
    messages = [(os.urandom(16), os.urandom(TEXT_BYTES)) for _ in range(count)]

    async def acknowledged() -> None:
        missing = count
        while missing:
            missing -= sum(len(frame) // 16 for frame in await reader.some())

    began = time.perf_counter()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(acknowledged)
        for at in range(0, count, most):
            part = messages[at : at + most]
            await trio.to_thread.run_sync(commit, db, part)
            nonces = [os.urandom(12) for _ in part]
            sealed = [m + n + cipher.encrypt(n, body, m) for n, (m, body) in zip(nonces, part, strict=True)]
            await stream.send_all(pack(*sealed))
    return count / (time.perf_counter() - began)


def main(kind: str, folder: Path) -> dict[str, float]:
    inbox, outbox = folder / f"roofline-{kind}-in.db", folder / f"roofline-{kind}-out.db"
    for path in (inbox, outbox):
        path.unlink(missing_ok=True)
    count, most = (SERIAL, 1) if kind == "serial" else (PIPELINED, PIPELINED)
    sock = socket.create_server(("127.0.0.1", 0), backlog=512)
    process = _FORK.Process(target=receiver, args=(sock, inbox, most), daemon=True)
    process.start()
    port = sock.getsockname()[1]
    sock.close()
    time.sleep(0.2)
    try:
        if kind == "serial":
            took_ms = trio.run(send_serial, port, outbox, count)
            result = {"p50_ms": percentile(took_ms, 50), "p99_ms": percentile(took_ms, 99)}
        else:
            result = {"per_s": trio.run(send_pipelined, port, outbox, count, most)}
    finally:
        process.terminate()
        process.join()
    held = sqlite3.connect(inbox).execute("select count(*), min(length(body)) from m").fetchone()
    if held != (count, TEXT_BYTES):
        raise SystemExit(f"the roofline's inbox holds {held}, not {(count, TEXT_BYTES)}")
    return result


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]))))
