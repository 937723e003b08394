"""The own identity: making a new one, and loading it from the vault's secrets."""

from dataclasses import dataclass, replace
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from p2pchat.errors import Corrupt, P2PChatError
from p2pchat.ids import DeviceId, UserId
from p2pchat.keys.devices import (
    DEVICE_SET_MS,
    FIRST_SEQUENCE,
    DeviceKeys,
    VerifiedSet,
    make_device_record,
    make_device_set,
    verify_device_set,
)
from p2pchat.keys.genesis import NO_RECOVERY, make_genesis
from p2pchat.keys.key_log import verify_key_log
from p2pchat.keys.own_log import OwnLog, kept, read_own_log
from p2pchat.keys.root import RootKey
from p2pchat.keys.user_id import public_point, user_scalar
from p2pchat.wire.own_files import GateSecrets, VaultSecrets
from p2pchat.wire.structs import DeviceRecord

FRESH_BYTES: Final = 288  # genesis 16, device 16, seeds 32 + 32 + 64, store halves 32 + 32, link 32, book 32
_DAY_MS: Final = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Lasting:
    """What of an identity outlives a machine: what a backup holds."""

    root: RootKey
    scalar: bytes  # s, 32
    chain: OwnLog

    @property
    def user(self) -> UserId:
        return self.chain.user


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Identity:
    """Everything the vault knows of itself. Lives in the vault's memory only."""

    user: UserId
    root: RootKey
    chain: OwnLog
    device: DeviceKeys
    devices: VerifiedSet
    scalar: bytes  # s, 32

    @property
    def lasting(self) -> Lasting:
        return Lasting(self.root, self.scalar, self.chain)

    @property
    def record(self) -> DeviceRecord:
        """This device's own entry in ``devices``."""
        record = self.devices.device(self.device.device)
        assert record is not None  # load_identity checked it
        return record


def create_identity(
    root: RootKey,
    *,
    fresh: bytes,
    now_ms: int,
    nickname: str = "",
    avatar: bytes = b"",
    recovery_commitment: bytes = NO_RECOVERY,
) -> tuple[VaultSecrets, GateSecrets]:
    """A new identity of one device around ``root``; takes 288 random bytes. Two RSA signatures: about 70 ms.

    The link's private key goes to the gate's secrets only.
    """
    draw = _Draw(fresh)
    genesis = make_genesis(root, day=now_ms // _DAY_MS, fresh=draw(16), recovery_commitment=recovery_commitment)
    chain = verify_key_log(genesis)
    scalar = user_scalar(root.secret, chain.genesis_body)
    vault, gate = _new_device(Lasting(root, scalar, chain), FIRST_SEQUENCE, draw, now_ms)
    return replace(vault, nickname=nickname, avatar=avatar), gate


def restore_identity(lasting: Lasting, *, fresh: bytes, now_ms: int) -> tuple[VaultSecrets, GateSecrets]:
    """The same identity on a new device, whose set replaces all sets before; takes 288 random bytes.

    How many sets there were is known to contacts alone, so the new one is numbered by the clock: seconds since 1970.
    Where the clock stands behind an earlier restoration, contacts answer STALE_SET as for any old set.
    """
    return _new_device(lasting, max(FIRST_SEQUENCE + 1, now_ms // 1000), _Draw(fresh), now_ms)


def _new_device(lasting: Lasting, sequence: int, draw: "_Draw", now_ms: int) -> tuple[VaultSecrets, GateSecrets]:
    """Fresh keys of one device, and a set that lists it alone."""
    user = lasting.user
    device, sign_seed, box_x25519, box_mlkem = DeviceId(draw(16)), draw(32), draw(32), draw(64)
    keys = DeviceKeys.from_seeds(device, sign_seed, box_x25519, box_mlkem)
    gate = GateSecrets(user=user, link_x25519=draw(32), store_share=draw(32), book_key=draw(32))
    link_public = X25519PrivateKey.from_private_bytes(gate.link_x25519).public_key().public_bytes_raw()
    record = make_device_record(keys, user, link_public)
    vault = VaultSecrets(
        p=lasting.root.p,
        q=lasting.root.q,
        scalar=lasting.scalar,
        device=device,
        sign_seed=sign_seed,
        box_x25519=box_x25519,
        box_mlkem_seed=box_mlkem,
        key_log=kept(lasting.chain),
        device_set=make_device_set(
            lasting.root, user, [record], sequence=sequence, not_after_ms=now_ms + DEVICE_SET_MS
        ),
        store_key=draw(32),
        created_ms=now_ms,
        nickname="",
        avatar=b"",
    )
    return vault, gate


def load_identity(secrets: VaultSecrets) -> Identity:
    """Rebuild and cross-check the identity, in a few milliseconds. Raises Corrupt where its parts disagree.

    ``secrets`` must come out of ``open_vault``: the RSA key is not validated beyond that authentication.
    """
    try:
        chain = read_own_log(secrets.key_log)
        root = RootKey.from_primes(secrets.p, secrets.q)
        devices = verify_device_set(secrets.device_set, chain)
        user = public_point(secrets.scalar)
    except P2PChatError as error:
        raise Corrupt(
            f"the own identity is damaged: {error.message}", hint="restore vault.key from a copy of the home"
        ) from error
    keys = DeviceKeys.from_seeds(secrets.device, secrets.sign_seed, secrets.box_x25519, secrets.box_mlkem_seed)
    record = devices.device(secrets.device)
    if root.modulus != chain.root.modulus or user != chain.user or record is None:
        raise Corrupt(
            "the own identity is damaged: its keys do not belong together",
            hint="restore vault.key from a copy of the home",
        )
    own = make_device_record(keys, chain.user, record.link_x25519)
    if record != replace(own, capabilities=record.capabilities):  # an older build may have listed fewer
        raise Corrupt(
            "the own identity is damaged: its device keys are others", hint="restore vault.key from a copy of the home"
        )
    return Identity(user=chain.user, root=root, chain=chain, device=keys, devices=devices, scalar=secrets.scalar)


class _Draw:
    """Deals out fresh bytes once each."""

    def __init__(self, fresh: bytes) -> None:
        assert len(fresh) == FRESH_BYTES
        self._fresh = fresh
        self._at = 0

    def __call__(self, count: int) -> bytes:
        taken = self._fresh[self._at : self._at + count]
        self._at += count
        return taken
