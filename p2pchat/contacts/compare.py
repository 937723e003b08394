"""Two people compare keys live: four pictures, equal on both screens, or somebody sits between (protocol.md 16.2).

Four of 64 pictures are only 24 bits, so nobody may choose after seeing: each side first commits to a random value, and
says the value only once it holds the other's commitment. Somebody between two people must then fix both his values
before he knows what they will lead to, and is right once in 16 million times; he sees the outcome before the people
do and may break off, which is why a vault says few values a day (limits.py).

Each statement says all that its sender has said so far, so one that is lost or repeated changes nothing. It means
something between these two roots on this link alone. No I/O; ``wire.structs.Compare`` is what travels.
"""

from dataclasses import dataclass, field, replace
from enum import Enum, IntEnum
from hashlib import sha256
from typing import Final

from p2pchat.contacts.emoji import TABLE
from p2pchat.errors import BadFormat
from p2pchat.ids import UserId
from p2pchat.keys.kdf import hkdf
from p2pchat.wire.structs import Compare

VALUE_BYTES: Final = 32
PICTURES: Final = 4
_BITS: Final = 6  # a picture
_COMMIT_LABEL: Final = b"p2pchat/1/compare/commit"
_EMOJI_LABEL: Final = b"p2pchat/1/compare/emoji"


@dataclass(frozen=True, slots=True)
class End:
    """One side: its ID and SHA-256 of its root's SPKI, both 32 bytes."""

    user: UserId
    spki_hash: bytes


@dataclass(frozen=True, slots=True)
class Ends:
    """What a comparison is bound to: both sides, and the link's handshake hash (32 bytes)."""

    own: End
    peer: End
    link_hash: bytes

    def commitment(self, value: bytes, *, own: bool) -> bytes:
        """What binds a side to its value; another for each direction, so nothing can be sent back as one's own."""
        sender, recipient = (self.own, self.peer) if own else (self.peer, self.own)
        sides = sender.user + recipient.user + sender.spki_hash + recipient.spki_hash
        return sha256(_COMMIT_LABEL + sides + self.link_hash + value).digest()


class Verdict(IntEnum):
    """What a side's user said; ENDED: nothing more will come from there."""

    NONE = 0
    YES = 1
    NO = 2
    ENDED = 3


class Fault(Enum):
    """Why a comparison failed; the value completes "the comparison failed: ..."."""

    ENDED = "the other side broke it off"
    BEGAN_ANEW = "the other side began anew after it had this side's value"
    REFLECTED = "the other side sent this side's own commitment back"
    WRONG_VALUE = "the other side's value does not fit its commitment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One side's view. Grows only: waiting for a commitment, then for the value, then for the users' verdicts."""

    ends: Ends
    value: bytes = field(repr=False)  # 32 random bytes, said once ``held`` is there
    held: bytes = b""  # the peer's commitment
    peer_value: bytes = field(default=b"", repr=False)
    verdict: Verdict = Verdict.NONE  # the own user's
    peer_verdict: Verdict = Verdict.NONE
    fault: Fault | None = None

    @property
    def commitment(self) -> bytes:
        return self.ends.commitment(self.value, own=True)

    @property
    def shown(self) -> bool:
        """Both values are known and fit what they were committed to: the pictures may be looked at."""
        return bool(self.peer_value) and self.fault is None

    @property
    def over(self) -> bool:
        """Nothing that the peer says in it matters any longer."""
        return self.fault is not None or self.verdict is Verdict.ENDED

    def pictures(self) -> tuple[int, ...]:
        """Four numbers below 64, first to last. Only once ``shown``."""
        assert self.shown
        lo_first = self.ends.own.user < self.ends.peer.user
        own = (self.ends.own, self.commitment, self.value)
        peer = (self.ends.peer, self.held, self.peer_value)
        (lo, lo_commitment, lo_value), (hi, hi_commitment, hi_value) = (own, peer) if lo_first else (peer, own)
        sides = lo.user + hi.user + lo.spki_hash + hi.spki_hash
        info = _EMOJI_LABEL + sides + self.ends.link_hash + lo_commitment + hi_commitment
        number = int.from_bytes(hkdf(lo_value + hi_value, info, length=PICTURES * _BITS // 8))
        return tuple((number >> (_BITS * at)) % len(TABLE) for at in reversed(range(PICTURES)))

    def statement(self) -> Compare:
        """All that this side has to say."""
        verdict = Verdict.ENDED if self.fault else self.verdict
        return Compare(
            commitment=self.commitment,
            seen=self.held,
            value=self.value if self.held and not (self.over and not self.peer_value) else b"",
            verdict=verdict,
        )

    def heard(self, said: Compare) -> "Comparison":
        """What the peer's statement makes of it; itself where nothing is new. The value must then be said if it is."""
        if self.over or said.seen not in {b"", self.commitment}:
            return self  # it answers a commitment that this side made before
        if said.commitment == self.commitment:
            return replace(self, fault=Fault.REFLECTED)
        if self.held and said.commitment != self.held:
            return replace(self, fault=Fault.BEGAN_ANEW)
        if said.verdict == Verdict.ENDED:
            return self._ended_there()
        return replace(self, held=said.commitment)._heard_value(said)

    def answered(self, verdict: Verdict) -> "Comparison":
        """The own user looked at the pictures, or breaks off (ENDED)."""
        assert self.shown or verdict is Verdict.ENDED
        return replace(self, verdict=verdict)

    def _ended_there(self) -> "Comparison":
        if not self.held:
            return self  # it went before it was heard of
        if not self.shown:
            return replace(self, fault=Fault.ENDED)
        return self if self.peer_verdict else replace(self, peer_verdict=Verdict.ENDED)

    def _heard_value(self, said: Compare) -> "Comparison":
        if not said.value or not said.seen:
            return self
        if self.ends.commitment(said.value, own=False) != self.held:
            return replace(self, fault=Fault.WRONG_VALUE)
        # A NO is never taken back.
        verdict = self.peer_verdict if self.peer_verdict is Verdict.NO else Verdict(said.verdict)
        return replace(self, peer_value=said.value, peer_verdict=verdict or self.peer_verdict)


def read(raw: bytes) -> Compare:
    """A statement of the peer's. Raises BadFormat for one that cannot be, such as a value that answers nothing."""
    said = Compare.decode(raw)
    lengths = {len(said.seen), len(said.value)}
    if not lengths <= {0, VALUE_BYTES}:
        raise BadFormat("a commitment or a value of a comparison has 32 bytes")
    if said.value and not said.seen:
        raise BadFormat("a comparison's value came before there was a commitment to answer")
    if said.verdict > Verdict.ENDED or (said.verdict in {Verdict.YES, Verdict.NO} and not said.value):
        raise BadFormat("a comparison's verdict came without its value, or is none")
    return said
