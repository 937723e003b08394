"""API draft: see docstrings; bodies follow."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol, Self

from p2pchat.channel.parties import Parties
from p2pchat.channel.state import ChannelState
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import Ctl

FRESH_BYTES = 128


class Draws(Protocol):
    """The part of ``env.CryptoDraws`` that an epoch needs."""

    def kem_encapsulate(self, public: bytes) -> tuple[bytes, bytes]: ...
    def oaep_encrypt(self, modulus: bytes, plaintext: bytes, label: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Moment:
    now_s: float  # boot clock
    now_ms: int  # wall clock
    fresh: bytes  # FRESH_BYTES random bytes, used once


@dataclass(frozen=True, slots=True)
class OpenLeg:
    """Work for the RSA worker: root.oaep_open(ciphertext, label), after wait_s; its result goes to leg_opened."""

    ciphertext: bytes
    label: bytes
    wait_s: float


class Became(Enum):
    READY = "ready"  # epochs agree on this link (HELLO, or a reset is done): say CTL Resume; wait for the peer's
    CHANGED = "changed"  # a `next` epoch took over; delivery just goes on
    UNREADY = "unready"  # a reset is under way: stop sending until READY
    RESEND = "resend"  # say CTL Resume again, so that the peer sends again from my cursor
    ERROR = "error"  # over the limit: channel = error, reason "Serious connection error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    agreement: "Agreement"  # replaces the one that was asked
    store: ChannelState | None = None  # commit this before anything below happens
    frames: tuple[tuple[FrameType, bytes], ...] = ()  # send after the commit, in order
    work: OpenLeg | None = None  # start after the commit
    became: frozenset[Became] = frozenset()
    body: bytes | None = None  # of an envelope that opened: an encoded MessageBody
    ctl: Ctl | None = None  # of a CTL frame that opened


class Agreement:
    @classmethod
    def begin(cls, parties: Parties, *, link_hash: bytes, state: ChannelState, local_secret: bytes, draws: Draws,
              legs: "LegBucket | None" = None, capabilities: tuple[str, ...] = ()) -> Step:
        """Link up: the first Step holds the HELLO frame. `legs`: the peer's bucket kept from the last link."""
        raise NotImplementedError

    @property
    def ready(self) -> bool: ...  # may seal

    def frame_received(self, kind: FrameType, body: bytes, at: Moment) -> Step:
        """HELLO, REKEY, OFFER, ACCEPT, CONFIRM. BadFormat/CryptoError: cut the link (DAMAGED), store nothing."""
        raise NotImplementedError

    def envelope_received(self, raw: bytes, at: Moment) -> Step:
        """ENVELOPE. Applies the damage rule by itself: a damaged one gives a Step without body. BadFormat: cut."""
        raise NotImplementedError

    def ctl_received(self, raw: bytes, at: Moment) -> Step:
        raise NotImplementedError

    def leg_opened(self, secret: bytes | None, at: Moment) -> Step:
        """Result of OpenLeg (None = failed). Give it only to the agreement of the link that asked."""
        raise NotImplementedError

    def tick(self, at: Moment) -> Step:
        """Call every minute or so, and after a batch of messages: new epoch due, retry after error."""
        raise NotImplementedError

    def renew(self, at: Moment, *, reset: bool) -> Step:
        """By own wish: reset=True after a Resume proved my store old, or by `contact retry`."""
        raise NotImplementedError

    def seal_body(self, body: bytes, nonce: bytes) -> tuple[Self, bytes]:
        """(agreement to keep, its .state to store; the ENVELOPE frame body). nonce: 24 random bytes."""
        raise NotImplementedError

    def seal_ctl(self, ctl: Ctl, nonce: bytes) -> bytes: 
        raise NotImplementedError
