"""From the outbox to a link: seal late, as much as the window and the gate's credit allow (protocol.md 10, 12)."""

from dataclasses import replace
from typing import Final

from p2pchat.channel.envelope import LEG_BYTES, sealed_bytes
from p2pchat.channel.epoch import SECRET_BYTES
from p2pchat.config import RSA_EVERY
from p2pchat.delivery import body as making
from p2pchat.delivery.body import Slot
from p2pchat.env import draws
from p2pchat.ids import MessageId, UserId
from p2pchat.limits import EXPIRED_SET_GRACE_DAYS
from p2pchat.store import outbox, tails
from p2pchat.store.outbox import Outgoing
from p2pchat.vault.flows.turn import NONCE_BYTES, Turn
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
    every = turn.node.config.rsa == RSA_EVERY
    room_bytes = turn.link.room_bytes - sum(len(body) for _, body, _ in turn.frames)
    bodies = _bodies(turn, numbers[: turn.agreement.room], room_bytes)
    bodies = _fitting(bodies, room_bytes, LEG_BYTES if every else 0)
    secrets = _leg_secrets(turn, len(bodies)) if every else []
    bodies = bodies[: len(secrets)] if every else bodies
    if len(bodies) < len(numbers):
        flow = replace(flow, next=numbers[len(bodies)])
    if bodies:
        _seal(turn, numbers, bodies, secrets)
    turn.session = replace(turn.session, flow=flow)


def _paused(turn: Turn) -> bool:
    """A contact whose device set expired a week ago gets nothing more until it is renewed (protocol.md 3)."""
    paused = turn.now_ms > turn.link.devices.not_after_ms + EXPIRED_SET_GRACE_DAYS * _DAY_MS
    if paused:
        outbox.set_reason(turn.tx, turn.link.contact, EXPIRED)
    return paused


def _bodies(turn: Turn, numbers: range, room_bytes: int) -> list[bytes]:
    """What these numbers say, encoded: as this transaction has just made it, or made again from the store.

    From there no more than may go: a window of long texts is 32 MiB, and the gate has room for half of one.
    """
    contact = turn.link.contact
    known = [tails.fresh(turn.tx, contact, number) for number in numbers]
    bodies = [body for body in known if body is not None]
    if len(bodies) == len(known):
        return bodies
    own, peer = turn.node.identity.user, turn.link.user
    numbers = numbers[: outbox.fitting(turn.tx, contact, numbers.start - 1, len(numbers), room_bytes)]
    waiting = outbox.after(turn.tx, contact, numbers.start - 1, len(numbers))
    assert [message.number for message in waiting] == list(numbers), "a queue has no gaps"
    return [make_body(message, own, peer).encode() for message in waiting]


def _fitting(bodies: list[bytes], room_bytes: int, leg_bytes: int) -> list[bytes]:
    """As many of the first as the gate has room for."""
    for n, body in enumerate(bodies):
        if room_bytes <= 0:
            return bodies[:n]
        room_bytes -= sealed_bytes(len(body), leg_bytes)
    return bodies


def _seal(turn: Turn, numbers: range, bodies: list[bytes], leg_secrets: list[bytes]) -> None:
    """Queue one envelope each."""
    nonces = draws(turn.node.env.random, len(bodies), NONCE_BYTES)
    agreement, sealed = turn.agreement.seal_bodies(bodies, nonces, leg_secrets)
    turn.become(agreement, store=True)
    turn.frames += [(FrameType.ENVELOPE, frame, number) for number, frame in zip(numbers, sealed, strict=False)]


def _leg_secrets(turn: Turn, most: int) -> list[bytes]:
    """32 bytes for each message that may go now with an RSA key of its own.

    It costs its recipient a private operation: so many a second, the rest wait.
    """
    now_s, secrets = turn.node.env.clock.boot_s(), list[bytes]()
    while len(secrets) < most:
        turn.again_s = turn.session.pace.wait_s(now_s)
        if turn.again_s > 0:
            break
        _, pace = turn.session.pace.take(now_s)
        turn.session = replace(turn.session, pace=pace)
        secrets.append(turn.node.env.random.bytes(SECRET_BYTES))
    return secrets


def made(message: Outgoing, own: UserId, peer: UserId) -> tuple[bytes, bytes]:
    """(encoded body, what the message after this one in its queue names as ``previous``)."""
    body = make_body(message, own, peer).encode()
    return body, making.chain_hash(body)


def make_body(message: Outgoing, own: UserId, peer: UserId) -> MessageBody:
    """What the recipient opens; the same for the same number of the same queue, however often it is sealed."""
    slot = Slot(
        message=message.message,
        conversation=making.pair_conversation(own, peer),
        clock=message.clock,
        sent_ms=message.sent_ms,
        device=message.device,
        sequence=message.number,
        previous=message.previous,
    )
    if message.void:
        return making.void_body(slot)
    if message.kind == BODY_WITHDRAW:
        return making.withdraw_body(slot, MessageId(message.content))
    return making.text_body(slot, message.content.decode(), expires_at_ms=message.expires_at_ms)
