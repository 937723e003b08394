"""The first entry of every key log: what an ID commits to."""

from typing import Final

from p2pchat.keys.root import RootKey
from p2pchat.keys.user_id import discovery_scalar, public_point
from p2pchat.wire.structs import Genesis, KeyLog, Signed

RANDOM_BYTES: Final = 16
NO_RECOVERY: Final = bytes(32)


def make_genesis(root: RootKey, *, day: int, fresh: bytes, recovery_commitment: bytes = NO_RECOVERY) -> bytes:
    """A new identity's encoded KeyLog: one entry, root-signed. ``day`` counts from 1970, ``fresh`` is 16 bytes."""
    body = Genesis(
        modulus=root.modulus,
        discovery=public_point(discovery_scalar(root.secret)),
        recovery_commitment=recovery_commitment,
        day=day,
        random=fresh,
    ).encode()
    entry = Signed(body=body, signature=root.sign(body))
    return KeyLog(entries=(entry.encode(),)).encode()
