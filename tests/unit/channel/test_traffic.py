from dataclasses import replace

import pytest

from p2pchat.channel import traffic
from p2pchat.channel.ctl import UnopenableCtl
from p2pchat.channel.envelope import DamagedEnvelope, UnopenableEnvelope
from p2pchat.channel.state import ChannelState
from p2pchat.errors import CryptoError
from p2pchat.wire.checksum import md5
from p2pchat.wire.structs import CTL_RECEIPT, Ctl, CtlItem
from tests.support.channel_pair import START_MS, Pair

LINK, NONCE = b"l" * 32, b"n" * 24
CTL = Ctl(items=(CtlItem(kind=CTL_RECEIPT, body=b""),))


@pytest.fixture
def pair() -> Pair:
    return Pair.ready()


def sealed(pair: Pair, *bodies: bytes) -> list[bytes]:
    state, frames = pair.lo.stored, []
    for body in bodies:
        state, frame = traffic.seal_body(state, pair.lo.parties.outbound, body, NONCE)
        frames.append(frame)
    return frames


def opened(pair: Pair, state: ChannelState, frame: bytes) -> traffic.Opened:
    return traffic.open_body(state, pair.hi.parties.inbound, frame, START_MS)


def test_messages_open_in_order_and_once(pair: Pair) -> None:
    state, frames = pair.hi.stored, sealed(pair, b"one", b"two")
    for frame, body in zip(frames, (b"one", b"two"), strict=True):
        got = opened(pair, state, frame)
        assert (got.body, got.promoted) == (body, False)
        state = got.state
    with pytest.raises(UnopenableEnvelope, match="before"):
        opened(pair, state, frames[1])


def test_a_lost_message_does_not_lose_the_next(pair: Pair) -> None:
    one, two, three = sealed(pair, b"one", b"two", b"three")
    state = opened(pair, pair.hi.stored, one).state
    assert opened(pair, state, three).body == b"three"
    with pytest.raises(UnopenableEnvelope):
        opened(pair, opened(pair, state, three).state, two)


def test_a_forgery_does_not_move_the_chain(pair: Pair) -> None:
    one, two = sealed(pair, b"one", b"two")
    forged = two[:60] + bytes([two[60] ^ 1]) + two[61:-16]
    with pytest.raises(UnopenableEnvelope):
        opened(pair, pair.hi.stored, forged + md5(forged))
    assert opened(pair, pair.hi.stored, one).body == b"one"


def test_what_is_mine_does_not_open_as_the_peers(pair: Pair) -> None:
    (frame,) = sealed(pair, b"one")
    with pytest.raises(UnopenableEnvelope):
        traffic.open_body(pair.lo.stored, pair.lo.parties.inbound, frame, START_MS)


def test_damage_is_seen_before_the_header_is_believed(pair: Pair) -> None:
    (frame,) = sealed(pair, b"one")
    with pytest.raises(DamagedEnvelope):
        opened(pair, pair.hi.stored, b"\x07" + frame[1:])


def test_a_foreign_epoch_does_not_open(pair: Pair) -> None:
    (frame,) = sealed(pair, b"one")
    with pytest.raises(UnopenableEnvelope, match="epoch"):
        opened(pair, ChannelState(), frame)


def test_without_an_epoch_nothing_is_sealed(pair: Pair) -> None:
    with pytest.raises(CryptoError, match="no epoch"):
        traffic.seal_body(ChannelState(), pair.lo.parties.outbound, b"one", NONCE)
    with pytest.raises(CryptoError, match="no epoch"):
        traffic.seal_ctl(ChannelState(), LINK, CTL, NONCE)


def test_control_frames_pass_both_ways(pair: Pair) -> None:
    for sender, receiver in ((pair.lo, pair.hi), (pair.hi, pair.lo)):
        frame = traffic.seal_ctl(sender.stored, LINK, CTL, NONCE)
        assert traffic.open_ctl(receiver.stored, LINK, frame) == CTL
        with pytest.raises(UnopenableCtl):
            traffic.open_ctl(sender.stored, LINK, frame)
        with pytest.raises(UnopenableCtl, match="epoch"):
            traffic.open_ctl(ChannelState(), LINK, frame)


def test_the_offerer_opens_what_comes_late_in_the_old_epoch_until_the_new_one_is_used(pair: Pair) -> None:
    state = pair.hi.stored
    state, late = traffic.seal_body(state, pair.hi.parties.outbound, b"late", NONCE)
    state, later = traffic.seal_body(state, pair.hi.parties.outbound, b"later", NONCE)
    late_ctl = traffic.seal_ctl(state, LINK, CTL, NONCE)
    old = pair.lo.stored
    assert old.current is not None
    new_epoch = replace(old.current, id=type(old.current.id)(b"new one!"), number=2)
    new = old.changed_over(new_epoch, START_MS, keep=True)

    got = traffic.open_body(new, pair.lo.parties.inbound, late, START_MS)
    assert got.body == b"late"
    assert got.state.current == replace(new_epoch, started_ms=START_MS)
    assert traffic.open_ctl(new, LINK, late_ctl) == CTL
    assert traffic.open_body(got.state, pair.lo.parties.inbound, later, START_MS).body == b"later"

    assert old.changed_over(new_epoch, START_MS, keep=False).retired is None
    hi_new = replace(pair.hi.stored, current=replace(pair.hi.stored.current, id=new_epoch.id))  # type: ignore[type-var]
    _, first = traffic.seal_body(hi_new, pair.hi.parties.outbound, b"first", NONCE)
    assert traffic.open_body(new, pair.lo.parties.inbound, first, START_MS).state.retired is None
