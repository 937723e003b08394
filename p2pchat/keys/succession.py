"""Another ID in place of one whose key was stolen: the old root's statement, and the new keys (protocol.md 3.5).

A rotation keeps the ID, and a thief can show the old key to everybody who has not met its owner yet. A new ID leaves
him that name alone. He can sign such a statement, too: it only makes people ask each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from p2pchat.errors import BadFormat, BadSignature, Untrusted
from p2pchat.ids import UserId
from p2pchat.keys.identity import create_identity, load_identity
from p2pchat.keys.key_log import KeyChain, verify_key_log
from p2pchat.keys.own_log import OwnLog
from p2pchat.keys.root import RootKey, RootPublic
from p2pchat.limits import SUCCESSION_BYTES
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
    signed = Signed(body=statement, signature=old.root.sign(statement)).encode()
    return (
        replace(new_vault, store_key=vault.store_key, succession=_that_fits(signed, old.chain, vault.succession)),
        replace(new_gate, store_share=gate.store_share, book_key=gate.book_key),
    )


@dataclass(frozen=True, slots=True)
class Step:
    """One ID that gave way to the next: what it says, and its shape as received."""

    said: Successor
    shown: Succession


def steps(raw: bytes) -> list[Step]:
    """Of an encoded Succession, the newest first. Unchecked but for their order. Raises BadFormat."""
    found: list[Step] = []
    while raw:
        shown = Succession.decode(raw)
        step = Step(Successor.decode(Signed.decode(shown.statement).body), shown)
        if found and step.said.successor != found[-1].said.user:
            raise BadFormat("the statements do not follow one another")
        found.append(step)
        raw = shown.earlier
    return found


def verify(passed: Sequence[Step], last: Step, pinned: KeyChain) -> None:
    """Check that ``last`` gives up the ID that is pinned, and that all that followed it were signed as well.

    A root of the pinned log signed it, or of a log of that ID that it shows; IDs in between have to show theirs. Raises
    BadFormat, BadSignature, Untrusted.
    """
    for step in passed:
        _check(step, verify_key_log(step.shown.key_log), None)
    shown = verify_key_log(last.shown.key_log) if last.shown.key_log else None
    _check(last, pinned, shown)


def current(gate: GateSecrets, user: UserId) -> GateSecrets:
    """Those of the gate's secrets that belong to the vault's identity: a change of ID may have been cut short."""
    if gate.user != user and gate.next:
        return GateSecrets.decode(gate.next)
    return gate


def _that_fits(statement: bytes, chain: OwnLog, earlier: bytes) -> bytes:
    """A Succession that a request has room for. What came before counts for less than the log that proves the last."""
    log = chain.raw if len(chain.raw) <= _LOG_BYTES else b""
    for before in (earlier, _without_log(earlier), b""):
        encoded = Succession(statement=statement, key_log=log, earlier=before).encode()
        if len(encoded) <= SUCCESSION_BYTES:
            return encoded
    raise AssertionError("a statement and a log fit")


def _without_log(raw: bytes) -> bytes:
    """Whoever pinned the ID that it gives up needs none."""
    return replace(Succession.decode(raw), key_log=b"", earlier=b"").encode() if raw else b""


def _check(step: Step, known: KeyChain, shown: KeyChain | None) -> None:
    signed = Signed.decode(step.shown.statement)
    if not step.said.user == known.user == (shown or known).user:
        raise Untrusted("the statement gives up another ID")
    if not any(_signs(root, signed) for root in {*known.roots, *(shown.roots if shown else ())}):
        raise BadSignature("no key of the ID that is given up signed this")


def _signs(root: RootPublic, signed: Signed) -> bool:
    try:
        root.verify(signed.signature, signed.body)
    except (BadSignature, BadFormat):
        return False
    return True
