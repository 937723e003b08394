"""The parts that a message or a link pays for, one at a time, on one core."""

import os
import time
from collections.abc import Callable
from typing import Final

from benchmarks.figures import Figure
from p2pchat.channel import envelope
from p2pchat.commands.demo import stored_primes
from p2pchat.env_system import SystemCrypto
from p2pchat.ids import EpochId
from p2pchat.keys import identity, seal
from p2pchat.keys.root import RootKey
from p2pchat.link.credentials import Local
from p2pchat.link.handshake import INITIATOR_FRESH_BYTES, RESPONDER_FRESH_BYTES, Initiator, Responder

BODY_BYTES: Final = 300
_SECONDS: Final = 0.5


def micro() -> list[Figure]:
    key, route, body = os.urandom(32), os.urandom(96), os.urandom(BODY_BYTES)
    header, nonce = envelope.Header(EpochId(os.urandom(8)), 1), os.urandom(24)
    sealed = envelope.seal(header, key, route, body, nonce)
    ends = [_local(primes) for primes in stored_primes()]
    return [
        _once("password, standard cost (Argon2id)", lambda: seal.seal(b"k", b"p", fresh=os.urandom(40))),
        _once("password, light cost", lambda: seal.seal(b"k", b"p", fresh=os.urandom(40), cost=seal.LIGHT)),
        _rate("envelope of 300 bytes, sealed", lambda: envelope.seal(header, key, route, body, nonce)),
        _rate("envelope of 300 bytes, opened", lambda: envelope.open_with(key, route, sealed)),
        _rate("link handshake, both sides", lambda: _handshake(*ends)),
    ]


def _local(primes: tuple[bytes, bytes]) -> Local:
    now_ms = time.time_ns() // 1_000_000
    vault, gate = identity.create_identity(
        RootKey.from_primes(*primes), fresh=os.urandom(identity.FRESH_BYTES), now_ms=now_ms
    )
    return Local.read(vault.key_log, vault.device_set, vault.device, gate.link_x25519)


def _handshake(ours: Local, theirs: Local) -> None:
    """Messages 1 to 3 between two who know each other: no object has to be sent."""
    one = Initiator(ours, theirs.user, theirs.credentials, fresh=os.urandom(INITIATOR_FRESH_BYTES))
    encapsulate = SystemCrypto().kem_encapsulate
    other = Responder(theirs, fresh=os.urandom(RESPONDER_FRESH_BYTES), encapsulate=encapsulate)
    other.open(one.start())
    other.finish(one.finish(other.answer(), now_ms=time.time_ns() // 1_000_000))


def _once(what: str, work: Callable[[], object]) -> Figure:
    took = []
    for _ in range(3):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return Figure("", what, "s", tuple(took))


def _rate(what: str, work: Callable[[], object]) -> Figure:
    work()
    done, began = 0, time.perf_counter()
    while (passed := time.perf_counter() - began) < _SECONDS:
        work()
        done += 1
    return Figure("", what, "/s", (done / passed,))
