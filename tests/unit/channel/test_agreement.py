"""The machine on one link: who may say what when, and what each step stores, sends and makes true."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from p2pchat.channel.agreement import TABLE
from p2pchat.channel.damage import RETRY_MS, Status
from p2pchat.channel.phases import Ask, Phase, Role
from p2pchat.channel.state import ChannelState
from p2pchat.channel.step import Became
from p2pchat.errors import BadFormat
from p2pchat.ids import EpochId
from p2pchat.limits import EPOCH_MESSAGES
from p2pchat.wire.checksum import md5
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import CTL_RECEIPT, Accept, AcceptCore, Confirm, Ctl, CtlItem, Hello, Offer, Rekey
from tests.support.channel_pair import End, FakeRsa, Pair


class FixedKem(FakeRsa):
    def kem_encapsulate(self, public: bytes) -> tuple[bytes, bytes]:
        return b"s" * 32, b"c" * 1088


CTL = Ctl(items=(CtlItem(kind=CTL_RECEIPT, body=b""),))
HOUR_MS = 3_600_000


def kinds(end: End) -> list[FrameType]:
    return [kind for kind, _ in end.outbox]


def exchange_a_message(pair: Pair) -> None:
    pair.lo.send(b"from lo")
    pair.hi.send(b"from hi")
    pair.settle()
    assert pair.hi.bodies[-1] == b"from lo"
    assert pair.lo.bodies[-1] == b"from hi"


def spoil_envelope(end: End, *, mend: bool) -> None:
    """Flip a bit of the oldest envelope on the wire; ``mend`` its MD5, so that only the AEAD notices."""
    kind, body = end.outbox.popleft()
    assert kind is FrameType.ENVELOPE
    body = body[:60] + bytes([body[60] ^ 1]) + body[61:]
    end.outbox.appendleft((kind, body[:-16] + md5(body[:-16]) if mend else body))


# --- first contact ----------------------------------------------------------------------------------------------------


def test_at_first_contact_lo_offers_a_reset_and_hi_waits() -> None:
    pair = Pair.new()
    pair.connect()
    assert kinds(pair.lo) == kinds(pair.hi) == [FrameType.HELLO]
    pair.deliver(pair.hi)
    pair.deliver(pair.lo)
    assert kinds(pair.lo) == [FrameType.OFFER]
    assert kinds(pair.hi) == []
    offer = Offer.decode(pair.lo.outbox[0][1])
    assert (offer.mode, offer.number) == (0, 1)
    pair.settle()
    assert pair.lo.became == pair.hi.became == [Became.READY]
    exchange_a_message(pair)


def test_hi_stores_its_pending_epoch_before_accept_leaves_and_lo_before_confirm() -> None:
    pair = Pair.new()
    pair.connect()
    pair.deliver(pair.hi)
    pair.deliver(pair.lo)
    pair.deliver(pair.lo)
    work = pair.hi.work
    assert work is not None
    pair.hi.open_leg()
    assert kinds(pair.hi) == [FrameType.ACCEPT]
    assert pair.hi.stored.pending_id
    assert not pair.hi.stored.epoch_id
    pair.deliver(pair.hi)
    assert not pair.lo.stored.epoch_id
    pair.lo.open_leg()
    assert kinds(pair.lo) == [FrameType.CONFIRM]
    assert pair.lo.stored.epoch_id == pair.hi.stored.pending_id
    assert not pair.hi.live.ready
    pair.deliver(pair.lo)
    assert pair.hi.live.ready
    assert pair.hi.stored.epoch_id == pair.lo.stored.epoch_id
    assert not pair.hi.stored.pending_id


def test_the_peers_capabilities_are_known_after_hello() -> None:
    pair = Pair.new()
    pair.connect()
    hello = Hello(epoch=EpochId(b""), pending=EpochId(b""), capabilities=("text",))
    step = pair.lo.receive(FrameType.HELLO, hello.encode())
    assert step.agreement.capabilities == ("text",)


# --- who may say what -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [FrameType.HELLO, FrameType.OFFER, FrameType.CONFIRM, FrameType.ACCEPT])
def test_lo_takes_nothing_but_rekey_while_nothing_is_under_way(kind: FrameType) -> None:
    pair = Pair.ready()
    with pytest.raises(BadFormat, match="not now"):
        pair.lo.receive(kind, b"\x90")


@pytest.mark.parametrize("kind", [FrameType.HELLO, FrameType.REKEY, FrameType.ACCEPT])
def test_hi_takes_only_offers_and_confirmations(kind: FrameType) -> None:
    pair = Pair.ready()
    with pytest.raises(BadFormat, match="not now"):
        pair.hi.receive(kind, b"\x90")


def test_before_hello_nothing_else_is_taken() -> None:
    pair = Pair.new()
    pair.connect()
    for end in (pair.lo, pair.hi):
        for kind in (FrameType.OFFER, FrameType.ACCEPT, FrameType.CONFIRM, FrameType.REKEY):
            with pytest.raises(BadFormat):
                end.receive(kind, b"\x90")


def test_only_lo_offers_and_only_hi_asks() -> None:
    assert {role for role, _, kind in TABLE if kind is FrameType.OFFER} == {Role.HI}
    assert {role for role, _, kind in TABLE if kind is FrameType.REKEY} == {Role.LO}
    assert {role for role, _, kind in TABLE if kind is FrameType.CONFIRM} == {Role.HI}


def test_a_second_offer_while_the_first_is_opened_cuts_the_link() -> None:
    pair = Pair.ready()
    pair.lo.take(pair.lo.live.renew(pair.lo.moment(), reset=False))
    offer = pair.lo.outbox[0]
    pair.deliver(pair.lo)
    with pytest.raises(BadFormat, match="not now"):
        pair.hi.receive(*offer)


def test_a_confirm_out_of_the_blue_cuts_the_link() -> None:
    pair = Pair.ready()
    with pytest.raises(BadFormat, match="without an epoch"):
        pair.hi.receive(FrameType.CONFIRM, Confirm(mac=bytes(32)).encode())


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda offer: replace(offer, mode=7), "mode 7"),
        (lambda offer: replace(offer, number=offer.number + 1), "continues"),
        (lambda offer: replace(offer, number=offer.number - 1), "continues"),
    ],
)
def test_an_offer_that_cannot_be_cuts_the_link(change: Callable[[Offer], Offer], match: str) -> None:
    pair = Pair.ready()
    pair.lo.take(pair.lo.live.renew(pair.lo.moment(), reset=False))
    with pytest.raises(BadFormat, match=match):
        pair.hi.receive(FrameType.OFFER, change(Offer.decode(pair.lo.outbox[0][1])).encode())


def test_an_answer_to_another_offer_cuts_the_link() -> None:
    pair = Pair.ready()
    pair.lo.take(pair.lo.live.renew(pair.lo.moment(), reset=False))
    pair.deliver(pair.lo)
    pair.hi.open_leg()
    accept = Accept.decode(pair.hi.outbox[0][1])
    core = replace(AcceptCore.decode(accept.core), number=9)
    with pytest.raises(BadFormat, match="another offer"):
        pair.lo.receive(FrameType.ACCEPT, replace(accept, core=core.encode()).encode())


# --- the next epoch ---------------------------------------------------------------------------------------------------


def test_sending_goes_on_while_the_next_epoch_is_agreed() -> None:
    pair = Pair.ready()
    lo, hi = pair.lo, pair.hi
    lo.take(lo.live.renew(lo.moment(), reset=False))
    pair.deliver(lo)
    lo.send(b"lo in n")
    hi.send(b"hi in n, before its answer")
    hi.open_leg()
    hi.send(b"hi in n, after its answer")
    pair.deliver(lo)
    for _ in range(2):
        pair.deliver(hi)
    lo.open_leg()
    pair.deliver(hi)  # lo has changed over, yet opens it
    assert lo.bodies == [b"hi in n, before its answer", b"hi in n, after its answer"]
    assert hi.bodies == [b"lo in n"]
    pair.settle()
    assert lo.became[-1] is hi.became[-1] is Became.CHANGED
    assert lo.stored.current is not None
    assert lo.stored.current.number == 2
    exchange_a_message(pair)
    assert lo.stored.retired is None


@pytest.mark.parametrize("sender", ["lo", "hi"])
def test_a_thousand_messages_in_either_direction_make_a_new_epoch_due(sender: str) -> None:
    pair = Pair.ready()
    end = pair.lo if sender == "lo" else pair.hi
    for _ in range(EPOCH_MESSAGES - 1):
        end.send(b"x")
    pair.settle()
    assert not pair.lo.take(pair.lo.live.tick(pair.lo.moment())).frames
    end.send(b"x")
    pair.settle()
    pair.lo.take(pair.lo.live.tick(pair.lo.moment()))
    assert kinds(pair.lo) == [FrameType.OFFER]
    pair.settle()
    assert pair.hi.stored.current is not None
    assert pair.hi.stored.current.number == 2


def test_hi_asks_once_and_lo_judges_by_its_own_clock() -> None:
    pair = Pair.ready()
    exchange_a_message(pair)
    pair.hi.now_ms += 25 * HOUR_MS
    for _ in range(2):
        pair.hi.take(pair.hi.live.tick(pair.hi.moment()))
    assert [Rekey.decode(body).reason for _, body in pair.hi.outbox] == [Ask.TIME]
    pair.settle()
    assert pair.lo.stored.current is not None
    assert pair.lo.stored.current.number == 1
    pair.lo.now_ms += 25 * HOUR_MS
    pair.lo.take(pair.lo.live.tick(pair.lo.moment()))
    pair.settle()
    assert pair.lo.stored.current.number == 2
    assert pair.hi.stored.current is not None
    assert pair.hi.stored.current.started_ms == pair.hi.now_ms


def test_hi_may_wish_for_an_epoch() -> None:
    pair = Pair.ready()
    pair.hi.take(pair.hi.live.renew(pair.hi.moment(), reset=False))
    pair.settle()
    assert pair.lo.stored.current is not None
    assert pair.lo.stored.current.number == 2
    assert pair.hi.became[-1] is Became.CHANGED


def test_a_next_epoch_depends_on_the_one_before() -> None:
    pair = Pair.ready()
    assert pair.hi.stored.current is not None
    other = replace(pair.hi.stored, current=replace(pair.hi.stored.current, next_salt=bytes(32)))
    pair.hi.agreement = replace(pair.hi.live, state=other)
    pair.lo.take(pair.lo.live.renew(pair.lo.moment(), reset=False))
    pair.settle()
    assert pair.lo.stored.health.macs.events == 1  # a wrong MAC, then a reset
    assert Became.UNREADY in pair.lo.became
    exchange_a_message(pair)


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
