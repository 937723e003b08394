"""How two people become contacts, as a table: (state, event) -> state. A pair that is not in it is an error.

``NONE`` is somebody not listed. ``RESTORED`` came back with a friend ticket after I lost my list: messages pass, and
whether he stays is mine to say, as of a request. Requests that cross end in one friendship: a request from somebody
whom I have asked is his answer.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from p2pchat.errors import Failed, Forbidden, NotFound, P2PChatError


class State(Enum):
    """The value is the word that scripts see."""

    NONE = "none"
    REQUESTED = "requested"
    INCOMING = "incoming"
    ACCEPTED = "accepted"
    RESTORED = "restored"
    BLOCKED = "blocked"


class Event(Enum):
    """What happens to a contact: first what I do, then what the peer does. The value completes "cannot be ..."."""

    ADD = "added"
    ACCEPT = "accepted"
    REJECT = "rejected"
    BLOCK = "blocked"
    UNBLOCK_FRIEND = "unblocked"  # a friendship stood before the block
    UNBLOCK_STRANGER = "unblocked, having been no friend before"
    REMOVE = "removed"
    REQUEST_RECEIVED = "asked by the peer"
    ANSWER_ACCEPTED = "told that the peer accepted"
    ANSWER_REJECTED = "told that the peer declined"
    TICKET_SHOWN = "shown a friend ticket"  # one that is mine


_S, _E = State, Event

TRANSITIONS: Final[Mapping[tuple[State, Event], State]] = {
    (_S.NONE, _E.ADD): _S.REQUESTED,
    (_S.NONE, _E.BLOCK): _S.BLOCKED,
    (_S.NONE, _E.REQUEST_RECEIVED): _S.INCOMING,
    (_S.NONE, _E.TICKET_SHOWN): _S.RESTORED,
    (_S.REQUESTED, _E.ADD): _S.REQUESTED,  # takes newer addresses
    (_S.REQUESTED, _E.BLOCK): _S.BLOCKED,
    (_S.REQUESTED, _E.REMOVE): _S.NONE,
    (_S.REQUESTED, _E.REQUEST_RECEIVED): _S.ACCEPTED,  # crossing requests
    (_S.REQUESTED, _E.ANSWER_ACCEPTED): _S.ACCEPTED,
    (_S.REQUESTED, _E.ANSWER_REJECTED): _S.REQUESTED,  # what I queued stays mine until I remove it
    (_S.REQUESTED, _E.TICKET_SHOWN): _S.ACCEPTED,  # I accepted him once and have just added him again
    (_S.INCOMING, _E.ADD): _S.ACCEPTED,
    (_S.INCOMING, _E.ACCEPT): _S.ACCEPTED,
    (_S.INCOMING, _E.REJECT): _S.NONE,
    (_S.INCOMING, _E.BLOCK): _S.BLOCKED,
    (_S.INCOMING, _E.REMOVE): _S.NONE,
    (_S.INCOMING, _E.REQUEST_RECEIVED): _S.INCOMING,  # asked again, with a newer note
    (_S.INCOMING, _E.TICKET_SHOWN): _S.RESTORED,
    (_S.ACCEPTED, _E.ADD): _S.ACCEPTED,
    (_S.ACCEPTED, _E.ACCEPT): _S.ACCEPTED,
    (_S.ACCEPTED, _E.BLOCK): _S.BLOCKED,
    (_S.ACCEPTED, _E.REMOVE): _S.NONE,
    (_S.ACCEPTED, _E.REQUEST_RECEIVED): _S.ACCEPTED,  # my answer was lost: it is given again
    (_S.ACCEPTED, _E.ANSWER_ACCEPTED): _S.ACCEPTED,
    (_S.ACCEPTED, _E.ANSWER_REJECTED): _S.ACCEPTED,  # an answer from before we crossed
    (_S.ACCEPTED, _E.TICKET_SHOWN): _S.ACCEPTED,
    (_S.RESTORED, _E.ADD): _S.ACCEPTED,
    (_S.RESTORED, _E.ACCEPT): _S.ACCEPTED,
    (_S.RESTORED, _E.REJECT): _S.NONE,
    (_S.RESTORED, _E.BLOCK): _S.BLOCKED,
    (_S.RESTORED, _E.REMOVE): _S.NONE,
    (_S.RESTORED, _E.REQUEST_RECEIVED): _S.RESTORED,
    (_S.RESTORED, _E.ANSWER_ACCEPTED): _S.RESTORED,
    (_S.RESTORED, _E.ANSWER_REJECTED): _S.RESTORED,
    (_S.RESTORED, _E.TICKET_SHOWN): _S.RESTORED,
    (_S.BLOCKED, _E.BLOCK): _S.BLOCKED,
    (_S.BLOCKED, _E.UNBLOCK_FRIEND): _S.ACCEPTED,
    (_S.BLOCKED, _E.UNBLOCK_STRANGER): _S.NONE,
    (_S.BLOCKED, _E.REMOVE): _S.NONE,
    (_S.BLOCKED, _E.REQUEST_RECEIVED): _S.BLOCKED,  # whoever is blocked gets no answer and no sign
    (_S.BLOCKED, _E.ANSWER_ACCEPTED): _S.BLOCKED,
    (_S.BLOCKED, _E.ANSWER_REJECTED): _S.BLOCKED,
    (_S.BLOCKED, _E.TICKET_SHOWN): _S.BLOCKED,
}


def next_state(state: State, event: Event, called: str = "PEER") -> State:
    """Raises NotFound (nobody of that name), Forbidden (blocked) or Failed for a pair that is not in the table.

    ``called``: what the user may type for the contact, for the error's hint.
    """
    found = TRANSITIONS.get((state, event))
    if found is None:
        raise _refusal(state, event, called)
    return found


def _refusal(state: State, event: Event, called: str) -> P2PChatError:
    if state is State.NONE:
        return NotFound(f"nobody listed here can be {event.value}", hint="p2pchat contact list")
    if state is State.BLOCKED:
        return Forbidden(f"a blocked contact cannot be {event.value}", hint=f"p2pchat contact unblock {called}")
    return Failed(f"a contact in state {state.value} cannot be {event.value}", hint=f"p2pchat contact show {called}")
