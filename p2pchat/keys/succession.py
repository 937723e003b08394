"""Another ID in place of one whose key was stolen: the old root's statement, and the new keys (protocol.md 3.5).

A rotation keeps the ID, and a thief can show the old key to everybody who has not met its owner yet. A new ID leaves
him that name alone. He can sign such a statement, too: it only makes people ask each other.
"""

from dataclasses import replace
from typing import Final

from p2pchat.errors import BadFormat, BadSignature, Untrusted
from p2pchat.ids import UserId
from p2pchat.keys.identity import create_identity, load_identity
from p2pchat.keys.key_log import KeyChain, verify_key_log
from p2pchat.keys.own_log import OwnLog
from p2pchat.keys.root import RootKey, RootPublic
from p2pchat.wire.own_files import GateSecrets, VaultSecrets
from p2pchat.wire.structs import Signed, Succession, Successor

_LOG_BYTES: Final = 6 * 1024  # what a contact request has room for


def succeed(
    vault: VaultSecrets, gate: GateSecrets, root: RootKey, *, fresh: bytes, now_ms: int, recovery_commitment: bytes
) -> tuple[VaultSecrets, GateSecrets]:
    """The secrets of a new identity around ``root`` in the same home: the store stays, every other key is new.

    ``fresh``: 288 random bytes. Three RSA signatures, 0.1 s. Raises Corrupt as ``load_identity``.
    """
    old = load_identity(vault)
    new_vault, new_gate = create_identity(root, fresh=fresh, now_ms=now_ms, recovery_commitment=recovery_commitment)
    statement = Successor(user=old.user, successor=new_gate.user, day=now_ms // (24 * 3600 * 1000)).encode()
    succession = Succession(
        statement=Signed(body=statement, signature=old.root.sign(statement)).encode(),
        key_log=_log_that_fits(old.chain),
    )
    return (
        replace(new_vault, store_key=vault.store_key, succession=succession.encode()),
        replace(new_gate, store_share=gate.store_share, book_key=gate.book_key),
    )


def predecessor(raw: bytes) -> Successor:
    """What an encoded Succession says, unchecked. Raises BadFormat."""
    return Successor.decode(Signed.decode(Succession.decode(raw).statement).body)


def verify(raw: bytes, pinned: KeyChain) -> None:
    """Check that a Succession was signed by a root of the ID that is pinned, or of a log of that ID that it shows.

    Raises BadFormat, BadSignature, Untrusted.
    """
    found = Succession.decode(raw)
    signed = Signed.decode(found.statement)
    shown = verify_key_log(found.key_log) if found.key_log else pinned
    if not Successor.decode(signed.body).user == shown.user == pinned.user:
        raise Untrusted("the statement gives up another ID")
    if not any(_signs(root, signed) for root in {*pinned.roots, *shown.roots}):
        raise BadSignature("no key of the ID that is given up signed this")


def current(gate: GateSecrets, user: UserId) -> GateSecrets:
    """Those of the gate's secrets that belong to the vault's identity: a change of ID may have been cut short."""
    if gate.user != user and gate.next:
        return GateSecrets.decode(gate.next)
    return gate


def _log_that_fits(chain: OwnLog) -> bytes:
    return chain.raw if len(chain.raw) <= _LOG_BYTES else b""


def _signs(root: RootPublic, signed: Signed) -> bool:
    try:
        root.verify(signed.signature, signed.body)
    except (BadSignature, BadFormat):
        return False
    return True
