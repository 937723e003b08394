"""Stored RSA-8192 identities, the same in every run: tests never generate a root key (5-11 s each)."""

from functools import cache
from hashlib import shake_256
from pathlib import Path
from typing import Final

from p2pchat.keys.identity import FRESH_BYTES, Identity, create_identity, load_identity
from p2pchat.keys.root import RootKey
from p2pchat.wire.own_files import GateSecrets, VaultSecrets

COUNT: Final = 6
NOW_MS: Final = 1_800_000_000_000  # 15 January 2027: when the stored identities were "made"
_FOLDER: Final = Path(__file__).parent / "identities"


@cache
def stored_root(index: int) -> RootKey:
    """The ``index``-th stored root key, 0 to 5. A millisecond."""
    p, q = (bytes.fromhex(line) for line in (_FOLDER / f"{index}.hex").read_text().split())
    return RootKey.from_primes(p, q)


@cache
def stored_secrets(index: int, now_ms: int = NOW_MS) -> tuple[VaultSecrets, GateSecrets]:
    """A whole identity made at ``now_ms`` from fixed bytes; only its RSA signatures differ from run to run. 70 ms."""
    fresh = shake_256(b"stored test identity %d" % index).digest(FRESH_BYTES)
    return create_identity(stored_root(index), fresh=fresh, now_ms=now_ms, nickname=f"person {index}")


@cache
def stored_identity(index: int, now_ms: int = NOW_MS) -> Identity:
    """``stored_secrets`` as the vault loads them. Pass ``now_ms`` where a real clock judges the device set."""
    return load_identity(stored_secrets(index, now_ms)[0])
