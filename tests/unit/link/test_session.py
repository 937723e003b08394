"""At most one link a peer, and the same one on both sides."""

import pytest

from p2pchat.ids import UserId
from p2pchat.link.session import TRANSITIONS, Admission, LinkEvent, LinkState, Sessions

SMALL, LARGE = UserId(b"\x01" * 32), UserId(b"\x02" * 32)


def test_a_first_link_stays() -> None:
    sessions = Sessions(SMALL)
    assert sessions.admit(LARGE, 1, initiator=True) == Admission(stays=True, replaces=None)
    assert sessions.link_of(LARGE) == 1
    assert sessions.state(LARGE) is LinkState.READY


@pytest.mark.parametrize("order", ["small first", "large first"])
def test_H036_both_sides_keep_the_link_that_the_smaller_id_dialled(order: str) -> None:
    small, large = Sessions(SMALL), Sessions(LARGE)
    by_small, by_large = 1, 2
    dials = [by_small, by_large] if order == "small first" else [by_large, by_small]
    for dial in dials:
        small.admit(LARGE, dial, initiator=dial == by_small)
        large.admit(SMALL, dial, initiator=dial == by_large)
    assert small.link_of(LARGE) == large.link_of(SMALL) == by_small


def test_who_dials_twice_gave_the_first_link_up() -> None:
    for initiator in (True, False):
        sessions = Sessions(SMALL)
        sessions.admit(LARGE, 1, initiator=initiator)
        assert sessions.admit(LARGE, 2, initiator=initiator) == Admission(stays=True, replaces=1)
        assert sessions.link_of(LARGE) == 2


def test_a_link_that_was_replaced_leaves_the_new_one_alone() -> None:
    sessions = Sessions(SMALL)
    sessions.admit(LARGE, 1, initiator=False)
    sessions.admit(LARGE, 2, initiator=True)
    assert sessions.remove(LARGE, 1) is False
    assert sessions.link_of(LARGE) == 2
    assert sessions.remove(LARGE, 2) is True
    assert sessions.state(LARGE) is LinkState.DISCONNECTED
    assert sessions.link_of(LARGE) is None


def test_only_a_try_that_would_lose_gives_way() -> None:
    small, large = Sessions(SMALL), Sessions(LARGE)
    assert not large.gives_way(SMALL)
    small.admit(LARGE, 1, initiator=False)
    large.admit(SMALL, 1, initiator=False)
    assert not small.gives_way(LARGE)
    assert large.gives_way(SMALL)


def test_an_outgoing_try_moves_through_the_table() -> None:
    sessions = Sessions(SMALL)
    path = [LinkEvent.DIAL, LinkEvent.CONNECTED, LinkEvent.CONNECTED, LinkEvent.AUTHENTICATED, LinkEvent.FAILED]
    seen = [sessions.on(LARGE, event) for event in path]
    s = LinkState
    assert seen == [s.CONNECTING, s.AUTHENTICATING, s.AUTHENTICATING, s.READY, s.READY]


def test_what_is_not_in_the_table_is_a_bug() -> None:
    sessions = Sessions(SMALL)
    with pytest.raises(KeyError):
        sessions.on(LARGE, LinkEvent.ENDED)
    sessions.on(LARGE, LinkEvent.DIAL)
    with pytest.raises(KeyError):
        sessions.on(LARGE, LinkEvent.DIAL)


def test_every_state_can_be_left() -> None:
    for state in LinkState:
        assert {after for (before, _), after in TRANSITIONS.items() if before is state} - {state}
