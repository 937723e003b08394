"""Attacks on other messengers, tried on the pair channel. The numbers are those of ``unit/test_named_attacks.py``."""

from dataclasses import replace

import pytest

from p2pchat.channel import ratchet
from p2pchat.channel.damage import Status
from p2pchat.channel.envelope import Header
from p2pchat.channel.exchange import OpenedLeg
from p2pchat.channel.step import Became, Step
from p2pchat.errors import BadFormat
from p2pchat.limits import RATCHET_JUMP
from p2pchat.wire.checksum import md5
from p2pchat.wire.frames import FrameType
from tests.support.channel_pair import End, Pair, exchange_a_message, fake_open

OAEP_SECRET = b"s" * 32


def mended(frame: bytes) -> bytes:
    """With a right md5_ct: what a forger can always do."""
    return frame[:-16] + md5(frame[:-16])


def flipped(frame: bytes, at: int) -> bytes:
    return mended(frame[:at] + bytes([frame[at] ^ 1]) + frame[at + 1 :])


def envelope(end: End, body: bytes, leg_secret: bytes = b"") -> bytes:
    """Sealed and stored, as a vault does, and taken off the wire."""
    end.agreement, frame = end.live.seal_body(body, end.fresh(24), leg_secret)
    end.stored = end.agreement.state
    return frame


# --- 13: messages put in another order --------------------------------------------------------------------------------


def test_13_an_envelope_that_was_overtaken_never_opens() -> None:
    pair = Pair.ready()
    one, two = envelope(pair.lo, b"one"), envelope(pair.lo, b"two")
    assert pair.hi.receive(FrameType.ENVELOPE, two).body == b"two"  # its number says that one is missing (vault)
    late = pair.hi.receive(FrameType.ENVELOPE, one)
    assert (late.body, late.became) == (None, {Became.UNREADY})
    pair.settle()
    exchange_a_message(pair)


def test_13_an_envelope_does_not_open_in_another_place() -> None:
    """Its index is under the tag, so it cannot take the place of another."""
    pair = Pair.ready()
    one, two = envelope(pair.lo, b"one"), envelope(pair.lo, b"two")
    assert pair.hi.receive(FrameType.ENVELOPE, mended(one[:9] + two[9:13] + one[13:])).body is None


# --- 14: malleable ciphertext, unchecked padding ----------------------------------------------------------------------


@pytest.mark.parametrize("leg_secret", [b"", OAEP_SECRET])
def test_14_no_changed_byte_opens_and_none_tells_where_it_was(leg_secret: bytes) -> None:
    """Header, nonce, leg, ciphertext, padding, tag: all fail alike, whatever the forger mends outside."""
    pair = Pair.ready()
    frame = envelope(pair.lo, b"a body", leg_secret)
    places = [*range(9, 13), *range(14, len(frame) - 16, 37), len(frame) - 17]
    outcomes = set()
    for at in places:
        spoilt = flipped(frame, at)
        leg = pair.hi.live.leg_to_open(spoilt)
        opened = OpenedLeg(leg, fake_open(pair.hi.parties.own.modulus, leg)) if leg else None
        step = pair.hi.live.envelope_received(spoilt, pair.hi.moment(), opened)
        assert step.body is None
        outcomes.add((step.became, tuple(kind for kind, _ in step.frames)))
    assert outcomes == {(frozenset({Became.UNREADY}), (FrameType.REKEY,))}


# --- 15: key exchange without authentication --------------------------------------------------------------------------


def test_15_an_offer_of_another_link_comes_to_nothing() -> None:
    """The link's hash is in the transcript: who sits between two links cannot carry an offer from one to the other."""
    pair = Pair.new()
    pair.connect()
    pair.deliver(pair.hi)
    pair.deliver(pair.lo)
    stolen = pair.lo.outbox.popleft()
    pair.connect()
    pair.deliver(pair.hi)
    pair.deliver(pair.lo)
    pair.lo.outbox.clear()
    pair.hi.receive(*stolen)
    pair.hi.open_leg()
    pair.deliver(pair.hi)
    pair.lo.open_leg()
    assert pair.lo.stored.health.macs.events == 1
    assert pair.lo.stored.current is None
    assert pair.hi.stored.current is None


def test_15_no_private_operation_before_the_peer_has_greeted_as_a_contact() -> None:
    pair = Pair.ready()
    pair.lo.take(pair.lo.live.renew(pair.lo.moment(), reset=True))
    offer = pair.lo.outbox.popleft()
    pair.connect()
    with pytest.raises(BadFormat, match="not now"):
        pair.hi.receive(*offer)
    assert pair.hi.work is None


# --- 16: an RSA padding oracle ----------------------------------------------------------------------------------------


def seen_outside(step: Step) -> tuple[object, ...]:
    """All that a peer can tell of a step: frames by kind and size, whether work follows, what becomes of the link."""
    return tuple((kind, len(body)) for kind, body in step.frames), step.work is None, step.became


