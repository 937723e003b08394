"""The pair channel and what travels in it: HELLO to CONFIRM, envelopes, control frames, bodies, cursors."""

from dataclasses import replace
from functools import cache
from typing import Final

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt

from p2pchat.channel import ctl, envelope
from p2pchat.channel.state import ChannelState
from p2pchat.contacts import compare
from p2pchat.contacts.compare import Comparison, End, Ends
from p2pchat.delivery import incoming, outgoing
from p2pchat.delivery.body import read_body
from p2pchat.delivery.incoming import InQueue
from p2pchat.delivery.outgoing import OutQueue
from p2pchat.ids import Incarnation, UserId
from p2pchat.limits import FRAME_BODY_BYTES
from p2pchat.wire.checksum import md5
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import (
    BODY_TEXT,
    BODY_VOID,
    BODY_WITHDRAW,
    CTL_RECEIPT,
    CTL_RESUME,
    Ctl,
    CtlItem,
    MessageBody,
    Receipt,
    Resume,
)
from tests.fuzz.target import Target
from tests.fuzz.targets.wire import smallest
from tests.support.channel_pair import Pair, fake_open

AGREEING: Final = (FrameType.HELLO, FrameType.REKEY, FrameType.OFFER, FrameType.ACCEPT, FrameType.CONFIRM)
LIFE: Final = Incarnation(b"incarnat")


@cache
def _ready() -> Pair:
    """A pair in its first epoch. Agreements are values: a call leaves them as they are."""
    return Pair.ready()


@cache
def _conversation() -> tuple[tuple[FrameType, bytes], ...]:
    """Every frame that the two say until they agree, and how long it may be."""
    said: list[tuple[FrameType, bytes]] = []
    pair = Pair.new()
    pair.connect()
    pair.settle(lambda kind, body: said.append((kind, body)) or body)  # type: ignore[func-returns-value]
    return tuple(said)


@cache
def _stages() -> tuple[Pair, ...]:
    """The pair before anything is said, with an offer out, and agreed."""
    offered = Pair.new()
    offered.connect()
    for end in (offered.lo, offered.hi):
        offered.deliver(end)
    fresh = Pair.new()
    fresh.connect()
    return fresh, offered, _ready()


