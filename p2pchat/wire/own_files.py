"""What an identity keeps of itself, sealed, on its own disk and in its backups (protocol.md 15, 17)."""

from dataclasses import dataclass
from typing import Annotated

from p2pchat import limits
from p2pchat.wire.shape import U8, U32, U64, Struct, exactly, up_to
from p2pchat.wire.structs import (
    Bytes16,
    Bytes32,
    Device16,
    DeviceSetBytes,
    KeyLogBytes,
    Nickname,
    Rsa1024,
    SuccessionBytes,
    UserQ,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup(Struct):
    """What a backup seals: all that cannot be made anew. MD5 of this encoding follows it (keys/backup/secret.py)."""

    LABEL = "p2pchat/1/backup"
    p: Annotated[bytes, exactly(512)]
    q: Annotated[bytes, exactly(512)]
    scalar: Bytes32  # s, the ID scalar
    recovery_commitment: Bytes32  # this and the next two: the genesis', which is made again from them
    day: U32
    random: Bytes16
    log_length: U8  # entries of the key log
    head: Bytes32  # SHA-256 of its last entry's body
    key_log: KeyLogBytes  # the log itself where there is room: files


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEnd(Struct):
    """The end of the own key log, in its place where the log itself is not there (keys/own_log.py)."""

    LABEL = "p2pchat/1/log-end"
    user: UserQ
    modulus: Rsa1024  # of the current root
    log_length: U8
    head: Bytes32
    recovery_commitment: Bytes32  # this and the next two: the genesis'
    day: U32
    random: Bytes16


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultSecrets(Struct):
    """Content of ``vault.key``: the identity. Sealed under a key derived from the KEK."""

    LABEL = "p2pchat/1/vault"
    ADDED = 1
    p: Annotated[bytes, exactly(512)]
    q: Annotated[bytes, exactly(512)]
    scalar: Bytes32  # s, the ID scalar
    device: Device16
    sign_seed: Bytes32
    box_x25519: Bytes32
    box_mlkem_seed: Annotated[bytes, exactly(64)]
    key_log: KeyLogBytes  # or an encoded LogEnd
    device_set: DeviceSetBytes
    store_key: Bytes32  # the vault's half of the store's key
    created_ms: U64
    nickname: Nickname  # these two: the first profile, which the vault's store takes over
    avatar: Annotated[bytes, up_to(limits.AVATAR_BYTES)]
    succession: SuccessionBytes = b""  # from the ID that this home had before


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSecrets(Struct):
    """Content of ``gate.key``: the private link key, the gate's half of the store's key, the key of gate.db."""

    LABEL = "p2pchat/1/gate"
    ADDED = 1
    user: UserQ
    link_x25519: Bytes32
    store_share: Bytes32
    book_key: Bytes32
    next: Annotated[bytes, up_to(256)] = b""  # an encoded GateSecrets: counts once the vault has the identity it names
