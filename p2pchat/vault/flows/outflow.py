"""From the outbox to a link: seal late, as much as the window and the gate's credit allow (PROTOCOL 3, 4)."""

from dataclasses import replace
from typing import Final

from p2pchat.channel.epoch import SECRET_BYTES
from p2pchat.config import RSA_EVERY
from p2pchat.delivery import body as bodies
from p2pchat.delivery.body import Slot
from p2pchat.ids import MessageId, UserId
from p2pchat.limits import EXPIRED_SET_GRACE_DAYS
from p2pchat.store import outbox
from p2pchat.store.outbox import Outgoing
from p2pchat.vault.flows.turn import Turn
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import BODY_WITHDRAW, MessageBody

EXPIRED: Final = "the contact's keys have expired by this machine's clock; the contact renews them by going online"
_DAY_MS: Final = 24 * 3600 * 1000


def fill(turn: Turn) -> None:
    """Seal what may go now. Every job that touches a link ends with this."""
    if not turn.agreement.ready or _paused(turn):
        return
    numbers, flow = turn.session.flow.take(turn.outgoing)
    if not numbers:
        return
    room = turn.link.room_bytes - sum(len(body) for _, body, _ in turn.frames)
    waiting = outbox.after(turn.tx, turn.link.contact, numbers.start - 1, len(numbers))
    for message in waiting:
        if room <= 0 or _too_soon(turn) or not turn.agreement.ready:
            flow = replace(flow, next=message.number)
            break
        room -= _seal(turn, message)
    turn.session = replace(turn.session, flow=flow)


def _paused(turn: Turn) -> bool:
    """A contact whose device set expired a week ago and was not renewed gets nothing more until it is (PROTOCOL 1)."""
    paused = turn.now_ms > turn.link.devices.not_after_ms + EXPIRED_SET_GRACE_DAYS * _DAY_MS
    if paused:
        outbox.set_reason(turn.tx, turn.link.contact, EXPIRED)
    return paused


def _seal(turn: Turn, message: Outgoing) -> int:
    """Queue one envelope; its size."""
    body = make_body(message, turn.node.identity.user, turn.link.user).encode()
    agreement, sealed = turn.agreement.seal_body(body, turn.nonce(), _leg_secret(turn))
    turn.become(agreement, store=True)
    turn.frames.append((FrameType.ENVELOPE, sealed, message.number))
    return len(sealed)


def _too_soon(turn: Turn) -> bool:
    """Messages that bear an RSA key cost their recipient a private operation: so many a second, the rest wait."""
    if turn.node.config.rsa == RSA_EVERY:
        turn.again_s = turn.session.pace.wait_s(turn.node.env.clock.boot_s())
    return turn.again_s > 0


def _leg_secret(turn: Turn) -> bytes:
    """32 bytes where the next message gets an RSA key of its own, else none."""
    if turn.node.config.rsa != RSA_EVERY:
        return b""
    _, pace = turn.session.pace.take(turn.node.env.clock.boot_s())
    turn.session = replace(turn.session, pace=pace)
    return turn.node.env.random.bytes(SECRET_BYTES)


def digest(message: Outgoing, own: UserId, peer: UserId) -> bytes:
    """What the message after this one in its queue names as ``previous``."""
    return bodies.chain_hash(make_body(message, own, peer).encode())


def make_body(message: Outgoing, own: UserId, peer: UserId) -> MessageBody:
    """What the recipient opens; the same for the same number of the same queue, however often it is sealed."""
    slot = Slot(
        message=message.message,
        conversation=bodies.pair_conversation(own, peer),
        clock=message.clock,
        sent_ms=message.sent_ms,
        device=message.device,
        sequence=message.number,
        previous=message.previous,
    )
    if message.void:
        return bodies.void_body(slot)
    if message.kind == BODY_WITHDRAW:
        return bodies.withdraw_body(slot, MessageId(message.content))
    return bodies.text_body(slot, message.content.decode(), expires_at_ms=message.expires_at_ms)
