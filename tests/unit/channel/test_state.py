from dataclasses import replace

import pytest

from p2pchat.channel.damage import HEALTHY, Fault
from p2pchat.channel.ratchet import Chain
from p2pchat.channel.state import EPOCH_MS, ChannelState, Epoch, Pending, Retired
from p2pchat.errors import BadFormat
from p2pchat.ids import EpochId
from p2pchat.limits import EPOCH_MESSAGES
from p2pchat.wire.structs import Hello

NOW = 1_800_000_000_000


def epoch(number: int, *, sent: int = 0, received: int = 0) -> Epoch:
    return Epoch(
        number=number,
        id=EpochId(b"epoch %02d" % number),
        send=Chain(b"s" * 32, sent),
        receive=Chain(b"r" * 32, received),
        ctl_send=b"c" * 32,
        ctl_receive=b"d" * 32,
        next_salt=b"n" * 32,
        started_ms=NOW,
    )


def hello(current: int = 0, pending: int = 0) -> Hello:
    def name(number: int) -> EpochId:
        return EpochId(b"epoch %02d" % number) if number else EpochId(b"")

    return Hello(epoch=name(current), pending=name(pending), capabilities=())


FULL = ChannelState(
    current=epoch(3, sent=5, received=6),
    pending=Pending(epoch(4), b"m" * 32),
    retired=Retired(EpochId(b"epoch 02"), Chain(b"o" * 32, 9), b"e" * 32),
    health=HEALTHY.fault(Fault.DAMAGED, NOW, 7)[1].failed(NOW),
)


@pytest.mark.parametrize("state", [ChannelState(), FULL, ChannelState(current=epoch(1))])
def test_what_is_stored_comes_back(state: ChannelState) -> None:
    assert ChannelState.decode(state.encode()) == state


def test_a_damaged_row_is_refused() -> None:
    with pytest.raises(BadFormat):
        ChannelState.decode(FULL.encode()[:-1])


def test_no_key_is_printed() -> None:
    for key in (b"s", b"r", b"c", b"d", b"n", b"m", b"o", b"e"):
        assert repr(key * 32)[2:-1] not in repr(FULL)


@pytest.mark.parametrize(
    ("hours", "sent", "received", "due"),
    [
        (23.9, 1, 0, False),
        (24, 1, 0, True),
        (24, 0, 1, True),
        (24 * 400, 0, 0, False),  # a day counts only if it was used
        (0, EPOCH_MESSAGES - 1, EPOCH_MESSAGES - 1, False),
        (0, EPOCH_MESSAGES, 0, True),
        (0, 0, EPOCH_MESSAGES, True),
        (-1, 1, 0, True),  # the clock went back behind the start
    ],
)
def test_when_a_new_epoch_is_due(hours: float, sent: int, received: int, due: bool) -> None:
    assert EPOCH_MS == 24 * 3_600_000
    assert epoch(1, sent=sent, received=received).due(NOW + int(hours * 3_600_000)) is due


@pytest.mark.parametrize(
    ("mine", "theirs", "own_is_lo", "agreed", "now"),
    [
        ((0, 0), (0, 0), True, False, (0, 0)),  # first contact: no epoch is none in common
        ((3, 0), (3, 0), True, True, (3, 0)),
        ((3, 4), (3, 0), False, True, (3, 0)),  # lo has not taken my answer: it is void
        ((3, 4), (4, 0), False, True, (4, 0)),  # lo has: promote
        ((4, 0), (3, 4), True, True, (4, 0)),  # hi will promote
        ((3, 4), (5, 0), False, False, (3, 0)),
        ((0, 1), (0, 0), False, False, (0, 0)),
        ((0, 1), (1, 0), False, True, (1, 0)),
        ((4, 0), (3, 4), False, False, (4, 0)),  # lo never has a pending epoch
        ((3, 0), (0, 0), True, False, (3, 0)),  # the peer was restored
        ((0, 0), (3, 0), True, False, (0, 0)),
    ],
)
def test_what_a_hello_means(
    mine: tuple[int, int], theirs: tuple[int, int], own_is_lo: bool, agreed: bool, now: tuple[int, int]
) -> None:
    state = ChannelState(
        current=epoch(mine[0]) if mine[0] else None,
        pending=Pending(epoch(mine[1]), b"m" * 32) if mine[1] else None,
        retired=FULL.retired,
    )
    after, both = state.met(hello(*theirs), own_is_lo=own_is_lo, now_ms=NOW + 5)
    assert both is agreed
    assert (after.epoch_id, after.pending_id) == (hello(*now).epoch, hello(*now).pending)
    assert after.retired is None
    if now[0] and now[0] != mine[0]:
        assert after.current == replace(epoch(now[0]), started_ms=NOW + 5)
