"""Messages and control frames through the epochs that a channel holds: which key, and what the state is afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from p2pchat.channel import ctl, envelope, message_leg
from p2pchat.channel.envelope import DamagedEnvelope, Header, UnopenableEnvelope
from p2pchat.channel.exchange import Leg
from p2pchat.channel.message_leg import OwnLeg
from p2pchat.channel.parties import Parties
from p2pchat.channel.ratchet import Chain
from p2pchat.channel.state import ChannelState, Epoch
from p2pchat.errors import BadFormat, CryptoError, P2PChatError
from p2pchat.ids import EpochId
from p2pchat.wire.structs import Ctl


@dataclass(frozen=True, slots=True)
class Opened:
    """An envelope that opened."""

    body: bytes
    state: ChannelState  # store it together with the message
    promoted: bool  # it was the first under the pending epoch


@dataclass(frozen=True, slots=True)
class Sealing:
    """What one envelope is made of. ``nonce``: 24 random bytes. ``own_leg``: where ``rsa`` is ``every``."""

    body: bytes
    nonce: bytes
    own_leg: OwnLeg | None = None


def seal_run(state: ChannelState, route: bytes, run: Sequence[Sealing]) -> tuple[ChannelState, list[bytes]]:
    """(state to store, an ENVELOPE frame body each) under the current epoch. The state is made once."""
    current = _current(state)
    chain, sealed = current.send, []
    for one in run:
        header = Header(current.id, chain.index, one.own_leg is not None)
        message_key, chain = chain.advance()
        leg = b""
        if one.own_leg is not None:
            leg, message_key = one.own_leg.seal(header, route), message_leg.mix(message_key, one.own_leg.secret)
        sealed.append(envelope.seal(header, message_key, route, one.body, one.nonce, leg))
    return replace(state, current=replace(current, send=chain)), sealed


def seal_body(
    state: ChannelState, route: bytes, body: bytes, nonce: bytes, own_leg: OwnLeg | None = None
) -> tuple[ChannelState, bytes]:
    """``seal_run`` for one."""
    state, (sealed,) = seal_run(state, route, [Sealing(body, nonce, own_leg)])
    return state, sealed


def open_run(state: ChannelState, route: bytes, frames: Sequence[bytes]) -> tuple[ChannelState, list[bytes]]:
    """The bodies of as many ``frames`` as need no thought: whole, without a leg, and each under the next key in turn.

    The first that is anything else ends the run and is left to ``open_body``. Raises nothing.
    """
    current = state.current
    if current is None or state.retired is not None:
        return state, []
    chain, bodies = current.receive, list[bytes]()
    for frame in frames:
        try:
            envelope.check_damage(frame)
            if envelope.parse_header(frame) != Header(current.id, chain.index):
                break
            message_key, after = chain.advance()
            bodies.append(envelope.open_with(message_key, route, frame))
        except P2PChatError:
            break
        chain = after
    return (replace(state, current=replace(current, receive=chain)) if bodies else state), bodies


def leg_to_open(state: ChannelState, parties: Parties, frame: bytes) -> Leg | None:
    """The RSA work without which ``open_body`` cannot open this frame; None where it has none, or fails anyway."""
    try:
        envelope.check_damage(frame)
        header = envelope.parse_header(frame)
    except (BadFormat, DamagedEnvelope):
        return None
    chain = _receiving(state, header.epoch) if header.has_leg else None
    if chain is None or header.index < chain.index:
        return None
    return Leg(envelope.leg_of(frame), message_leg.label(header, parties.inbound, parties.own.spki_hash))


def open_body(state: ChannelState, route: bytes, frame: bytes, now_ms: int, secret: bytes = b"") -> Opened:
    """Open an envelope under the current, pending or retired epoch; the state given is untouched.

    ``secret``: what its leg holds, where it has one. Raises BadFormat (no envelope at all), DamagedEnvelope,
    UnopenableEnvelope, WrongBodyCheck.
    """
    envelope.check_damage(frame)
    header = envelope.parse_header(frame)
    chain = _receiving(state, header.epoch)
    if chain is None:
        raise UnopenableEnvelope("an envelope names an epoch that is not ours")
    try:
        message_key, after = chain.advance_to(header.index)
    except CryptoError as error:
        raise UnopenableEnvelope(error.message) from error
    leg = b""
    if header.has_leg:
        leg, message_key = envelope.leg_of(frame), message_leg.mix(message_key, secret)
    body = envelope.open_with(message_key, route, frame, leg)
    promoted = header.epoch == state.pending_id
    return Opened(body, _received(state, header.epoch, after, now_ms), promoted)


def seal_ctl(state: ChannelState, link_hash: bytes, content: Ctl, nonce: bytes) -> bytes:
    """A CTL frame body under the current epoch."""
    current = _current(state)
    return ctl.seal(current.id, current.ctl_send, link_hash, content, nonce)


def open_ctl(state: ChannelState, link_hash: bytes, frame: bytes) -> Ctl:
    """Raises BadFormat or UnopenableCtl."""
    epoch = ctl.parse_epoch(frame)
    if state.current and epoch == state.current.id:
        return ctl.open_with(state.current.ctl_receive, link_hash, frame)
    if state.retired and epoch == state.retired.id:
        return ctl.open_with(state.retired.ctl_receive, link_hash, frame)
    raise ctl.UnopenableCtl("a control frame names an epoch that is not ours")


def _current(state: ChannelState) -> Epoch:
    if state.current is None:
        raise CryptoError("no epoch is agreed with this peer", hint="messages wait until the peer is reachable")
    return state.current


def _receiving(state: ChannelState, epoch: EpochId) -> Chain | None:
    if state.current and epoch == state.current.id:
        return state.current.receive
    if state.pending and epoch == state.pending.epoch.id:
        return state.pending.epoch.receive
    if state.retired and epoch == state.retired.id:
        return state.retired.receive
    return None


def _received(state: ChannelState, epoch: EpochId, after: Chain, now_ms: int) -> ChannelState:
    """The state once ``after`` is what remains of the chain. An envelope under n+1 ends the chain of n."""
    if state.retired and epoch == state.retired.id:
        return replace(state, retired=replace(state.retired, receive=after))
    if epoch == state.pending_id:
        state = state.promoted(now_ms)
    current = _current(state)
    return replace(state, current=replace(current, receive=after), retired=None)
