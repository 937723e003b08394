"""What is stored of a pair channel, per (own device, peer device): keys and indexes of its epochs, and its health.

The secret of an epoch is not here: chains only move forward, and of what made them only k_next is kept. The classes are
``Struct``s, so that their annotations are the stored format, too.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from p2pchat.channel.damage import HEALTHY, Health
from p2pchat.channel.epoch import Schedule
from p2pchat.channel.ratchet import Chain
from p2pchat.ids import EpochId
from p2pchat.limits import EPOCH_MESSAGES, EPOCH_S
from p2pchat.wire.shape import U64, Struct
from p2pchat.wire.structs import Bytes32, Epoch8, Hello

EPOCH_MS: Final = int(EPOCH_S * 1000)
NO_EPOCH: Final = EpochId(b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch(Struct):
    """An agreed epoch as one side uses it."""

    number: U64
    id: Epoch8
    send: Chain
    receive: Chain
    ctl_send: Bytes32 = field(repr=False)
    ctl_receive: Bytes32 = field(repr=False)
    next_salt: Bytes32 = field(repr=False)  # k_next
    started_ms: U64 = 0  # wall clock at the changeover; 0 = pending

    @classmethod
    def of(cls, keys: Schedule, *, number: int, own_is_lo: bool) -> "Epoch":
        lo, hi = (keys.chain_lohi, keys.ctl_lohi), (keys.chain_hilo, keys.ctl_hilo)
        (send, ctl_send), (receive, ctl_receive) = (lo, hi) if own_is_lo else (hi, lo)
        return cls(
            number=number,
            id=keys.id,
            send=Chain(send),
            receive=Chain(receive),
            ctl_send=ctl_send,
            ctl_receive=ctl_receive,
            next_salt=keys.next_salt,
        )

    def due(self, now_ms: int) -> bool:
        """Whether a next epoch is due: 1000 messages in a direction, or a day in which one was sent.

        Where the wall clock jumped back behind the epoch's start, a day is taken to have passed.
        """
        if max(self.send.index, self.receive.index) >= EPOCH_MESSAGES:
            return True
        used = bool(self.send.index or self.receive.index)
        return used and not 0 <= now_ms - self.started_ms < EPOCH_MS


@dataclass(frozen=True, slots=True)
class Pending(Struct):
    """The accepter's next epoch, stored before ACCEPT leaves. The peer may be in it already."""

    epoch: Epoch
    mac_offer: Bytes32 = field(repr=False)  # what CONFIRM must say


@dataclass(frozen=True, slots=True)
class Retired(Struct):
    """The offerer's last epoch: the peer may still send in it until it gets CONFIRM."""

    id: Epoch8
    receive: Chain
    ctl_receive: Bytes32 = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelState(Struct):
    """``ChannelState()``: nothing agreed yet. ``encode()`` and ``decode(raw)`` for the store."""

    LABEL = "p2pchat/1/channel-state"
    current: Epoch | None = None
    pending: Pending | None = None
    retired: Retired | None = None
    health: Health = HEALTHY

    @property
    def epoch_id(self) -> EpochId:
        return self.current.id if self.current else NO_EPOCH

    @property
    def pending_id(self) -> EpochId:
        return self.pending.epoch.id if self.pending else NO_EPOCH

    def met(self, hello: Hello, *, own_is_lo: bool, now_ms: int) -> tuple["ChannelState", bool]:
        """(state after the peer's HELLO, whether both are now in the same epoch)."""
        state = replace(self, retired=None)
        if hello.epoch and hello.epoch == state.epoch_id:
            return replace(state, pending=None), True
        if hello.epoch and hello.epoch == state.pending_id:
            return state.promoted(now_ms), True
        if own_is_lo and hello.pending and hello.pending == state.epoch_id:
            return state, True  # hi reads the same in our HELLO and promotes
        return replace(state, pending=None), False

    def forgiven(self) -> "ChannelState":
        """The user wishes another try before its time."""
        return replace(self, health=self.health.retrying())

    def promoted(self, now_ms: int) -> "ChannelState":
        """The pending epoch becomes the current one; the one before is forgotten at once."""
        assert self.pending is not None
        current = replace(self.pending.epoch, started_ms=now_ms)
        return replace(self, current=current, pending=None, retired=None)

    def changed_over(self, epoch: Epoch, now_ms: int, *, keep: bool) -> "ChannelState":
        """The offerer's changeover. ``keep``: what the peer still sends in the old epoch may be opened."""
        old = self.current
        retired = Retired(old.id, old.receive, old.ctl_receive) if keep and old else None
        return replace(self, current=replace(epoch, started_ms=now_ms), pending=None, retired=retired)
