"""Put an identity into a home: the three key files, the one that makes it a home last."""

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from p2pchat import atomic
from p2pchat.commands.factors import Factors
from p2pchat.commands.new_keys import Primes
from p2pchat.errors import Corrupt, Exists
from p2pchat.home import Home
from p2pchat.ids import UserId, user_id_text
from p2pchat.limits import KEY_FILE_BYTES

if TYPE_CHECKING:  # the verbs that call this load what it needs
    from p2pchat.keys.identity import Lasting
    from p2pchat.wire.own_files import GateSecrets, VaultSecrets


class Made(NamedTuple):
    """What ``init`` prints of the new identity."""

    id: str
    fingerprint: str
    pubkey_md5: str


def make_home(
    home: Home,
    primes: Primes,
    password: bytes,
    dongle: bytes = b"",
    *,
    nickname: str = "",
    avatar: bytes = b"",
    light: bool = False,
    recovery_seed: bytes | None = None,
) -> Made:
    """Create ``home`` with a new identity around the root key of ``primes`` (512 bytes each).

    It is sealed under ``password``, what a ``dongle`` answered (32 bytes), or both; ``light`` makes one guess cost
    64 MiB and one pass, not the standard.
    ``recovery_seed``: the 32 bytes of a recovery key, to which the identity then commits for good.
    Nothing half is left: ``unlock.key``, which says that there is an identity, is written last. About a second, or
    0.2 s with ``light``.
    Raises Exists where the home has an identity, Usage for an unfit password, and what ``Home.create`` raises.
    """
    from p2pchat.keys.genesis import NO_RECOVERY
    from p2pchat.keys.identity import FRESH_BYTES, create_identity
    from p2pchat.keys.recovery import RecoveryKey
    from p2pchat.keys.root import RootKey

    root = RootKey.from_primes(*primes)
    fresh, now_ms = os.urandom(FRESH_BYTES), time.time_ns() // 1_000_000
    commitment = RecoveryKey.from_seed(recovery_seed).commitment if recovery_seed is not None else NO_RECOVERY
    vault, gate = create_identity(
        root, fresh=fresh, now_ms=now_ms, nickname=nickname, avatar=avatar, recovery_commitment=commitment
    )
    _write(home, vault, gate, Factors(password, dongle), light=light)
    return Made(user_id_text(gate.user), root.public.fingerprint, root.public.pubkey_md5)


def restore_home(home: Home, lasting: "Lasting", factors: Factors, *, nickname: str, light: bool) -> Made:
    """Create ``home`` around an identity that a backup brought back, as a new device. Otherwise as ``make_home``."""
    from p2pchat.keys.identity import FRESH_BYTES, restore_identity

    fresh, now_ms = os.urandom(FRESH_BYTES), time.time_ns() // 1_000_000
    vault, gate = restore_identity(lasting, fresh=fresh, now_ms=now_ms)
    _write(home, replace(vault, nickname=nickname), gate, factors, light=light)
    root = lasting.root.public
    return Made(user_id_text(gate.user), root.fingerprint, root.pubkey_md5)


def kek_of(home: Home, factors: Factors) -> bytes:
    """The key-encryption key. Slow on purpose. Raises as ``keys.seal.open_sealed``."""
    from p2pchat.keys.seal import open_sealed

    return open_sealed(_read(home.unlock_file), factors.password, dongle=factors.dongle)


def renew_home(home: Home, kek: bytes, primes: Primes, *, recovery_seed: bytes | None = None) -> tuple[Made, str]:
    """Give the identity in ``home`` another ID and other keys (keys/succession.py); what it is then, and the ID before.

    Nobody else may use the home meanwhile. A crash leaves the old identity or the new one. Raises Corrupt, Failed.
    """
    from p2pchat.keys.genesis import NO_RECOVERY
    from p2pchat.keys.identity import FRESH_BYTES
    from p2pchat.keys.key_file import NONCE_BYTES, derive
    from p2pchat.keys.recovery import RecoveryKey
    from p2pchat.keys.root import RootKey
    from p2pchat.keys.succession import current, succeed
    from p2pchat.keys.user_id import public_point
    from p2pchat.keys.vault_file import open_gate, open_vault, seal_gate, seal_vault

    keys = derive(kek, "vault"), derive(kek, "gate")
    vault, gate = open_vault(_read(home.vault_file), keys[0]), open_gate(_read(home.gate_file), keys[1])
    root = RootKey.from_primes(*primes)
    commitment = RecoveryKey.from_seed(recovery_seed).commitment if recovery_seed is not None else NO_RECOVERY
    gate = current(gate, UserId(public_point(vault.scalar)))
    new_vault, new_gate = succeed(
        vault,
        gate,
        root,
        fresh=os.urandom(FRESH_BYTES),
        now_ms=time.time_ns() // 1_000_000,
        recovery_commitment=commitment,
    )
    # The gate is ready for both until vault.key, which decides, is written.
    both = replace(gate, next=new_gate.encode())
    atomic.replace(home.gate_file, seal_gate(both, keys[1], os.urandom(NONCE_BYTES)))
    atomic.replace(home.vault_file, seal_vault(new_vault, keys[0], os.urandom(NONCE_BYTES)))
    atomic.replace(home.gate_file, seal_gate(new_gate, keys[1], os.urandom(NONCE_BYTES)))
    made = Made(user_id_text(new_gate.user), root.public.fingerprint, root.public.pubkey_md5)
    return made, user_id_text(gate.user)


def _read(file: Path) -> bytes:
    """Raises Corrupt where it is not there."""
    try:
        with file.open("rb") as opened:
            return opened.read(KEY_FILE_BYTES + 1)
    except OSError as error:
        raise Corrupt(f"cannot read {file}: {error.strerror}", hint=f"ls -l {file}") from error


def _write(home: Home, vault: "VaultSecrets", gate: "GateSecrets", factors: Factors, *, light: bool) -> None:
    from p2pchat.keys.key_file import NONCE_BYTES, derive
    from p2pchat.keys.seal import FRESH_BYTES, LIGHT, STANDARD, seal
    from p2pchat.keys.vault_file import seal_gate, seal_vault

    home.create()
    if home.has_identity:
        raise Exists(f"there is an identity in {home.data_dir} already", hint="p2pchat whoami")
    kek = os.urandom(32)
    cost = LIGHT if light else STANDARD
    unlock = seal(kek, factors.password, dongle=factors.dongle, fresh=os.urandom(FRESH_BYTES), cost=cost)
    atomic.replace(home.vault_file, seal_vault(vault, derive(kek, "vault"), os.urandom(NONCE_BYTES)))
    atomic.replace(home.gate_file, seal_gate(gate, derive(kek, "gate"), os.urandom(NONCE_BYTES)))
    atomic.replace(home.unlock_file, unlock)


def read_primes(path: Path) -> Primes:
    """A stored pair of primes, in hexadecimal, one a line: the demo's and the tests'."""
    p, q = path.read_text().split()
    return bytes.fromhex(p), bytes.fromhex(q)
