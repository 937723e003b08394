"""When an agreement goes wrong: damage, wrong secrets, links that die at the worst moment."""

from dataclasses import replace

import pytest

from p2pchat.channel.damage import RETRY_MS, Status
from p2pchat.channel.phases import Phase
from p2pchat.channel.state import ChannelState
from p2pchat.channel.step import Became
from p2pchat.ids import EpochId
from p2pchat.wire.checksum import md5
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import CTL_RECEIPT, Confirm, Ctl, CtlItem
from tests.support.channel_pair import End, FakeRsa, Pair, exchange_a_message, kinds


class FixedKem(FakeRsa):
    def kem_encapsulate(self, public: bytes) -> tuple[bytes, bytes]:
        return b"s" * 32, b"c" * 1088


CTL = Ctl(items=(CtlItem(kind=CTL_RECEIPT, body=b""),))
HOUR_MS = 3_600_000


def spoil_envelope(end: End, *, mend: bool) -> None:
    """Flip a bit of the oldest envelope on the wire; ``mend`` its MD5, so that only the AEAD notices."""
    kind, body = end.outbox.popleft()
    assert kind is FrameType.ENVELOPE
    body = body[:60] + bytes([body[60] ^ 1]) + body[61:]
    end.outbox.appendleft((kind, body[:-16] + md5(body[:-16]) if mend else body))


# --- what goes wrong --------------------------------------------------------------------------------------------------


def test_a_damaged_envelope_asks_for_the_same_again() -> None:
    pair = Pair.ready()
    pair.lo.send(b"one")
    spoil_envelope(pair.lo, mend=False)
    step = pair.deliver(pair.lo)
    assert step.became == {Became.RESEND}
    assert step.store is not None
    assert (step.body, step.frames) == (None, ())
    assert pair.hi.stored.health.status is Status.HEALING
    exchange_a_message(pair)
    assert pair.hi.stored.health.status is Status.OK


@pytest.mark.parametrize("side", ["lo", "hi"])
def test_an_envelope_that_does_not_open_leads_to_a_reset(side: str) -> None:
    pair = Pair.ready()
    sender, receiver = (pair.hi, pair.lo) if side == "lo" else (pair.lo, pair.hi)
    sender.send(b"one")
    sender.send(b"two")
    spoil_envelope(sender, mend=True)
    step = pair.deliver(sender)
    assert step.became == {Became.UNREADY}
    assert [kind for kind, _ in step.frames] == [FrameType.OFFER if side == "lo" else FrameType.REKEY]
    assert not receiver.live.ready
    assert pair.deliver(sender).body is None  # passed over: it comes again
    pair.settle()
    for end in (sender, receiver):
        assert end.became[-2:] == [Became.UNREADY, Became.READY]
        assert end.stored.retired is None  # nothing of the old epoch is kept
    exchange_a_message(pair)


def test_a_control_frame_that_does_not_open_leads_to_a_reset_too() -> None:
    pair = Pair.ready()
    frame = pair.lo.live.seal_ctl(CTL, bytes(24))
    assert pair.hi.receive(FrameType.CTL, frame).ctl == CTL
    step = pair.hi.receive(FrameType.CTL, frame[:-1] + bytes([frame[-1] ^ 1]))
    assert step.ctl is None
    assert step.became == {Became.UNREADY}


def test_too_many_tries_end_in_error_and_a_later_try_heals() -> None:
    pair = Pair.ready()
    for _ in range(4):
        pair.lo.send(b"one")
        spoil_envelope(pair.lo, mend=False)
        step = pair.deliver(pair.lo)
    assert step.became == {Became.ERROR, Became.UNREADY}
    assert pair.hi.live.phase is Phase.PAUSED
    assert pair.hi.stored.health.status is Status.ERROR
    assert not pair.hi.live.ready
    assert not pair.hi.take(pair.hi.live.tick(pair.hi.moment())).frames
    pair.settle()
    assert set(pair.lo.became[-2:]) == {Became.UNREADY, Became.ERROR}  # hi says so: the sender must know, too
    assert pair.lo.stored.health.status is Status.ERROR

    pair.hi.now_ms += RETRY_MS[0]
    pair.hi.take(pair.hi.live.tick(pair.hi.moment()))
    assert kinds(pair.hi) == [FrameType.REKEY]
    pair.settle()
    exchange_a_message(pair)
    assert pair.hi.stored.health.status is Status.OK


def test_error_lasts_over_a_new_link_until_its_time_has_come() -> None:
    pair = Pair.ready()
    for end in (pair.lo, pair.hi):
        end.stored = replace(end.stored, health=end.stored.health.failed(end.now_ms))
    pair.connect()
    pair.settle()
    assert not pair.lo.live.ready
    assert not pair.hi.live.ready
    pair.lo.take(pair.lo.live.renew(pair.lo.moment(), reset=True))  # `contact retry` on one side
    pair.settle()
    assert pair.lo.live.ready
    assert pair.hi.live.ready
    exchange_a_message(pair)


