"""Link handshakes between two who know each other, on new connections, against the least that a mutual one costs.

The limit (the project's reference harness, its part ``hs``): X25519, ML-KEM-768 and Ed25519 signatures over the
transcript, three messages, two processes. Ours adds what it is for: a psk, sealed static keys, an identity proven by
hashes of objects that the other side holds, and the carrier. No RSA operation on either side.
"""

import hashlib
import multiprocessing
import os
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Final

import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from benchmarks.carriers import dialled, visited
from benchmarks.figures import Figure, percentile, share_of_limit
from benchmarks.roofline import Reader, nodelay, pack
from p2pchat.commands.demo import stored_primes
from p2pchat.env_system import SystemCrypto
from p2pchat.keys import identity
from p2pchat.keys.root import RootKey
from p2pchat.link.credentials import Local
from p2pchat.link.establish import initiate, respond
from p2pchat.link.handshake import INITIATOR_FRESH_BYTES, RESPONDER_FRESH_BYTES, Initiator, Responder
from p2pchat.link.quota import SeenEphemerals

COUNT: Final = 1000
AT_ONCE: Final = 8
_HOST: Final = "127.0.0.1"
_FORK: Final = multiprocessing.get_context("fork")
_SIGNING: Final = Ed25519PrivateKey.generate()
Side = Callable[[trio.SocketStream], Awaitable[None]]


def handshakes(rounds: int = 3, count: int = COUNT) -> list[Figure]:
    """In turns, so that a slow minute meets all."""
    sides = {"limit": (_limit_dials, _limit_answers), **{carrier: _link(carrier) for carrier in ("raw", "ws")}}
    runs: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, (dial, answer) in sides.items():
            runs[name].append(_rate(dial, answer, count))
    limit = percentile(runs["limit"], 50)
    note = f"{AT_ONCE} at once, new connections, two processes, no RSA operation"
    return [
        Figure("link", f"handshakes over {name}", "/s", tuple(runs[name]), limit, share_of_limit(0.4), note)
        for name in ("raw", "ws")
    ]


def _rate(dial: Side, answer: Side, count: int) -> float:
    """A second, from the first connection to the end of the last handshake."""
    listener = socket.create_server((_HOST, 0), backlog=512)
    listener.setblocking(False)
    port = listener.getsockname()[1]
    process = _FORK.Process(target=_serve, args=(listener, answer), daemon=True)
    process.start()
    listener.close()

    async def worker(times: int) -> None:
        for _ in range(times):
            stream = nodelay(await trio.open_tcp_stream(_HOST, port))
            await dial(stream)
            await trio.aclose_forcefully(stream)

    async def main() -> float:
        await worker(AT_ONCE)  # what is made once
        began = time.perf_counter()
        async with trio.open_nursery() as nursery:
            for _ in range(AT_ONCE):
                nursery.start_soon(worker, count // AT_ONCE)
        return count / (time.perf_counter() - began)

    try:
        return trio.run(main)
    finally:
        process.terminate()
        process.join()


def _serve(listener: socket.socket, answer: Side) -> None:
    async def handler(stream: trio.SocketStream) -> None:
        try:
            await answer(nodelay(stream))
            await stream.receive_some(1)
        except trio.BrokenResourceError:
            return

    async def main() -> None:
        await trio.serve_listeners(handler, [trio.SocketListener(trio.socket.from_stdlib_socket(listener))])

    trio.run(main)


# --- ours -------------------------------------------------------------------------------------------------------------


def _link(carrier: str) -> tuple[Side, Side]:
    ours, theirs = (_local(primes) for primes in stored_primes())
    seen = SeenEphemerals()

    async def dial(stream: trio.SocketStream) -> None:
        fresh = os.urandom(INITIATOR_FRESH_BYTES)
        core = Initiator(ours, theirs.user, theirs.credentials, fresh=fresh)
        await initiate(await dialled(carrier, stream), ours, core, trio.Lock(), now_ms=_now_ms)

    async def answer(stream: trio.SocketStream) -> None:
        core = Responder(theirs, fresh=os.urandom(RESPONDER_FRESH_BYTES), encapsulate=SystemCrypto().kem_encapsulate)
        met = await respond(
            await visited(carrier, stream), core, lambda _: ours.credentials, seen, now_ms=_now_ms, silent=False
        )
        assert met is not None

    return dial, answer


def _local(primes: tuple[bytes, bytes]) -> Local:
    root = RootKey.from_primes(*primes)
    vault, gate = identity.create_identity(root, fresh=os.urandom(identity.FRESH_BYTES), now_ms=_now_ms())
    return Local.read(vault.key_log, vault.device_set, vault.device, gate.link_x25519)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


# --- the limit --------------------------------------------------------------------------------------------------------


class _One:
    """One frame at a time: two may arrive together."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._frames: list[bytes] = []

    async def next(self) -> bytes:
        if not self._frames:
            self._frames = await self._reader.some()
        return self._frames.pop(0)


async def _limit_dials(stream: trio.SocketStream) -> None:
    reader, key, kem = _One(Reader(stream)), X25519PrivateKey.generate(), MLKEM768PrivateKey.generate()
    mine = key.public_key().public_bytes_raw() + kem.public_key().public_bytes_raw()
    await stream.send_all(pack(mine))
    theirs = await reader.next()
    secret = key.exchange(X25519PublicKey.from_public_bytes(theirs[:32])) + kem.decapsulate(theirs[32:])
    await _prove(stream, reader, mine + theirs + secret, b"\1", b"\0")


async def _limit_answers(stream: trio.SocketStream) -> None:
    reader, key = _One(Reader(stream)), X25519PrivateKey.generate()
    theirs = await reader.next()
    shared, ciphertext = MLKEM768PublicKey.from_public_bytes(theirs[32:]).encapsulate()
    mine = key.public_key().public_bytes_raw() + ciphertext
    await stream.send_all(pack(mine))
    secret = key.exchange(X25519PublicKey.from_public_bytes(theirs[:32])) + shared
    await _prove(stream, reader, theirs + mine + secret, b"\0", b"\1")


async def _prove(stream: trio.SocketStream, reader: _One, transcript: bytes, own: bytes, other: bytes) -> None:
    """Each signs the transcript, under a key from it."""
    digest = hashlib.sha256(transcript).digest()
    cipher = ChaCha20Poly1305(digest)
    await stream.send_all(pack(cipher.encrypt(own.rjust(12, b"\0"), _SIGNING.sign(digest), None)))
    sealed = await reader.next()
    _SIGNING.public_key().verify(cipher.decrypt(other.rjust(12, b"\0"), sealed, None), digest)
