"""What a node takes from the world: clock, randomness, disk, network, a worker for slow sums.

The shells (vault, gate) receive one frozen ``Env``; cores see none of it, they get values. Tests put a virtual clock,
a seeded generator, a memory disk and a memory network here. ``env_system.system_env()`` is the real one.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar, TypeVarTuple

import trio

Ts = TypeVarTuple("Ts")
R = TypeVar("R")


class Clock(Protocol):
    def wall_ms(self) -> int:
        """Unix milliseconds. May jump; used only inside messages and records."""

    def boot_s(self) -> float:
        """Seconds that go on during suspend (CLOCK_BOOTTIME). Used to notice a suspend."""


class Random(Protocol):
    def bytes(self, n: int) -> bytes: ...

    def uniform(self, a: float, b: float) -> float: ...


def draws(random: Random, count: int, size: int) -> list[bytes]:
    """``count`` draws of ``size`` bytes in one call: a call of the system gives way to other threads."""
    fresh = random.bytes(count * size)
    return [fresh[at : at + size] for at in range(0, len(fresh), size)]


class Disk(Protocol):
    """Files of one home. Paths are absolute."""

    def open_db(self, path: Path, key: bytes) -> Any:
        """An ``apsw.Connection`` for the one writer: encrypted, WAL, synchronous=FULL."""

    def reader(self, db: Any) -> Any:
        """A second, read-only connection to the same database (under ``memdb`` the same one)."""

    def read(self, path: Path, limit: int) -> bytes:
        """The whole file. Raises NotFound, or Corrupt beyond ``limit`` bytes."""

    def replace(self, path: Path, data: bytes) -> None:
        """Write atomically with mode 0600: after a crash the file is old or new, never between."""


class Net(Protocol):
    """Network of the gate. Addresses are (host, port)."""

    async def dial(self, host: str, port: int) -> trio.abc.HalfCloseableStream: ...

    async def listen(self, host: str, port: int) -> list["StreamListener"]: ...

    async def resolve(self, host: str) -> list[str]:
        """The IP addresses of a name that the user typed. Raises Unreachable."""

    async def local_addresses(self) -> list[str]:
        """Addresses under which others on the LAN or the Internet may reach this host."""


class StreamListener(Protocol):
    address: tuple[str, int]

    async def accept(self) -> tuple[trio.abc.HalfCloseableStream, str]:
        """The next stream and the host it comes from."""

    async def aclose(self) -> None: ...


class Work(Protocol):
    """Runs a slow function: in a thread, or inline under virtual time."""

    def __call__(self, fn: Callable[[*Ts], R], *args: *Ts) -> Awaitable[R]: ...


class CryptoDraws(Protocol):
    """Calls that draw randomness inside the library; a simulation replaces them."""

    def kem_encapsulate(self, public: bytes) -> tuple[bytes, bytes]:
        """ML-KEM-768 public key -> (shared secret 32, ciphertext 1088). Raises ValueError on a bad key."""

    def oaep_encrypt(self, modulus: bytes, plaintext: bytes, label: bytes) -> bytes:
        """RSA-OAEP-SHA-256 under (modulus, 65537) -> 1024 bytes."""

    def hpke_seal(self, kem_public: bytes, x_public: bytes, plaintext: bytes, info: bytes) -> bytes:
        """HPKE base mode, MLKEM768-X25519, HKDF-SHA256, ChaCha20-Poly1305: enc || ciphertext."""


@dataclass(frozen=True, slots=True)
class Env:
    clock: Clock
    random: Random
    disk: Disk
    work: Work
    db_work: Work  # the store's one writer thread; separate, so that RSA never delays a commit
    crypto: CryptoDraws
    net: Net | None = None  # the gate's alone