def test_a_retry_time_that_passed_while_offline_counts_at_hello() -> None:
    pair = Pair.ready()
    pair.lo.stored = replace(pair.lo.stored, health=pair.lo.stored.health.failed(pair.lo.now_ms))
    pair.lo.now_ms += RETRY_MS[0]
    pair.connect()
    pair.settle()
    assert pair.lo.live.ready
    assert pair.lo.stored.health.status is Status.HEALING


def test_a_leg_that_does_not_open_looks_like_a_wrong_mac() -> None:
    pair = Pair.new()
    pair.connect()
    pair.deliver(pair.hi)
    pair.deliver(pair.lo)
    pair.deliver(pair.lo)
    assert pair.hi.work is not None
    leg, pair.hi.work = pair.hi.work.leg, None
    step = pair.hi.take(pair.hi.live.leg_opened(leg, None, pair.hi.moment()))
    assert [kind for kind, _ in step.frames] == [FrameType.ACCEPT]
    pair.deliver(pair.hi)
    pair.lo.open_leg()
    assert kinds(pair.lo) == [FrameType.OFFER]  # once more, in mode reset
    assert pair.lo.stored.health.macs.events == 1
    pair.settle()
    exchange_a_message(pair)


@pytest.mark.parametrize("secret", [b"", b"r" * 31, b"r" * 33])
def test_a_leg_of_another_length_counts_as_not_opened(secret: bytes) -> None:
    pair = Pair.new()
    pair.connect()
    pair.deliver(pair.hi)
    pair.deliver(pair.lo)
    pair.deliver(pair.lo)
    assert pair.hi.work is not None
    leg, at = pair.hi.work.leg, pair.hi.moment()
    waiting = replace(pair.hi.live, draws=FixedKem())

    def pending(secret: bytes | None) -> EpochId:
        stored = waiting.leg_opened(leg, secret, at).store
        assert stored is not None
        return stored.pending_id

    assert pending(secret) == pending(None) != pending(b"r" * 32)


def test_ten_wrong_macs_end_in_error() -> None:
    pair = Pair.new()
    pair.lo.parties = replace(pair.lo.parties, peer=replace(pair.lo.parties.peer, head=bytes(32)))
    pair.connect()
    pair.settle()
    assert pair.lo.became == [Became.ERROR]
    assert pair.lo.stored.health.macs.events == 10
    assert pair.lo.live.phase is Phase.PAUSED
    assert pair.lo.live.legs.tokens < 0  # the last ones were served late


def test_a_wrong_confirm_is_never_believed() -> None:
    pair = Pair.ready()
    before = pair.hi.stored.epoch_id
    pair.lo.take(pair.lo.live.renew(pair.lo.moment(), reset=False))
    pair.deliver(pair.lo)
    pair.hi.open_leg()
    pair.hi.receive(FrameType.CONFIRM, Confirm(mac=bytes(32)).encode())
    assert pair.hi.stored.epoch_id == before
    assert not pair.hi.stored.pending_id
    assert kinds(pair.hi) == [FrameType.ACCEPT, FrameType.REKEY]
    assert pair.hi.stored.health.macs.events == 1
    pair.deliver(pair.hi)
    pair.lo.open_leg()
    assert pair.lo.outbox.popleft()[0] is FrameType.CONFIRM  # the true one, in whose place the wrong one came
    pair.settle()
    exchange_a_message(pair)


def test_a_result_that_nobody_waits_for_changes_nothing() -> None:
    pair = Pair.new()
    pair.connect()
    pair.deliver(pair.hi)
    pair.deliver(pair.lo)
    pair.deliver(pair.lo)
    assert pair.hi.work is not None
    leg = pair.hi.work.leg
    pair.connect()
    late = pair.hi.live.leg_opened(leg, b"r" * 32, pair.hi.moment())
    assert (late.store, late.frames, late.work) == (None, (), None)
    pair.settle()
    exchange_a_message(pair)


def test_the_result_of_an_earlier_link_is_not_taken_for_this_ones() -> None:
    pair = Pair.new()
    legs = []
    for _ in range(2):
        pair.connect()
        pair.deliver(pair.hi)
        pair.deliver(pair.lo)
        pair.deliver(pair.lo)
        assert pair.hi.work is not None
        legs.append(pair.hi.work.leg)
    late = pair.hi.live.leg_opened(legs[0], b"r" * 32, pair.hi.moment())
    assert (late.agreement, late.store, late.frames) == (pair.hi.live, None, ())
    assert pair.hi.live.leg_opened(legs[1], b"r" * 32, pair.hi.moment()).store is not None


