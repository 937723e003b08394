"""Giving an identity another root: a new entry of the key log, made here and checked in ``key_log``."""

from hmac import compare_digest
from typing import Final

from p2pchat.errors import BadSignature, Failed
from p2pchat.keys.genesis import NO_RECOVERY
from p2pchat.keys.key_log import KeyChain, verify_key_log
from p2pchat.keys.recovery import RecoveryKey
from p2pchat.keys.root import RootKey
from p2pchat.keys.user_id import discovery_scalar, public_point
from p2pchat.limits import KEY_LOG_BYTES, KEY_LOG_ENTRIES
from p2pchat.wire.structs import KeyLog, NewRoot, Recover, Rotate, Signed

ROTATION_BYTES: Final = 3400  # an entry is a little shorter
RECOVERY_BYTES: Final = 7700


def rotate(chain: KeyChain, old: RootKey, new: RootKey, *, day: int) -> KeyChain:
    """The log with ``new`` as its root. Two RSA signatures: 60 ms. Raises Failed where the log is full.

    It is full while there is still room for a recovery, where a recovery key was made.
    """
    recoverable = not compare_digest(chain.genesis.recovery_commitment, NO_RECOVERY)
    if recoverable and (
        len(chain.raw) + ROTATION_BYTES + RECOVERY_BYTES > KEY_LOG_BYTES or chain.length + 2 > KEY_LOG_ENTRIES
    ):
        raise Failed(
            "one more rotation would leave no room in the key log for the recovery key", hint="p2pchat key show"
        )
    statement = _statement(chain, new, day, recovers=False)
    body = Rotate(statement=statement, by_new=new.sign(statement)).encode()
    return _with(chain, Signed(body=body, signature=old.sign(body)))


def recover(chain: KeyChain, key: RecoveryKey, new: RootKey, *, day: int) -> KeyChain:
    """The same by the recovery key: ``chain`` is the log up to the last entry that was the owner's.

    Raises BadSignature where the genesis names another recovery key, or none; otherwise as ``rotate``.
    """
    if not compare_digest(key.commitment, chain.genesis.recovery_commitment):
        hint = "use the one that init --recovery showed for this identity"
        raise BadSignature("this recovery key is of another identity", hint=hint)
    statement = _statement(chain, new, day, recovers=True)
    ed25519, mldsa65 = key.public
    body = Recover(
        statement=statement,
        by_new=new.sign(statement),
        ed25519=ed25519,
        mldsa65=mldsa65,
        by_mldsa65=key.mldsa65.sign(statement),
    ).encode()
    return _with(chain, Signed(body=body, signature=key.ed25519.sign(body)))


def _statement(chain: KeyChain, new: RootKey, day: int, *, recovers: bool) -> bytes:
    return NewRoot(
        user=chain.user,
        prev=chain.head,
        recovers=recovers,
        modulus=new.modulus,
        discovery=public_point(discovery_scalar(new.secret)),
        day=day,
    ).encode()


def _with(chain: KeyChain, entry: Signed) -> KeyChain:
    entries = (*KeyLog.decode(chain.raw).entries, entry.encode())
    if len(entries) > KEY_LOG_ENTRIES:
        raise Failed(
            f"a key can be rotated {KEY_LOG_ENTRIES - 1} times, and this one has been", hint="p2pchat key show"
        )
    raw = KeyLog(entries=entries).encode()
    if len(raw) > KEY_LOG_BYTES:
        raise Failed("the key log is full", hint="p2pchat key show")
    return verify_key_log(raw)
