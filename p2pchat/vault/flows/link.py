"""One live link as the vault sees it: who is at the other end, and what the channel has come to on it."""

from collections import deque
from dataclasses import dataclass, field

import trio

from p2pchat.channel.agreement import Agreement
from p2pchat.channel.exchange import Leg, OpenedLeg
from p2pchat.channel.legs import EVERY, LegBucket
from p2pchat.channel.parties import Parties, Party
from p2pchat.contacts.request import Between
from p2pchat.delivery.flow import Flow
from p2pchat.delivery.receipts import Receipts
from p2pchat.ids import Incarnation, UserId
from p2pchat.keys.devices import VerifiedSet
from p2pchat.keys.identity import Identity
from p2pchat.keys.key_log import KeyChain
from p2pchat.keys.own_log import OwnLog
from p2pchat.limits import BOUNDARY_WINDOW_BYTES
from p2pchat.store.cell import Cell
from p2pchat.vault.port import Port
from p2pchat.wire import boundary
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import DeviceRecord


@dataclass(frozen=True, slots=True)
class Session:
    """What the pair channel has come to on this link. Changes only with a commit."""

    agreement: Agreement
    flow: Flow = field(default_factory=Flow)
    receipts: Receipts = field(default_factory=Receipts)
    pace: LegBucket = EVERY  # of own messages that bear an RSA key


@dataclass(frozen=True, slots=True)
class LegOpened:
    """The RSA worker's answer to an OpenLeg of this link's agreement."""

    leg: Leg
    secret: bytes | None


@dataclass(frozen=True, slots=True)
class KeyedEnvelope:
    """An ENVELOPE with what the RSA worker made of the leg that it bears."""

    arrived: boundary.Arrived
    leg: OpenedLeg


@dataclass(frozen=True, slots=True)
class Nudge:
    """Look again: at the contact's state and at the clock."""


Place = tuple[Incarnation, int]  # which life of the queue, and the number in it
LinkEvent = boundary.Arrived | KeyedEnvelope | LegOpened | Nudge


@dataclass(eq=False, slots=True, kw_only=True)
class Link:
    up: boundary.Up
    chain: KeyChain
    devices: VerifiedSet  # the newest held, where ``shown`` is another
    record: DeviceRecord  # the peer's device at the other end
    events: trio.MemorySendChannel[LinkEvent]
    nursery: trio.Nursery | None = None  # lives while the link does
    contact: int = 0  # the contact's row; 0: a stranger
    session: Cell[Session | None] = field(default_factory=lambda: Cell(None))
    early_hello: bytes = b""  # a HELLO that came before we had accepted
    seq: int = 0
    unsent: deque[tuple[int, int, Place | None]] = field(default_factory=deque)  # seq, size, place of an envelope
    unsent_bytes: int = 0
    sent_upto: Place = (Incarnation(b""), 0)  # of the last envelope that the gate wrote
    stored_upto: Place = (Incarnation(b""), 0)  # what the store knew as sent after the last turn
    marking: bool = False  # storing ``sent_upto`` is under way
    looking: bool = False  # a look at what waits for its time is due
    down: bool = False  # the gate said so
    gone: trio.Event = field(default_factory=trio.Event)  # set with ``down``
    pairings: int = 0  # requests and answers that came
    shown: VerifiedSet | None = None  # a set that is not the newest: nothing passes (flows/stale.py)
    forked: bool = False  # two logs of the peer's are about, and the user has not decided (flows/forks.py)
    given_up: bool = False  # the peer says to have another ID, and the user has not decided (flows/succession.py)
    newer_log: KeyChain | None = None  # of the peer's, than the one that it shows: nothing passes either
    told_stale: bool = False  # the peer said that it holds another set or log of mine, or sent the log that I wanted
    log_sent: bool = False  # the peer heard which log of its own is held here
    refused: bool = False  # the peer said what cannot be: the gate was told to cut, the rest is not read

    @property
    def silenced(self) -> bool:
        """The peer shows what is not its newest, and is told so, or nobody knows which is: nothing else passes."""
        return self.shown is not None or self.newer_log is not None or self.forked or self.given_up

    @property
    def user(self) -> UserId:
        return self.up.user

    def post(self, event: LinkEvent) -> None:
        """Hand an event to the link's task; nothing happens where the link has gone."""
        if not self.down:
            self.events.send_nowait(event)

    @property
    def ready(self) -> bool:
        """The epochs agree: messages may pass."""
        session = self.session.value
        return session is not None and session.agreement.ready

    def send(self, port: Port, kind: FrameType, body: bytes, place: Place | None = None) -> None:
        """Hand one frame to the gate. ``place``: an envelope's, for the state ``sent``."""
        if self.down:
            return
        self.seq += 1
        self.unsent.append((self.seq, len(body), place))
        self.unsent_bytes += len(body)
        port.send(boundary.Send(link=self.up.link, seq=self.seq, kind=kind, body=body))

    def written(self, seq: int) -> None:
        """The gate wrote everything up to ``seq``."""
        while self.unsent and self.unsent[0][0] <= seq:
            _, size, place = self.unsent.popleft()
            self.unsent_bytes -= size
            if place is not None:
                self.sent_upto = place

    @property
    def sent_is_stored(self) -> bool:
        (life, sent), (stored_life, stored) = self.sent_upto, self.stored_upto
        return life == stored_life and sent <= stored

    @property
    def room_bytes(self) -> int:
        """How much may still be handed to the gate before it must say SENT."""
        return BOUNDARY_WINDOW_BYTES - self.unsent_bytes

    def parties(self, own: Identity) -> Parties:
        return Parties(own=_party(own.user, own.chain, own.devices, own.record), peer=_party_of(self))

    def from_peer(self, own: UserId) -> Between:
        return Between(self.user, own, self.up.handshake_hash)

    def to_peer(self, own: UserId) -> Between:
        return Between(own, self.user, self.up.handshake_hash)


def _party_of(link: Link) -> Party:
    return _party(link.user, link.chain, link.devices, link.record)


def _party(user: UserId, chain: OwnLog, devices: VerifiedSet, record: DeviceRecord) -> Party:
    return Party(
        user=user,
        device=record.device,
        head=chain.head,
        set_hash=devices.set_hash,
        modulus=chain.root.modulus,
        spki_hash=chain.root.spki_hash,
    )
