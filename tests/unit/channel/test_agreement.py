"""The machine on one link: who may say what when, and what each step stores, sends and makes true."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from p2pchat.channel.agreement import TABLE
from p2pchat.channel.phases import Ask, Role
from p2pchat.channel.step import Became
from p2pchat.errors import BadFormat
from p2pchat.ids import EpochId
from p2pchat.limits import EPOCH_MESSAGES
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import Accept, AcceptCore, Confirm, Hello, Offer, Rekey
from tests.support.channel_pair import Pair, exchange_a_message, kinds

HOUR_MS = 3_600_000


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


@pytest.mark.parametrize("kind", [FrameType.HELLO, FrameType.ACCEPT])
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
    assert {role for role, _, kind in TABLE if kind is FrameType.CONFIRM} == {Role.HI}
    for ask in set(Ask) - {Ask.STOPPED}:
        pair = Pair.ready()
        with pytest.raises(BadFormat, match="only hi asks"):
            pair.hi.receive(FrameType.REKEY, Rekey(reason=ask).encode())


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
