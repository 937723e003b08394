"""How two vaults come to the same epoch over one link, as a table (protocol.md 9.2).

Only lo (the bytewise smaller ID) offers; hi asks with REKEY. Each side may crash between any two steps, so each stores
before it speaks, in an order that leaves one of three pictures at the next HELLO:

    both in n                 -> go on in n; hi drops a pending n+1 that lo cannot have
    lo in n+1, hi pending n+1 -> lo verified hi's ACCEPT; hi promotes
    anything else             -> lo offers in mode reset

An ``Agreement`` belongs to one link and is a value: every call gives the next one in a ``Step``. Drop it when the link
is down; ephemerals go with it. What survives is ``state`` (stored) and ``legs`` (kept in memory).
"""

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from p2pchat.channel import asking, envelope, exchange, healing, traffic
from p2pchat.channel.ctl import UnopenableCtl
from p2pchat.channel.damage import Fault
from p2pchat.channel.envelope import DamagedEnvelope, UnopenableEnvelope, WrongBodyCheck
from p2pchat.channel.epoch import NO_SALT, Mode
from p2pchat.channel.exchange import Channel, Draws, Leg, Offering, OpenedLeg
from p2pchat.channel.legs import FULL, LegBucket
from p2pchat.channel.message_leg import OwnLeg
from p2pchat.channel.parties import Parties
from p2pchat.channel.phases import Ask, Opening, Phase, Role
from p2pchat.channel.state import ChannelState, Epoch
from p2pchat.channel.step import Became, Moment, OpenLeg, Step
from p2pchat.errors import BadFormat
from p2pchat.limits import EPOCH_MESSAGES, EPOCH_MESSAGES_HARD
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import Accept, AcceptCore, Capabilities, Confirm, Ctl, Hello, Offer

