"""Checking a key log: from the bytes that a peer presents to the identity they prove.

The ID is recomputed from the genesis, never believed. A log may later hold rotations; this version knows none, so it
refuses every entry after the genesis in words that send the user to a newer version.
"""

from dataclasses import dataclass, field
from hashlib import sha256

from p2pchat.errors import BadFormat, BadSignature
from p2pchat.ids import UserId
from p2pchat.keys.root import RootPublic
from p2pchat.keys.user_id import user_id
from p2pchat.limits import KEY_LOG_BYTES
from p2pchat.wire import codec
from p2pchat.wire.structs import Genesis, KeyLog, Signed


@dataclass(frozen=True, slots=True)
class KeyChain:
    """A verified key log. Two of them are the same identity at the same point if ``user`` and ``head`` are equal."""

    user: UserId
    root: RootPublic  # the current root
    head: bytes  # 32: SHA-256 of the last entry's body
    length: int  # entries
    raw: bytes = field(repr=False)  # the encoded KeyLog as received
    genesis_body: bytes = field(repr=False)  # the signed encoding that the ID commits to


def verify_key_log(raw: bytes) -> KeyChain:
    """Check every bound, point and signature of an encoded KeyLog.

    Raises BadFormat for a shape that is off, CryptoError for a modulus or point that cannot be, BadSignature where
    the root did not sign its genesis. Nothing is multiplied before its size is checked.
    """
    if len(raw) > KEY_LOG_BYTES:
        raise BadFormat(f"a key log has at most {KEY_LOG_BYTES} bytes")
    entries = [Signed.decode(entry) for entry in KeyLog.decode(raw).entries]
    for entry in entries[1:]:
        raise _unknown_entry(entry.body)
    body = entries[0].body
    genesis = Genesis.decode(body)
    root = RootPublic.from_modulus(genesis.modulus)
    try:
        root.verify(entries[0].signature, body)
    except BadSignature as error:
        raise BadSignature("the key log's genesis is not signed by its own root key") from error
    return KeyChain(
        user=user_id(genesis.discovery, body),
        root=root,
        head=sha256(body).digest(),
        length=len(entries),
        raw=raw,
        genesis_body=body,
    )


def _unknown_entry(body: bytes) -> BadFormat:
    value = codec.unpack(body)
    label = value[0] if isinstance(value, list) and value else None
    if label == Genesis.LABEL:
        return BadFormat("a key log holds a second genesis")
    return BadFormat(
        "this key log holds an entry that needs a newer version of p2pchat",
        hint="update p2pchat (p2pchat version prints this one's)",
    )