def test_damage_counts_only_where_an_epoch_is_agreed() -> None:
    pair = Pair.new()
    pair.connect()
    pair.deliver(pair.hi)
    pair.deliver(pair.lo)
    pair.deliver(pair.lo)
    pair.hi.open_leg()
    assert pair.hi.stored.pending_id
    step = pair.hi.receive(FrameType.ENVELOPE, bytes(468))
    assert (step.became, step.store, step.frames) == (frozenset(), None, ())


def test_hi_does_not_ask_while_its_answer_is_on_its_way_and_asks_again_later() -> None:
    pair = Pair.ready()
    exchange_a_message(pair)
    for end in (pair.lo, pair.hi):
        end.now_ms += 25 * HOUR_MS
    pair.hi.take(pair.hi.live.tick(pair.hi.moment()))
    pair.deliver(pair.hi)
    pair.deliver(pair.lo)
    pair.hi.open_leg()
    assert not replace(pair.hi.live, asked=False).tick(pair.hi.moment()).frames
    pair.settle()
    exchange_a_message(pair)
    pair.hi.now_ms += 25 * HOUR_MS
    pair.hi.take(pair.hi.live.tick(pair.hi.moment()))
    assert kinds(pair.hi) == [FrameType.REKEY]


def test_eager_legs_wait_for_their_token_also_over_links() -> None:
    pair = Pair.ready()
    waits = []
    for _ in range(9):
        pair.lo.take(pair.lo.live.renew(pair.lo.moment(), reset=False))
        pair.deliver(pair.lo)
        assert pair.hi.work is not None
        waits.append(pair.hi.work.wait_s)
        pair.disconnect()
        pair.connect()
        pair.settle()
    assert waits == [0.0] * 7 + [1.0, 2.0]  # the first was spent at first contact


def test_ready_ends_at_the_hard_stop() -> None:
    pair = Pair.ready()
    assert pair.lo.stored.current is not None
    full = replace(pair.lo.stored.current, send=replace(pair.lo.stored.current.send, index=100_000))
    pair.lo.agreement = replace(pair.lo.live, state=ChannelState(current=full))
    assert not pair.lo.live.ready


# --- links that die at the worst moment -------------------------------------------------------------------------------


def test_confirm_lost_with_the_link_is_made_good_by_hello() -> None:
    pair = Pair.ready()
    pair.lo.take(pair.lo.live.renew(pair.lo.moment(), reset=False))
    pair.deliver(pair.lo)
    pair.hi.open_leg()
    pair.deliver(pair.hi)
    pair.lo.open_leg()
    pair.connect()
    pair.settle()
    assert pair.hi.stored.epoch_id == pair.lo.stored.epoch_id
    assert pair.hi.stored.current is not None
    assert pair.hi.stored.current.number == 2
    exchange_a_message(pair)


def test_accept_lost_with_the_link_leaves_both_in_the_old_epoch() -> None:
    pair = Pair.ready()
    before = pair.lo.stored.epoch_id
    pair.lo.take(pair.lo.live.renew(pair.lo.moment(), reset=False))
    pair.deliver(pair.lo)
    pair.hi.open_leg()
    assert pair.hi.stored.pending_id
    pair.connect()
    pair.settle()
    assert pair.lo.stored.epoch_id == pair.hi.stored.epoch_id == before
    assert not pair.hi.stored.pending_id
    exchange_a_message(pair)


@pytest.mark.parametrize("side", ["lo", "hi"])
def test_who_was_restored_gets_a_reset(side: str) -> None:
    pair = Pair.ready()
    (pair.lo if side == "lo" else pair.hi).stored = ChannelState()
    pair.connect()
    pair.settle()
    assert pair.lo.became[-1] is pair.hi.became[-1] is Became.READY
    exchange_a_message(pair)


def test_an_envelope_under_the_pending_epoch_promotes_it() -> None:
    pair = Pair.ready()
    pair.lo.take(pair.lo.live.renew(pair.lo.moment(), reset=False))
    pair.deliver(pair.lo)
    pair.hi.open_leg()
    pair.deliver(pair.hi)
    pair.lo.open_leg()
    pair.lo.send(b"first in n+1")
    pair.lo.outbox.popleft()  # the CONFIRM
    step = pair.deliver(pair.lo)
    assert step.body == b"first in n+1"
    assert step.became == {Became.CHANGED}
    assert pair.hi.stored.epoch_id == pair.lo.stored.epoch_id


def test_hi_loses_the_epoch_while_the_next_one_is_on_its_way() -> None:
    """lo must then end the exchange with a Resume, though for itself nothing was lost."""
    pair = Pair.ready()
    pair.lo.take(pair.lo.live.renew(pair.lo.moment(), reset=False))
    pair.lo.send(b"one")
    offer = pair.lo.outbox.popleft()
    spoil_envelope(pair.lo, mend=True)
    pair.deliver(pair.lo)
    pair.lo.outbox.append(offer)
    pair.settle()
    assert pair.lo.became[-2:] == pair.hi.became[-2:] == [Became.UNREADY, Became.READY]
    exchange_a_message(pair)
