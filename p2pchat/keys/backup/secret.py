"""What a backup holds, sealed: all of an identity that cannot be made anew (protocol.md 17).

The two primes and the ID scalar are the identity; the rest of the genesis lets its bytes, and so the ID, be made again.
An MD5 of the plaintext goes inside, where the tag that authenticates it shows that it decides nothing.
"""

from hashlib import sha256
from typing import Final

from p2pchat.errors import BadFormat, Corrupt, P2PChatError
from p2pchat.ids import UserId
from p2pchat.keys import seal
from p2pchat.keys.genesis import make_genesis
from p2pchat.keys.identity import Lasting
from p2pchat.keys.key_log import verify_key_log
from p2pchat.keys.own_log import LostLog, OwnLog
from p2pchat.keys.root import RootKey
from p2pchat.keys.user_id import public_point
from p2pchat.limits import KEY_LOG_ENTRIES
from p2pchat.wire.checksum import md5
from p2pchat.wire.own_files import Backup, LogEnd

FORM: Final = seal.Form(b"P2PB", 32 * 1024, "backup", "use another copy of it")
FRESH_BYTES: Final = seal.FRESH_BYTES
_SUM_BYTES: Final = 16


def seal_backup(
    identity: Lasting,
    password: bytes,
    *,
    with_log: bool,
    fresh: bytes,
    cost: seal.Cost,
    dongle: bytes = b"",
    split: bool = False,
) -> bytes:
    """The container. ``with_log``: the public key log goes along, for carriers that have room; the rest as ``seal``."""
    plaintext = pack(identity, with_log=with_log)
    return seal.seal(plaintext, password, fresh=fresh, cost=cost, form=FORM, dongle=dongle, split=split)


def open_backup(container: bytes, password: bytes, *, dongle: bytes = b"") -> Lasting:
    """Slow on purpose. Raises as ``open_sealed`` and ``unpack``."""
    return unpack(seal.open_sealed(container, password, FORM, dongle=dongle))


def pack(identity: Lasting, *, with_log: bool) -> bytes:
    """The plaintext."""
    genesis = identity.chain.genesis
    encoded = Backup(
        p=identity.root.p,
        q=identity.root.q,
        scalar=identity.scalar,
        recovery_commitment=genesis.recovery_commitment,
        day=genesis.day,
        random=genesis.random,
        log_length=identity.chain.length,
        head=identity.chain.head,
        key_log=identity.chain.raw if with_log else b"",
    ).encode()
    return encoded + md5(encoded)


def unpack(plaintext: bytes) -> Lasting:
    """The identity of an opened backup, cross-checked. One RSA signature where the log is not in it: 30 ms.

    Raises Corrupt where its parts disagree. ``plaintext`` must come out of
    ``seal.open_sealed``: the primes are not validated beyond that authentication.
    """
    encoded, checksum = plaintext[:-_SUM_BYTES], plaintext[-_SUM_BYTES:]
    if md5(encoded) != checksum:
        raise _damaged("its inner checksum is wrong")
    try:
        found = Backup.decode(encoded)
    except P2PChatError as error:
        raise _damaged(error.message) from error
    try:
        root = RootKey.from_primes(found.p, found.q)
        user = UserId(public_point(found.scalar))
        chain = _log(found, root, user)
    except P2PChatError as error:
        raise _damaged(error.message) from error
    if chain.user != user or chain.head != found.head or root.modulus != chain.root.modulus:
        raise _damaged("its keys do not belong together")
    return Lasting(root, found.scalar, chain)


def _log(found: Backup, root: RootKey, user: UserId) -> OwnLog:
    """The key log, or its end. That of a root that was never replaced is made again, but for another signature."""
    if found.key_log:
        return verify_key_log(found.key_log)
    if found.log_length == 1:
        genesis = make_genesis(root, day=found.day, fresh=found.random, recovery_commitment=found.recovery_commitment)
        return verify_key_log(genesis)
    if not 1 < found.log_length <= KEY_LOG_ENTRIES:
        raise BadFormat(f"a key log has no {found.log_length} entries")
    end = LogEnd(
        user=user,
        modulus=root.modulus,
        log_length=found.log_length,
        head=found.head,
        recovery_commitment=found.recovery_commitment,
        day=found.day,
        random=found.random,
    )
    return LostLog(end, root.public)


def set_id(container: bytes) -> str:
    """Eight characters that tell copies of one backup from copies of another."""
    return sha256(container).hexdigest()[:8]


def _damaged(why: str) -> Corrupt:
    return Corrupt(f"the {FORM.name} is damaged: {why}", hint=FORM.restore)