@pytest.mark.parametrize("garbage", [None, b"", b"x" * 31, b"y" * 32, b"z" * 900])
def test_16_a_leg_that_does_not_open_looks_like_any_other(garbage: bytes | None) -> None:
    """The accepter answers all the same; only its MAC is wrong, as it is for a right padding around a wrong secret."""
    pair = Pair.new()
    pair.connect()
    pair.deliver(pair.hi)
    pair.deliver(pair.lo)
    pair.deliver(pair.lo)
    assert pair.hi.work is not None
    leg, at = pair.hi.work.leg, pair.hi.moment()
    right = pair.hi.live.leg_opened(leg, fake_open(pair.hi.parties.own.modulus, leg), at)
    wrong = pair.hi.live.leg_opened(leg, garbage, at)
    assert seen_outside(wrong) == seen_outside(right)
    assert wrong.store is not None and right.store is not None
    assert wrong.store.pending_id != right.store.pending_id


@pytest.mark.parametrize("garbage", [None, b"", b"x" * 31, b"y" * 32, b"z" * 900])
def test_16_the_leg_of_a_message_tells_nothing_either(garbage: bytes | None) -> None:
    pair = Pair.ready()
    frame = envelope(pair.lo, b"a body", OAEP_SECRET)
    leg, at = pair.hi.live.leg_to_open(frame), pair.hi.moment()
    assert leg is not None
    step = pair.hi.live.envelope_received(frame, at, OpenedLeg(leg, garbage))
    assert step.body is None
    plain = pair.hi.live.envelope_received(flipped(envelope(pair.lo, b"a body"), 80), at)
    assert (step.became, [kind for kind, _ in step.frames]) == (plain.became, [kind for kind, _ in plain.frames])


def test_16_questions_to_the_oracle_are_few() -> None:
    """A message that does not open costs its sender the epoch, and after some tries the channel."""
    pair, asked = Pair.ready(), 0
    while pair.hi.stored.health.status is not Status.ERROR:
        frame = flipped(envelope(pair.lo, b"a question", OAEP_SECRET), 60)
        leg = pair.hi.live.leg_to_open(frame)
        assert leg is not None
        asked += 1
        pair.hi.now_ms += 1
        pair.hi.take(pair.hi.live.envelope_received(frame, pair.hi.moment(), OpenedLeg(leg, None)))
        pair.settle()
        assert asked < 20
    assert asked == 4
    assert pair.hi.live.leg_to_open(frame) is None


# --- 34: a ratchet rolled back ----------------------------------------------------------------------------------------


def test_34_the_moved_chain_is_in_what_is_to_be_stored_with_the_envelope() -> None:
    pair = Pair.ready()
    before = pair.lo.live.state
    after, _ = pair.lo.live.seal_body(b"one", bytes(24))
    assert before.current is not None and after.state.current is not None
    assert after.state.current.send.index == before.current.send.index + 1
    assert after.state.current.send.key != before.current.send.key


def test_34_a_store_put_back_repeats_no_nonce_and_its_key_is_not_taken_twice() -> None:
    pair = Pair.ready()
    old = pair.lo.stored
    first = envelope(pair.lo, b"before")
    pair.hi.receive(FrameType.ENVELOPE, first)
    pair.lo.agreement = replace(pair.lo.live, state=old)
    again = envelope(pair.lo, b"after")
    assert first[:14] == again[:14]  # the same epoch and index, hence the same message key
    assert first[14:38] != again[14:38]
    assert pair.hi.receive(FrameType.ENVELOPE, again).body is None
    pair.settle()
    exchange_a_message(pair)


# --- 35: skipped keys that exhaust memory or time ---------------------------------------------------------------------


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each step of a chain."""
    seen: list[int] = []
    next_key = ratchet.Chain._next_key

    def counted(chain: ratchet.Chain) -> bytes:
        seen.append(chain.index)
        return next_key(chain)

    monkeypatch.setattr(ratchet.Chain, "_next_key", counted)
    return seen


def test_35_a_jump_too_far_costs_not_one_hash(hashes: list[int]) -> None:
    pair = Pair.ready()
    frame = envelope(pair.lo, b"far")
    hashes.clear()
    epoch = pair.hi.stored.epoch_id
    far = mended(Header(epoch, RATCHET_JUMP + 1).encode() + frame[14:])
    assert pair.hi.receive(FrameType.ENVELOPE, far).body is None
    assert hashes == []


def test_35_no_skipped_key_is_kept(hashes: list[int]) -> None:
    """A jump within the bound costs its hashes once, and the state is as small as before."""
    pair = Pair.ready()
    size = len(pair.hi.stored.encode())
    for _ in range(500):
        envelope(pair.lo, b"lost on the way")
    assert pair.hi.receive(FrameType.ENVELOPE, envelope(pair.lo, b"arrives")).body == b"arrives"
    assert len(pair.hi.stored.encode()) - size <= 4  # an index has more digits now
