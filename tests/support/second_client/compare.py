"""Section 16.2: two people compare four pictures."""

import os
from dataclasses import dataclass, field

from tests.support.second_client.identity import Shown
from tests.support.second_client.primitives import hkdf, pack, sha256, unpack

NONE, YES, NO = 0, 1, 2


def sides(one: Shown, other: Shown) -> bytes:
    return one.user + other.user + one.spki_hash + other.spki_hash


def commit(sender: Shown, recipient: Shown, link_hash: bytes, value: bytes) -> bytes:
    return sha256(b"p2pchat/1/compare/commit", sides(sender, recipient), link_hash, value)


def pictures(one: Shown, other: Shown, link_hash: bytes, values: tuple[bytes, bytes]) -> list[int]:
    """``values``: that of ``one``, that of ``other``."""
    commitments = (commit(one, other, link_hash, values[0]), commit(other, one, link_hash, values[1]))
    if one.user > other.user:
        one, other, values, commitments = other, one, values[::-1], commitments[::-1]
    info = b"p2pchat/1/compare/emoji" + sides(one, other) + link_hash + commitments[0] + commitments[1]
    number = int.from_bytes(hkdf(values[0] + values[1], info, 3))
    return [number >> shift & 63 for shift in (18, 12, 6, 0)]


@dataclass
class Compare:
    """One comparison from this side."""

    me: Shown
    peer: Shown
    link_hash: bytes
    value: bytes = field(default_factory=lambda: os.urandom(32))
    held: bytes = b""
    peer_value: bytes = b""
    verdict: int = NONE
    peer_verdict: int = NONE

    def statement(self) -> bytes:
        own = commit(self.me, self.peer, self.link_hash, self.value)
        return pack(own, self.held, self.value if self.held else b"", self.verdict)

    def heard(self, statement: bytes) -> None:
        commitment, seen, value, verdict = unpack(statement, fields=4)
        assert seen in {b"", commit(self.me, self.peer, self.link_hash, self.value)}
        assert self.held in {b"", commitment}
        self.held, self.peer_verdict = commitment, verdict
        if value:
            assert commit(self.peer, self.me, self.link_hash, value) == commitment
            self.peer_value = value

    @property
    def pictures(self) -> list[int]:
        return pictures(self.me, self.peer, self.link_hash, (self.value, self.peer_value))