FAULTS: Final[Mapping[type[Exception], Fault]] = {
    DamagedEnvelope: Fault.DAMAGED,
    UnopenableEnvelope: Fault.UNOPENABLE,
    WrongBodyCheck: Fault.WRONG_BODY,
    BadFormat: Fault.MISSHAPEN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """The pair channel as one link sees it."""

    channel: Channel
    state: ChannelState
    draws: Draws = field(repr=False)
    local_secret: bytes = field(repr=False)  # 32 bytes that never leave this vault: feeds implicit rejection
    legs: LegBucket = FULL
    phase: Phase = Phase.HELLO
    agreed: bool = False  # both sides are known to be in the current epoch
    capabilities: Capabilities = ()  # the peer's, once its HELLO is here
    offering: Offering | None = None
    opening: Opening | None = None
    asked: bool = False  # hi: a REKEY is out

    @classmethod
    def begin(
        cls,
        parties: Parties,
        *,
        link_hash: bytes,
        state: ChannelState,
        local_secret: bytes,
        draws: Draws,
        legs: LegBucket = FULL,
        capabilities: Capabilities = (),
    ) -> Step:
        """Link up: the step holds our HELLO. ``legs``: the peer's bucket as the last link's agreement left it."""
        begun = cls(channel=Channel(parties, link_hash), state=state, draws=draws, local_secret=local_secret, legs=legs)
        hello = Hello(epoch=state.epoch_id, pending=state.pending_id, capabilities=capabilities)
        return Step(agreement=begun, frames=((FrameType.HELLO, hello.encode()),))

    @property
    def role(self) -> Role:
        return Role.LO if self.channel.parties.own_is_lo else Role.HI

    @property
    def ready(self) -> bool:
        """Whether bodies may be sealed now."""
        return self.room > 0

    def frame_received(self, kind: FrameType, body: bytes, at: Moment) -> Step:
        """HELLO, REKEY, OFFER, ACCEPT or CONFIRM. Raises BadFormat: cut the link and store nothing."""
        handler = TABLE.get((self.role, self.phase, kind))
        if handler is None:
            raise BadFormat(f"{kind.name} may not come from this side, or not now")
        return handler(self, body, at)

    def leg_opened(self, leg: Leg, secret: bytes | None, at: Moment) -> Step:
        """The RSA worker's result; ``secret`` None = it did not open, which shows only as a wrong MAC.

        A result that nobody waits for any longer changes nothing. Raises BadFormat.
        """
        if self.phase is not Phase.OPENING or self.opening is None or self.opening.leg != leg:
            return Step(agreement=self)
        r = OpenedLeg(leg, secret).value(self.local_secret)
        if self.role is Role.HI:
            return self._answer(self.opening, r, at)
        return self._verify(self.opening, r, at)

    def leg_to_open(self, frame: bytes) -> Leg | None:
        """What the RSA worker must open before ``envelope_received`` of this frame; None: nothing."""
        if not self._tries(frame):
            return None
        return traffic.leg_to_open(self.state, self.channel.parties, frame)

    def envelope_received(self, frame: bytes, at: Moment, leg: OpenedLeg | None = None) -> Step:
        """An ENVELOPE. ``Step.body`` where it opened; else the damage rule has already been applied.

        While a reset is under way only one that names the pending epoch is tried: the rest come again after the Resume.
        ``leg``: what the worker made of ``leg_to_open``.
        """
        if not self._tries(frame):
            return Step(agreement=self)
        secret = leg.value(self.local_secret) if leg else b""
        try:
            opened = traffic.open_body(self.state, self.channel.parties.inbound, frame, at.now_ms, secret)
        except (BadFormat, DamagedEnvelope, UnopenableEnvelope, WrongBodyCheck) as error:
            ill = self if self.agreed else replace(self, state=replace(self.state, pending=None))  # not the peer's
            return healing.envelope_refused(ill, FAULTS[type(error)] if self.agreed else Fault.UNOPENABLE, at)
        step = (
            self._changed_over(opened.state) if opened.promoted else Step(agreement=replace(self, state=opened.state))
        )
        return replace(step, store=step.agreement.state, body=opened.body)

    def _tries(self, frame: bytes) -> bool:
        return self.agreed or bool(self.state.pending and envelope.named_epoch(frame) == self.state.pending_id)

    def body_taken(self) -> "Agreement":
        """The awaited message was in the last body. Its ``state`` is to be stored where it changed."""
        return healing.with_health(self, self.state.health.opened()) if self.state.health.healing else self

    def body_refused(self, at: Moment) -> Step:
        """The body of an envelope that opened is no message of this peer: the damage rule."""
        return healing.envelope_refused(self, Fault.MISSHAPEN, at)

    def envelopes_received(self, frames: Sequence[bytes]) -> tuple["Agreement", list[bytes]]:
        """(agreement, whose ``state`` is to be stored; bodies of as many ``frames`` as are in perfect order).

        The first that is not is left to ``envelope_received``.
        """
        if not self.agreed or self.state.health.healing:
            return self, []
        state, bodies = traffic.open_run(self.state, self.channel.parties.inbound, frames)
        return (replace(self, state=state) if bodies else self), bodies

    def ctl_received(self, frame: bytes, at: Moment) -> Step:
        """A CTL frame. ``Step.ctl`` where it opened. Raises BadFormat."""
        if not self.agreed:
            return Step(agreement=self)
        try:
            return Step(agreement=self, ctl=traffic.open_ctl(self.state, self.channel.link_hash, frame))
        except UnopenableCtl:
            return healing.envelope_refused(self, Fault.UNOPENABLE, at)

    def tick(self, at: Moment) -> Step:
        """Begin what is due: a next epoch, or another try after ``error``. Call it each minute and after batches."""
        health, current = self.state.health, self.state.current
        if health.retry_ms and not self.agreed and not health.paused(at.now_ms):
            return self.renew(at, reset=True)
        if self.phase is Phase.IDLE and self.agreed and not self.state.pending and current and current.due(at.now_ms):
            return self._renew_next(current, at)
        return Step(agreement=self)

    def renew(self, at: Moment, *, reset: bool) -> Step:
        """A new epoch by our own wish. ``reset``: my store proved old, or the user retries a channel in ``error``."""
        if self.phase is Phase.HELLO:
            return Step(agreement=self)
        woken = healing.awake(self, self.state.health.retrying()) if self.state.health.retry_ms else self
        step = woken._reset(Ask.LOST, at) if reset else woken._next(Ask.WISH, at)
        return step if woken is self else replace(step, store=step.agreement.state)

    def seal_bodies(
        self, bodies: Sequence[bytes], nonces: Sequence[bytes], leg_secrets: Sequence[bytes] = ()
    ) -> tuple["Agreement", list[bytes]]:
        """(agreement, whose ``state`` is to be stored; an ENVELOPE frame body each). At most ``room`` bodies.

        ``nonces``: 24 random bytes each. ``leg_secrets``: 32 each where messages get RSA keys of their own, else none.
        """
        parties = self.channel.parties
        legs: list[OwnLeg | None] = [OwnLeg(secret, parties.peer, self.draws) for secret in leg_secrets]
        run = list(map(traffic.Sealing, bodies, nonces, legs or [None] * len(bodies)))
        state, frames = traffic.seal_run(self.state, parties.outbound, run)
        return replace(self, state=state), frames

    def seal_body(self, body: bytes, nonce: bytes, leg_secret: bytes = b"") -> tuple["Agreement", bytes]:
        """``seal_bodies`` for one."""
        agreement, (frame,) = self.seal_bodies([body], [nonce], [leg_secret] if leg_secret else ())
        return agreement, frame

    @property
    def room(self) -> int:
        """How many bodies the epoch may still seal; 0 while nothing is agreed."""
        current = self.state.current
        return EPOCH_MESSAGES_HARD - current.send.index if self.agreed and current else 0

    def seal_ctl(self, content: Ctl, nonce: bytes) -> bytes:
        """A CTL frame body. Only while ``agreed``. ``nonce``: 24 random bytes."""
        return traffic.seal_ctl(self.state, self.channel.link_hash, content, nonce)

    def _hello(self, body: bytes, at: Moment) -> Step:
        hello = Hello.decode(body)
        state, agreed = self.state.met(hello, own_is_lo=self.role is Role.LO, now_ms=at.now_ms)
        paused = state.health.paused(at.now_ms)
        if state.health.retry_ms and not paused:
            state = replace(state, health=state.health.retrying())
        met = replace(
            self,
            state=state,
            phase=Phase.PAUSED if paused else Phase.IDLE,
            agreed=agreed and not paused,
            capabilities=hello.capabilities,
        )
        if met.agreed:
            step = Step(agreement=met, became=frozenset({Became.READY}))
        elif self.role is Role.LO and not paused:
            step = met._offer(Mode.RESET, at)
        elif paused:
            step = Step(agreement=met, frames=(healing.STOPPED,))  # the peer's user shall know, too
        else:
            step = Step(agreement=met)
        return step if state == self.state else replace(step, store=state)

    def _offered(self, body: bytes, at: Moment) -> Step:
        """hi: lo begins an epoch."""
        offer, current = Offer.decode(body), self.state.current
        if offer.mode not in {Mode.RESET, Mode.NEXT}:
            raise BadFormat(f"an offer in mode {offer.mode}, which is unknown")
        if offer.mode == Mode.NEXT and (current is None or offer.number != current.number + 1):
            raise BadFormat("an offer continues an epoch that is not ours")
        step = self._open(exchange.leg_of_offer(self.channel, offer), body, at)
        return step.then(step.agreement._unready()) if offer.mode == Mode.RESET else step

    def _accepted(self, body: bytes, at: Moment) -> Step:
        """lo: hi answers."""
        core = AcceptCore.decode(Accept.decode(body).core)
        assert self.offering is not None
        if core.number != self.offering.number:
            raise BadFormat("an answer to another offer")
        return self._open(exchange.leg_of_accept(self.channel, self.offering, core), body, at)

    def _confirmed(self, body: bytes, at: Moment) -> Step:
        """hi: lo has changed over."""
        pending = self.state.pending
        if pending is None:
            raise BadFormat("a CONFIRM without an epoch to confirm")
        if hmac.compare_digest(Confirm.decode(body).mac, pending.mac_offer):
            step = self._changed_over(self.state.promoted(at.now_ms))
            return replace(step, store=step.agreement.state)
        dropped = replace(self, state=replace(self.state, pending=None))
        return healing.wrong_mac(dropped, at)

    def _ignored(self, _body: bytes, _at: Moment) -> Step:
        return Step(agreement=self)

    def _open(self, leg: Leg, frame: bytes, at: Moment) -> Step:
        wait_s, legs = self.legs.take(at.now_s)
        waiting = replace(self, phase=Phase.OPENING, opening=Opening(leg, frame), legs=legs)
        return Step(agreement=waiting, work=OpenLeg(leg, wait_s))

    def _answer(self, opening: Opening, r_lo: bytes, at: Moment) -> Step:
        salt = self._salt(Mode(Offer.decode(opening.frame).mode))
        pending, frame = exchange.accept(
            self.channel, opening.frame, salt=salt, r_lo=r_lo, fresh=at.fresh, draws=self.draws
        )
        state = replace(self.state, pending=pending)
        answered = replace(self, state=state, phase=Phase.IDLE, opening=None)
        return Step(agreement=answered, store=state, frames=((FrameType.ACCEPT, frame),))

    def _verify(self, opening: Opening, r_hi: bytes, at: Moment) -> Step:
        assert self.offering is not None
        salt = self._salt(self.offering.mode)
        accept = Accept.decode(opening.frame)
        verified = exchange.verify(self.channel, self.offering, accept, salt=salt, r_hi=r_hi)
        if verified is None:
            return healing.wrong_mac(replace(self, offering=None, opening=None), at)
        epoch, mac = verified
        state = self.state.changed_over(epoch, at.now_ms, keep=self.agreed and self.offering.mode is Mode.NEXT)
        confirm = (FrameType.CONFIRM, Confirm(mac=mac).encode())
        whole = self.agreed or self.offering.mode is Mode.RESET  # else hi, who lost nothing, would say no Resume
        step = self._changed_over(state) if whole else replace(self, state=state)._offer(Mode.RESET, at)
        return replace(step, store=step.agreement.state, frames=(confirm, *step.frames))

    def _salt(self, mode: Mode) -> bytes:
        current = self.state.current
        return current.next_salt if mode is Mode.NEXT and current else NO_SALT

    def _changed_over(self, state: ChannelState) -> Step:
        became = Became.CHANGED if self.agreed else Became.READY
        if state.health.retry_ms:  # the peer began it: we are in ``error`` and would have waited longer
            state = replace(state, health=state.health.woken())
        new = replace(self, state=state, phase=Phase.IDLE, agreed=True, offering=None, opening=None, asked=False)
        return Step(agreement=new, became=frozenset({became}))

    def _renew_next(self, current: Epoch, at: Moment) -> Step:
        full = max(current.send.index, current.receive.index) >= EPOCH_MESSAGES
        return self._next(Ask.MESSAGES if full else Ask.TIME, at)

    def _next(self, why: Ask, at: Moment) -> Step:
        """A next epoch, while sending goes on in this one."""
        if not self.agreed:
            return Step(agreement=self)
        if self.role is Role.LO:
            return self._offer(Mode.NEXT, at) if self.phase is Phase.IDLE else Step(agreement=self)
        return Step(agreement=self) if self.asked else asking.ask(self, why)

    def _reset(self, why: Ask, at: Moment) -> Step:
        """A fresh epoch, before which nothing more is sent."""
        step = self._unready()
        if self.role is Role.HI:
            return step.then(asking.ask(step.agreement, why))
        if self.phase is Phase.IDLE:
            return step.then(step.agreement._offer(Mode.RESET, at))
        return step

    def _offer(self, mode: Mode, at: Moment) -> Step:
        number = self.state.current.number + 1 if self.state.current else 1
        offering = exchange.offer(self.channel, mode, number, at.fresh, self.draws)
        offered = replace(self, phase=Phase.OFFERED, offering=offering, opening=None)
        return Step(agreement=offered, frames=((FrameType.OFFER, offering.frame),))

    def _unready(self) -> Step:
        became = frozenset({Became.UNREADY}) if self.agreed else frozenset[Became]()
        return Step(agreement=replace(self, agreed=False), became=became)


Handler = Callable[[Agreement, bytes, Moment], Step]
# A frame that is not in the table for its receiver's role and phase cuts the link.
TABLE: Final[Mapping[tuple[Role, Phase, FrameType], Handler]] = {
    (Role.LO, Phase.HELLO, FrameType.HELLO): Agreement._hello,
    (Role.HI, Phase.HELLO, FrameType.HELLO): Agreement._hello,
    (Role.LO, Phase.IDLE, FrameType.REKEY): asking.asked,
    (Role.LO, Phase.OFFERED, FrameType.REKEY): asking.meanwhile,
    (Role.LO, Phase.OPENING, FrameType.REKEY): asking.meanwhile,
    (Role.LO, Phase.PAUSED, FrameType.REKEY): asking.while_paused,
    (Role.LO, Phase.OFFERED, FrameType.ACCEPT): Agreement._accepted,
    (Role.LO, Phase.PAUSED, FrameType.ACCEPT): Agreement._ignored,
    (Role.HI, Phase.IDLE, FrameType.OFFER): Agreement._offered,
    (Role.HI, Phase.PAUSED, FrameType.OFFER): Agreement._offered,
    (Role.HI, Phase.IDLE, FrameType.REKEY): asking.told,
    (Role.HI, Phase.OPENING, FrameType.REKEY): asking.told,
    (Role.HI, Phase.PAUSED, FrameType.REKEY): asking.told,
    (Role.HI, Phase.IDLE, FrameType.CONFIRM): Agreement._confirmed,
    (Role.HI, Phase.PAUSED, FrameType.CONFIRM): Agreement._confirmed,
}