def read_agreement(data: bytes) -> None:
    """The first byte chooses stage, side and type; where the frame brings an RSA leg, the worker's result follows."""
    choice = data[0] if data else 0
    pair = _stages()[choice % 3]
    end = (pair.lo, pair.hi)[choice // 3 % 2]
    step = end.live.frame_received(AGREEING[choice // 6 % 5], data[1:], end.moment())
    assert step.store is None or ChannelState.decode(step.store.encode()) == step.store
    if step.work is not None:
        leg = step.work.leg
        step.agreement.leg_opened(leg, fake_open(end.parties.own.modulus, leg), end.moment())


def read_envelope(data: bytes) -> None:
    end = _ready().hi
    step = end.live.envelope_received(data, end.moment())
    if step.store is not None:
        assert ChannelState.decode(step.store.encode()) == step.store


def read_envelope_inside(data: bytes) -> None:
    """The plaintext of an envelope, sealed by the peer under the right key."""
    pair = _ready()
    current = pair.lo.stored.current
    assert current is not None
    key, _ = current.send.advance()
    head = envelope.Header(current.id, current.send.index).encode()
    nonce = bytes(24)
    plaintext = data[: FRAME_BODY_BYTES - 70]
    sealed = crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, head + pair.lo.parties.outbound, nonce, key)
    frame = head + nonce + sealed
    step = pair.hi.live.envelope_received(frame + md5(frame), pair.hi.moment())
    if step.body is not None:
        read_body(step.body)


def read_ctl(data: bytes) -> None:
    end = _ready().hi
    end.live.ctl_received(data, end.moment())


def read_ctl_inside(data: bytes) -> None:
    """The plaintext of a control frame, sealed by the peer; then the cursors that it names."""
    pair = _ready()
    current = pair.lo.stored.current
    assert current is not None
    nonce, plaintext = bytes(24), data[: FRAME_BODY_BYTES - 70]
    sealed = crypto_aead_xchacha20poly1305_ietf_encrypt(
        plaintext, pair.lo.live.channel.link_hash, nonce, current.ctl_send
    )
    step = pair.hi.live.ctl_received(current.id + nonce + sealed, pair.hi.moment())
    for item in step.ctl.items if step.ctl else ():
        if item.kind == CTL_RESUME:
            read_cursors(b"\x00" + item.body)
        elif item.kind == CTL_RECEIPT:
            read_cursors(b"\xff" + item.body)


def read_cursors(data: bytes) -> None:
    """A Resume or a Receipt (the first byte says which) against queues that are somewhere."""
    out = OutQueue(incarnation=LIFE, tail=20, delivered=7, read=3)
    if data[:1] >= b"\x80":
        after = outgoing.acknowledged(out, Receipt.decode(data[1:])).queue
        assert out.delivered <= after.delivered <= after.tail
        return
    peer = Resume.decode(data[1:])
    adopted = incoming.adopt(InQueue(incarnation=LIFE, have=5), peer)
    assert adopted.queue.have >= 0
    resumed = outgoing.resumed(out, peer, fresh=Incarnation(b"new life"), mine_at_have=bytes(16))
    assert resumed.queue.delivered <= resumed.queue.tail
    assert resumed.send_from >= 1


def _choices() -> tuple[bytes, ...]:
    """Each frame of a real conversation, at every stage and from either side."""
    return tuple(bytes([AGREEING.index(kind) * 6 + side]) + body for kind, body in _conversation() for side in range(6))


def _envelope() -> bytes:
    end = _ready().lo
    return end.live.seal_body(b"hello", bytes(24))[1]


def _ctl() -> Ctl:
    resume = Resume(incarnation=LIFE, first=3, tail=9, have_incarnation=LIFE, have=8, have_message=bytes(16))
    receipt = Receipt(incarnation=LIFE, delivered=9, read=8)
    statements = ((CTL_RESUME, resume.encode()), (CTL_RECEIPT, receipt.encode()))
    return Ctl(items=tuple(CtlItem(kind=kind, body=body) for kind, body in statements))


def _bodies() -> tuple[bytes, ...]:
    empty = smallest(MessageBody)
    assert isinstance(empty, MessageBody)
    kinds = ((BODY_TEXT, "text/plain", b"hello"), (BODY_VOID, "", b""), (BODY_WITHDRAW, "", bytes(16)), (9, "x", b"?"))
    return tuple(
        replace(empty, kind=kind, content_type=content_type, content=content, sequence=1).encode()
        for kind, content_type, content in kinds
    )


def _padded(content: bytes, check: bytes = b"") -> bytes:
    return (len(content).to_bytes(4) + content + check).ljust(200 + len(content), b"\0")


def _cursors() -> tuple[bytes, ...]:
    resume, receipt = _ctl().items
    return (b"\x00" + resume.body, b"\xff" + receipt.body)


def _comparison() -> Comparison:
    ann, bob = (End(UserId(name * 32), name * 32) for name in (b"a", b"b"))
    return Comparison(ends=Ends(ann, bob, bytes(32)), value=bytes(32))


def read_compare(statement: bytes) -> Comparison:
    """The first words of somebody who compares keys."""
    return _comparison().heard(compare.read(statement))


def _statements() -> tuple[bytes, ...]:
    own = _comparison()
    peer = Comparison(ends=Ends(own.ends.peer, own.ends.own, bytes(32)), value=b"v" * 32)
    return (peer.statement().encode(), peer.heard(own.statement()).statement().encode())


TARGETS: Final = (
    Target("agreement", read_agreement, _choices),
    Target("envelope", read_envelope, lambda: (_envelope(),)),
    Target("envelope-inside", read_envelope_inside, lambda: tuple(_padded(b, md5(b)) for b in _bodies())),
    Target("ctl", read_ctl, lambda: (_ready().lo.live.seal_ctl(_ctl(), bytes(24)),)),
    Target("ctl-inside", read_ctl_inside, lambda: (_padded(_ctl().encode()),)),
    Target("cursors", read_cursors, _cursors),
    Target("body", read_body, _bodies),
    Target("compare", read_compare, _statements),
    Target("channel-state", ChannelState.decode, lambda: (_ready().lo.stored.encode(), ChannelState().encode())),
)
assert ctl.EPOCH_BYTES == 8  # read_ctl_inside puts frames together by hand
