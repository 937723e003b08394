"""What does not open may cost a hundred thousand hashes to find out, so a peer gets few tries at it, in every phase."""

from collections.abc import Callable

import pytest

from p2pchat.channel import ratchet
from p2pchat.channel.damage import REASON, TRIES_PER_MESSAGE, Status
from p2pchat.channel.envelope import Header
from p2pchat.channel.phases import Phase
from p2pchat.channel.state import Epoch
from p2pchat.channel.step import Became
from p2pchat.limits import RATCHET_JUMP
from p2pchat.wire.checksum import md5
from p2pchat.wire.frames import FrameType
from tests.support.channel_pair import Pair


def far_ahead(epoch: Epoch) -> bytes:
    """An envelope that names ``epoch`` truly and holds nothing that opens."""
    sealed = Header(epoch.id, RATCHET_JUMP - 1).encode() + bytes(200)
    return sealed + md5(sealed)


def answered_reset() -> Pair:
    """hi has answered an offer in mode reset: the old epoch is given up, the new one pending."""
    pair = Pair.ready()
    pair.lo.take(pair.lo.live.renew(pair.lo.moment(), reset=True))
    pair.deliver(pair.lo)
    pair.hi.open_leg()
    assert pair.hi.stored.pending is not None
    assert not pair.hi.live.agreed
    return pair


@pytest.fixture
def jumps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Indexes to which a chain was moved."""
    seen: list[int] = []
    advance_to: Callable[[ratchet.Chain, int], tuple[bytes, ratchet.Chain]] = ratchet.Chain.advance_to

    def counted(chain: ratchet.Chain, index: int) -> tuple[bytes, ratchet.Chain]:
        seen.append(index)
        return advance_to(chain, index)

    monkeypatch.setattr(ratchet.Chain, "advance_to", counted)
    return seen


def test_a_pending_epoch_is_tried_once(jumps: list[int]) -> None:
    pair = answered_reset()
    assert pair.hi.stored.pending is not None
    frame = far_ahead(pair.hi.stored.pending.epoch)
    for _ in range(10):
        pair.hi.receive(FrameType.ENVELOPE, frame)
    assert len(jumps) == 1
    assert pair.hi.stored.pending is None
    assert pair.hi.stored.health.status is Status.HEALING


def test_the_old_epoch_is_not_tried_while_a_reset_is_under_way(jumps: list[int]) -> None:
    pair = answered_reset()
    assert pair.hi.stored.current is not None
    frame = far_ahead(pair.hi.stored.current)
    for _ in range(10):
        pair.hi.receive(FrameType.ENVELOPE, frame)
    assert jumps == []


def test_a_peer_who_begins_again_and_again_comes_to_the_error(jumps: list[int]) -> None:
    pair = answered_reset()
    for _ in range(TRIES_PER_MESSAGE + 1):
        assert pair.hi.stored.pending is not None
        pair.hi.receive(FrameType.ENVELOPE, far_ahead(pair.hi.stored.pending.epoch))
        if pair.hi.live.phase is Phase.PAUSED:
            break
        pair.lo.take(pair.lo.live._offer(pair.lo.live.offering.mode, pair.lo.moment()))  # type: ignore[union-attr]
        pair.lo.outbox.clear()
        pair.hi.receive(FrameType.OFFER, pair.lo.live.offering.frame)  # type: ignore[union-attr]
        pair.hi.open_leg()
    assert len(jumps) == TRIES_PER_MESSAGE + 1
    assert Became.ERROR in pair.hi.became
    assert pair.hi.stored.health.status is Status.ERROR, REASON


def test_an_envelope_that_opens_still_brings_the_pending_epoch_in() -> None:
    pair = answered_reset()
    pair.deliver(pair.hi)
    pair.lo.open_leg()
    _confirm = pair.lo.outbox.popleft()
    pair.lo.send(b"first of the new epoch")
    pair.deliver(pair.lo)
    assert pair.hi.bodies == [b"first of the new epoch"]
    assert pair.hi.live.ready
