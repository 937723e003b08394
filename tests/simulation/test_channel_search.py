"""Every way that an agreement of epochs can go within a bound: no message that never opens, no name with two keys.

Each run prints how many worlds it looked at (``pytest -s``). The planted bugs show that the search would notice.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from p2pchat.channel import asking, traffic
from p2pchat.channel.agreement import TABLE, Agreement
from p2pchat.channel.phases import Phase, Role
from p2pchat.channel.state import ChannelState
from p2pchat.channel.step import Step
from p2pchat.wire.frames import FrameType
from tests.support.channel_model import Left, World
from tests.support.channel_search import Found, Search, friends, strangers

Beginning = Callable[[Left], World]


TO_THE_END = 99  # deeper than any way without repetition: with so little left to happen, every world there is


def search(beginning: Beginning, left: Left, depth: int) -> Search:
    done = Search(depth).run(beginning(left))
    print(
        f"\n{beginning.__name__}, {left}: {done.visited} worlds, the furthest {done.deepest} moves away,"
        f" {done.continuations} pairs of disks from which a fair link was tried"
    )
    assert done.deepest < TO_THE_END
    return done


@pytest.mark.parametrize(
    ("beginning", "left", "depth", "least"),
    [
        pytest.param(strangers, Left(links=2, messages=1, renewals=0), TO_THE_END, 1_000, id="first contact"),
        pytest.param(friends, Left(links=1, messages=1, renewals=1), 7, 1_000, id="renewal"),
        pytest.param(friends, Left(links=1, messages=0, renewals=1, rollbacks=1), 5, 1_000, id="rollback"),
    ],
)
def test_nothing_goes_wrong_near_the_beginning(beginning: Beginning, left: Left, depth: int, least: int) -> None:
    assert search(beginning, left, depth).visited >= least


@pytest.mark.slow
@pytest.mark.parametrize(
    ("beginning", "left", "depth", "least"),
    [
        pytest.param(strangers, Left(links=3, messages=1, renewals=1), TO_THE_END, 8_000, id="first contact"),
        pytest.param(friends, Left(links=2, messages=1, renewals=1), TO_THE_END, 9_000, id="renewal"),
        pytest.param(friends, Left(links=0, messages=1, renewals=2), TO_THE_END, 5_000, id="two renewals on a link"),
        pytest.param(friends, Left(links=2, messages=1, renewals=1, rollbacks=1), 8, 20_000, id="rollback"),
    ],
)
def test_nothing_goes_wrong_as_far_as_it_goes(beginning: Beginning, left: Left, depth: int, least: int) -> None:
    assert search(beginning, left, depth).visited >= least


# --- would it notice? -------------------------------------------------------------------------------------------------


def hi_does_not_promote_at_hello(patch: pytest.MonkeyPatch) -> None:
    """protocol.md 9.2: the peer is at my pending -> promote it."""
    met = ChannelState.met

    def wrong(self: ChannelState, *args: Any, **kwargs: Any) -> tuple[ChannelState, bool]:
        state, agreed = met(self, *args, **kwargs)
        promoted = agreed and self.pending is not None and state.epoch_id == self.pending_id
        return (replace(self, pending=None), True) if promoted else (state, agreed)

    patch.setattr(ChannelState, "met", wrong)


def lo_forgets_the_old_epoch_at_once(patch: pytest.MonkeyPatch) -> None:
    """What hi sent in n before CONFIRM reached it no longer opens."""
    changed_over = ChannelState.changed_over
    patch.setattr(ChannelState, "changed_over", lambda self, *args, keep: changed_over(self, *args, keep=False))


def the_ratchet_moves_in_memory_only(patch: pytest.MonkeyPatch) -> None:
    """Sealed, and the step not stored: after a crash the key is used again."""
    seal_body = Agreement.seal_body

    def wrong(self: Agreement, *args: Any) -> tuple[Agreement, bytes]:
        after, frame = seal_body(self, *args)
        chain = replace(after.state.current, send=self.state.current.send)  # type: ignore[type-var,union-attr]
        return replace(after, state=replace(after.state, current=chain)), frame

    patch.setattr(Agreement, "seal_body", wrong)


def lo_ignores_that_hi_lost_the_epoch(patch: pytest.MonkeyPatch) -> None:
    """hi waits for the Resume that only a reset brings."""

    def deaf(agreement: Agreement, *_: object) -> Step:
        return Step(agreement=agreement)

    for phase in (Phase.OFFERED, Phase.OPENING):
        assert TABLE[Role.LO, phase, FrameType.REKEY] is asking.meanwhile
        patch.setitem(TABLE, (Role.LO, phase, FrameType.REKEY), deaf)  # type: ignore[arg-type]


def control_frames_end_with_their_epoch(patch: pytest.MonkeyPatch) -> None:
    """A Resume or receipt that hi sealed in n reaches lo in n+1."""
    open_ctl = traffic.open_ctl
    patch.setattr(
        traffic, "open_ctl", lambda state, link_hash, frame: open_ctl(replace(state, retired=None), link_hash, frame)
    )


@pytest.mark.parametrize(
    ("plant", "left"),
    [
        (hi_does_not_promote_at_hello, Left(links=1, messages=0, renewals=1)),
        (lo_forgets_the_old_epoch_at_once, Left(links=0, messages=1, renewals=1)),
        (the_ratchet_moves_in_memory_only, Left(links=0, messages=1, renewals=0)),
        (lo_ignores_that_hi_lost_the_epoch, Left(links=0, messages=0, renewals=2)),
        (control_frames_end_with_their_epoch, Left(links=0, messages=1, renewals=1)),
    ],
)
def test_it_finds_a_planted_bug(
    monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None], left: Left
) -> None:
    begun = friends(left)
    plant(monkeypatch)
    with pytest.raises(Found) as found:
        Search(TO_THE_END).run(begun)
    print(f"\n{plant.__name__}: {found.value}")
