"""Two ends of a pair channel joined by two queues of frames, with an RSA that costs nothing."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256, shake_256
from typing import Final

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey

from p2pchat.channel.agreement import Agreement
from p2pchat.channel.epoch import FRESH_BYTES
from p2pchat.channel.exchange import Leg
from p2pchat.channel.legs import FULL, LegBucket
from p2pchat.channel.parties import Parties, Party
from p2pchat.channel.state import ChannelState
from p2pchat.channel.step import Became, Moment, OpenLeg, Step
from p2pchat.ids import DeviceId, UserId
from p2pchat.wire.frames import FrameType

START_MS: Final = 1_800_000_000_000


def party(name: str) -> Party:
    """An end that needs no identity: every field is derived from ``name``."""
    return Party(
        user=UserId(sha256(f"user {name}".encode()).digest()),
        device=DeviceId(sha256(f"device {name}".encode()).digest()[:16]),
        head=sha256(f"head {name}".encode()).digest(),
        set_hash=sha256(f"set {name}".encode()).digest(),
        modulus=shake_256(f"modulus {name}".encode()).digest(1024),
        spki_hash=sha256(f"spki {name}".encode()).digest(),
    )


def sorted_parties(*names: str) -> tuple[Party, ...]:
    """In the order of their IDs: the first one is lo to all others."""
    return tuple(sorted(map(party, names), key=lambda one: one.user))


class FakeRsa:
    """OAEP without secrecy: opens only under the modulus and label that it was made for. ML-KEM is the real one."""

    def kem_encapsulate(self, public: bytes) -> tuple[bytes, bytes]:
        return MLKEM768PublicKey.from_public_bytes(public).encapsulate()

    def oaep_encrypt(self, modulus: bytes, plaintext: bytes, label: bytes) -> bytes:
        return (sha256(modulus + label).digest() + plaintext).ljust(1024, b"\0")


def fake_open(modulus: bytes, leg: Leg) -> bytes | None:
    """What the RSA worker would give for ``FakeRsa``."""
    fits = leg.ciphertext[:32] == sha256(modulus + leg.label).digest()
    return leg.ciphertext[32:64] if fits else None


@dataclass
class End:
    """One vault as far as its channel goes: what it stored, what it holds in memory, what it was told."""

    parties: Parties
    stored: ChannelState = field(default_factory=ChannelState)
    legs: LegBucket = FULL
    agreement: Agreement | None = None
    work: OpenLeg | None = None
    outbox: deque[tuple[FrameType, bytes]] = field(default_factory=deque)  # on the wire to the other end
    became: list[Became] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    now_s: float = 0.0
    now_ms: int = START_MS
    draws: int = 0

    def moment(self) -> Moment:
        return Moment(self.now_s, self.now_ms, self.fresh(FRESH_BYTES), awaited=len(self.bodies) + 1)

    def fresh(self, length: int) -> bytes:
        self.draws += 1
        return shake_256(self.parties.own.user + self.draws.to_bytes(8)).digest(length)

    @property
    def live(self) -> Agreement:
        assert self.agreement is not None
        return self.agreement

    def take(self, step: Step) -> Step:
        """Commit, then let the effects happen."""
        self.agreement = step.agreement
        if step.store is not None:
            self.stored = ChannelState.decode(step.store.encode())
        self.outbox.extend(step.frames)
        self.work = step.work or self.work
        self.became.extend(step.became)
        if step.body is not None:  # every one is the next
            self.bodies.append(step.body)
            self.agreement = step.agreement.body_taken()
            self.stored = self.agreement.state
        return step

    def up(self, link_hash: bytes) -> None:
        self.down()
        self.take(
            Agreement.begin(
                self.parties,
                link_hash=link_hash,
                state=self.stored,
                local_secret=b"s" * 32,
                draws=FakeRsa(),
                legs=self.legs,
            )
        )

    def down(self) -> None:
        """The link is gone, and with it all that was in flight."""
        if self.agreement is not None:
            self.legs = self.agreement.legs
        self.agreement, self.work = None, None
        self.outbox.clear()

    def receive(self, kind: FrameType, body: bytes) -> Step:
        """In a transaction of its own."""
        self.now_ms += 1
        if kind is FrameType.ENVELOPE:
            return self.take(self.live.envelope_received(body, self.moment()))
        if kind is FrameType.CTL:
            return self.take(self.live.ctl_received(body, self.moment()))
        return self.take(self.live.frame_received(kind, body, self.moment()))

    def open_leg(self) -> Step:
        """Let the RSA worker finish."""
        assert self.work is not None
        leg, self.work = self.work.leg, None
        return self.take(self.live.leg_opened(leg, fake_open(self.parties.own.modulus, leg), self.moment()))

    def send(self, body: bytes) -> None:
        self.agreement, frame = self.live.seal_body(body, self.fresh(24))
        self.stored = self.agreement.state
        self.outbox.append((FrameType.ENVELOPE, frame))


@dataclass
class Pair:
    """Both ends, lo first. ``spoil`` may change or swallow (None) a frame on its way."""

    lo: End
    hi: End
    links: int = 0

    @classmethod
    def new(cls) -> "Pair":
        lo, hi = sorted_parties("anna", "bert")
        return cls(End(Parties(own=lo, peer=hi)), End(Parties(own=hi, peer=lo)))

    @classmethod
    def ready(cls) -> "Pair":
        """In their first epoch, over a live link."""
        pair = cls.new()
        pair.connect()
        pair.settle()
        return pair

    def connect(self) -> None:
        self.links += 1
        for end in (self.lo, self.hi):
            end.up(sha256(b"link %d" % self.links).digest())

    def disconnect(self) -> None:
        self.lo.down()
        self.hi.down()

    def deliver(self, sender: End) -> Step:
        """The oldest frame of ``sender`` reaches the other end."""
        receiver = self.hi if sender is self.lo else self.lo
        return receiver.receive(*sender.outbox.popleft())

    def settle(self, spoil: "Callable[[FrameType, bytes], bytes | None] | None" = None) -> None:
        """Until nothing is on the wire and no worker is busy."""
        while self.lo.outbox or self.hi.outbox or self.lo.work or self.hi.work:
            for sender, receiver in ((self.lo, self.hi), (self.hi, self.lo)):
                while sender.outbox:
                    kind, body = sender.outbox.popleft()
                    changed = spoil(kind, body) if spoil else body
                    if changed is not None:
                        receiver.receive(kind, changed)
                if sender.work:
                    sender.open_leg()


def kinds(end: End) -> list[FrameType]:
    """What ``end`` has put on the wire."""
    return [kind for kind, _ in end.outbox]


def exchange_a_message(pair: Pair) -> None:
    """One body each way, and both arrive."""
    pair.lo.send(b"from lo")
    pair.hi.send(b"from hi")
    pair.settle()
    assert pair.hi.bodies[-1] == b"from lo"
    assert pair.lo.bodies[-1] == b"from hi"
