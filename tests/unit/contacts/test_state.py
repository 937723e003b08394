import itertools

import pytest

from p2pchat.contacts.state import TRANSITIONS, Event, State, next_state
from p2pchat.errors import Failed, Forbidden, NotFound

NONE, REQUESTED, INCOMING, ACCEPTED, RESTORED, BLOCKED = State
PEER_EVENTS = (Event.REQUEST_RECEIVED, Event.ANSWER_ACCEPTED, Event.ANSWER_REJECTED, Event.TICKET_SHOWN)


def _run(state: State, *events: Event) -> State:
    for event in events:
        state = next_state(state, event)
    return state


def test_asking_and_being_accepted() -> None:
    assert _run(NONE, Event.ADD, Event.ANSWER_ACCEPTED) is ACCEPTED
    assert _run(NONE, Event.REQUEST_RECEIVED, Event.ACCEPT) is ACCEPTED


def test_crossing_requests_end_in_one_friendship_on_both_sides() -> None:
    """Both add each other before either request arrives; every order of arrival ends accepted, and stays so."""
    for arrivals in itertools.permutations((Event.REQUEST_RECEIVED, Event.ANSWER_ACCEPTED)):
        assert _run(NONE, Event.ADD, *arrivals) is ACCEPTED


def test_adding_somebody_who_asked_is_accepting() -> None:
    assert _run(NONE, Event.REQUEST_RECEIVED, Event.ADD) is ACCEPTED


def test_nobody_becomes_a_friend_without_my_word() -> None:
    """From every state that I never said yes in, no run of the peer's events alone reaches ACCEPTED."""
    reached, frontier = {NONE, INCOMING, RESTORED, BLOCKED}, [NONE, INCOMING, RESTORED, BLOCKED]
    while frontier:
        state = frontier.pop()
        for event in PEER_EVENTS:
            following = TRANSITIONS.get((state, event))
            if following is not None and following not in reached:
                reached.add(following)
                frontier.append(following)
    assert ACCEPTED not in reached


def test_a_block_holds_against_everything_the_peer_does() -> None:
    for event in PEER_EVENTS:
        assert next_state(BLOCKED, event) is BLOCKED


def test_a_friend_stays_a_friend_whatever_the_peer_does() -> None:
    for event in PEER_EVENTS:
        assert next_state(ACCEPTED, event) is ACCEPTED


@pytest.mark.parametrize("state", [state for state in State if state is not NONE])
def test_everybody_listed_can_be_blocked_and_removed(state: State) -> None:
    assert next_state(state, Event.BLOCK) is BLOCKED
    assert next_state(state, Event.REMOVE) is NONE


def test_unblocking_gives_back_what_was_before() -> None:
    assert _run(ACCEPTED, Event.BLOCK, Event.UNBLOCK_FRIEND) is ACCEPTED
    assert _run(INCOMING, Event.BLOCK, Event.UNBLOCK_STRANGER) is NONE


def test_a_restored_contact_waits_for_my_word() -> None:
    assert _run(NONE, Event.TICKET_SHOWN) is RESTORED
    assert _run(RESTORED, Event.ACCEPT) is ACCEPTED


@pytest.mark.parametrize(
    ("state", "event", "error"),
    [
        (NONE, Event.ACCEPT, NotFound),
        (NONE, Event.REMOVE, NotFound),
        (NONE, Event.UNBLOCK_FRIEND, NotFound),
        (NONE, Event.ANSWER_ACCEPTED, NotFound),
        (BLOCKED, Event.ADD, Forbidden),
        (BLOCKED, Event.ACCEPT, Forbidden),
        (REQUESTED, Event.ACCEPT, Failed),
        (INCOMING, Event.ANSWER_ACCEPTED, Failed),
        (ACCEPTED, Event.REJECT, Failed),
        (ACCEPTED, Event.UNBLOCK_FRIEND, Failed),
    ],
)
def test_a_pair_outside_the_table_is_an_error_with_a_next_command(
    state: State, event: Event, error: type[Exception]
) -> None:
    with pytest.raises(error) as caught:
        next_state(state, event)
    assert type(caught.value) is error
    assert getattr(caught.value, "hint", "").startswith("p2pchat contact ")


def test_states_bear_the_words_of_the_contract() -> None:
    assert [state.value for state in State] == ["none", "requested", "incoming", "accepted", "restored", "blocked"]
