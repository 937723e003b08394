"""The real world behind ``env.Env``: the system's clock and randomness, worker threads, the library's own draws."""

import os
import random
import time
from typing import Final

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey

from p2pchat.env import Env, Net
from p2pchat.keys import hpke
from p2pchat.keys.root import RootPublic
from p2pchat.worker import ThreadWork

# Goes on during suspend. macOS has no CLOCK_BOOTTIME; its monotonic clock stands still then, so a suspend shows
# there only as a leap of the wall clock.
_BOOT_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

GIVE_WAY: Final = 10  # RSA and searches: they take a core for so long that messages under way would wait


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
        work=ThreadWork(nice=GIVE_WAY),
        db_work=ThreadWork(),
        crypto=SystemCrypto(),
        net=net,
    )
