"""The real world behind ``env.Env``: the system's clock and randomness, worker threads, the library's own draws."""

import os
import random
import time
from collections.abc import Callable
from typing import Final

import trio
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey

from p2pchat.env import Env, Net, R, Ts
from p2pchat.keys import hpke
from p2pchat.keys.root import RootPublic

# Goes on during suspend. macOS has no CLOCK_BOOTTIME; its monotonic clock stands still then, so a suspend shows
# there only as a leap of the wall clock.
_BOOT_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SystemClock:
    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def boot_s(self) -> float:
        return time.clock_gettime(_BOOT_CLOCK)


class SystemRandom:
    """The operating system's generator."""

    def __init__(self) -> None:
        self._generator = random.SystemRandom()

    def bytes(self, n: int) -> bytes:
        return os.urandom(n)

    def uniform(self, a: float, b: float) -> float:
        return self._generator.uniform(a, b)


class ThreadWork:
    """Runs one slow function at a time in a worker thread; the others wait their turn."""

    def __init__(self) -> None:
        self._limiter = trio.CapacityLimiter(1)

    async def __call__(self, fn: Callable[[*Ts], R], *args: *Ts) -> R:
        return await trio.to_thread.run_sync(fn, *args, limiter=self._limiter)


class SystemCrypto:
    """The library's calls that draw randomness of their own (``env.CryptoDraws``)."""

    def kem_encapsulate(self, public: bytes) -> tuple[bytes, bytes]:
        return MLKEM768PublicKey.from_public_bytes(public).encapsulate()

    def oaep_encrypt(self, modulus: bytes, plaintext: bytes, label: bytes) -> bytes:
        return RootPublic.from_modulus(modulus).oaep_seal(plaintext, label)

    def hpke_seal(self, kem_public: bytes, x_public: bytes, plaintext: bytes, info: bytes) -> bytes:
        return hpke.seal(kem_public, x_public, plaintext, info)


def system_env(*, net: Net | None = None) -> Env:
    """The world of a real process. The gate alone passes a ``net``."""
    from p2pchat.store.disk import SystemDisk  # apsw only where a world is wanted

    return Env(
        clock=SystemClock(),
        random=SystemRandom(),
        disk=SystemDisk(),
        work=ThreadWork(),
        db_work=ThreadWork(),
        crypto=SystemCrypto(),
        net=net,
    )
