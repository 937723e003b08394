"""Checking a key log: from the bytes that a peer presents to the identity they prove (protocol.md 3.3).

The ID is recomputed from the genesis, never believed. Each later entry replaces the root: signed by the root before it
(``rotate``), or by the recovery key to which the genesis commits (``recover``), and always by the new root.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from itertools import takewhile
from typing import Final

from p2pchat.errors import BadFormat, BadSignature, Untrusted
from p2pchat.ids import UserId
from p2pchat.keys import recovery
from p2pchat.keys.root import RootPublic
from p2pchat.keys.standing import Standing
from p2pchat.keys.user_id import user_id
from p2pchat.limits import KEY_LOG_BYTES
from p2pchat.wire import codec
from p2pchat.wire.structs import Genesis, KeyLog, NewRoot, Recover, Rotate, Signed


@dataclass(frozen=True, slots=True)
class Entry:
    """One step of a verified log."""

    hash: bytes  # 32: SHA-256 of its body
    day: int
    recovers: bool = False


@dataclass(frozen=True, slots=True)
class KeyChain:
    """A verified key log. Two of them are the same identity at the same point if ``user`` and ``head`` are equal."""

    user: UserId
    root: RootPublic  # the current root
    entries: tuple[Entry, ...]
    raw: bytes = field(repr=False)  # the encoded KeyLog as received
    genesis_body: bytes = field(repr=False)  # the signed encoding that the ID commits to

    @property
    def head(self) -> bytes:
        """32: SHA-256 of the last entry's body."""
        return self.entries[-1].hash

    @property
    def length(self) -> int:
        return len(self.entries)

    @property
    def genesis(self) -> Genesis:
        return Genesis.decode(self.genesis_body)

    @property
    def roots(self) -> tuple[RootPublic, ...]:
        """Of every entry, the first one's first."""
        later = [Signed.decode(entry).body for entry in KeyLog.decode(self.raw).entries[1:]]
        moduli = [NewRoot.decode(_KINDS[label_of(body)].decode(body).statement).modulus for body in later]
        return tuple(RootPublic.from_modulus(modulus) for modulus in (self.genesis.modulus, *moduli))

    def upto(self, head: bytes) -> "KeyChain":
        """The same log as it was when ``head`` was its last entry. Raises Untrusted where no entry is."""
        hashes = [entry.hash for entry in self.entries]
        if head not in hashes:
            raise Untrusted("no key log is shown, and the one that is named is not known here")
        count = hashes.index(head) + 1
        if count == self.length:
            return self
        return verify_key_log(KeyLog(entries=KeyLog.decode(self.raw).entries[:count]).encode())

    def standing(self, known: "KeyChain") -> Standing:
        """How this log stands to ``known``: a longer one goes on; of two branches the recovered one wins."""
        pairs = zip(self.entries, known.entries, strict=False)
        common = sum(1 for _ in takewhile(lambda pair: pair[0].hash == pair[1].hash, pairs))
        mine, others = self.entries[common:], known.entries[common:]
        if not mine or not others:
            return Standing.SAME if mine == others else Standing.NEWER if mine else Standing.OLDER
        recovered, others_recovered = (any(entry.recovers for entry in branch) for branch in (mine, others))
        if recovered == others_recovered:
            return Standing.FORKED
        return Standing.NEWER if recovered else Standing.OLDER


def verify_key_log(raw: bytes) -> KeyChain:
    """Check every bound, point and signature of an encoded KeyLog.

    Raises BadFormat for a shape that is off, CryptoError for a modulus or point that cannot be, BadSignature where
    an entry is not signed by who must, Untrusted where it is another identity's. Nothing is multiplied before its size
    is checked.
    """
    if len(raw) > KEY_LOG_BYTES:
        raise BadFormat(f"a key log has at most {KEY_LOG_BYTES} bytes")
    first, *later = [Signed.decode(entry) for entry in KeyLog.decode(raw).entries]
    genesis = Genesis.decode(first.body)
    root = RootPublic.from_modulus(genesis.modulus)
    try:
        root.verify(first.signature, first.body)
    except BadSignature as error:
        raise BadSignature("the key log's genesis is not signed by its own root key") from error
    user = user_id(genesis.discovery, first.body)
    entries = [Entry(sha256(first.body).digest(), genesis.day)]
    for signed in later:
        statement = _statement(signed, root, genesis)
        if statement.user != user:
            raise Untrusted("an entry of the key log belongs to another ID")
        if statement.prev != entries[-1].hash:
            raise BadFormat("an entry of the key log does not follow the one before it")
        entries.append(Entry(sha256(signed.body).digest(), statement.day, statement.recovers))
        root = RootPublic.from_modulus(statement.modulus)
    return KeyChain(user=user, root=root, entries=tuple(entries), raw=raw, genesis_body=first.body)


def _statement(signed: Signed, before: RootPublic, genesis: Genesis) -> NewRoot:
    """What a later entry says, once all that must has signed it."""
    label = label_of(signed.body)
    if label not in _KINDS:
        raise _unknown_entry(label)
    entry = _KINDS[label].decode(signed.body)
    statement = NewRoot.decode(entry.statement)
    if statement.recovers != isinstance(entry, Recover):
        raise BadFormat("an entry of the key log says another kind than it is")
    try:
        RootPublic.from_modulus(statement.modulus).verify(entry.by_new, entry.statement)
        if isinstance(entry, Rotate):
            before.verify(signed.signature, signed.body)
    except BadSignature as error:
        raise BadSignature("a rotation in the key log is not signed by the old root key and the new one") from error
    if isinstance(entry, Recover):
        if not recovery.fits(entry, genesis):
            raise BadSignature("the key log was recovered by a key that its genesis does not name")
        recovery.verify(entry, signed.body, signed.signature)
    return statement


_KINDS: Final[dict[object, type[Rotate] | type[Recover]]] = {Rotate.LABEL: Rotate, Recover.LABEL: Recover}


def label_of(body: bytes) -> object:
    """What a labelled structure says that it is. Raises BadFormat for what is no encoding at all."""
    value = codec.unpack(body)
    return value[0] if isinstance(value, list) and value and isinstance(value[0], str) else None


def _unknown_entry(label: object) -> BadFormat:
    if label == Genesis.LABEL:
        return BadFormat("a key log holds a second genesis")
    return BadFormat(
        "this key log holds an entry that needs a newer version of p2pchat",
        hint="update p2pchat (p2pchat version prints this one's)",
    )
