"""The states of one outgoing message, as a table. ``queued -> sent -> delivered -> read``, and ``failed``.

``sent`` = written to a link; ``delivered`` = the recipient's device has it on disk and said so; ``failed`` = cancelled
or expired before that. States only move on: a fact that comes late (the link's SENT after the peer's receipt, a receipt
for the void that took a cancelled message's place) changes nothing.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from p2pchat import limits


class State(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


class Fact(StrEnum):
    WRITTEN = "written"  # the gate wrote it to a carrier
    RECEIPT = "receipt"  # the peer's cursor reached it
    READ = "read"  # the peer's read cursor reached it
    CANCEL = "cancel"
    EXPIRE = "expire"


NEXT: Final[Mapping[tuple[State, Fact], State]] = {
    (State.QUEUED, Fact.WRITTEN): State.SENT,
    (State.QUEUED, Fact.RECEIPT): State.DELIVERED,  # a crash swallowed the SENT
    (State.QUEUED, Fact.READ): State.READ,
    (State.QUEUED, Fact.CANCEL): State.FAILED,
    (State.QUEUED, Fact.EXPIRE): State.FAILED,
    (State.SENT, Fact.RECEIPT): State.DELIVERED,
    (State.SENT, Fact.READ): State.READ,
    (State.SENT, Fact.CANCEL): State.FAILED,
    (State.SENT, Fact.EXPIRE): State.FAILED,
    (State.DELIVERED, Fact.READ): State.READ,
}


def after(state: State, fact: Fact) -> State:
    """The state once ``fact`` is known; unchanged where the table says nothing."""
    return NEXT.get((state, fact), state)


def withdrawal_needed(state: State) -> bool:
    """Whether ``message withdraw`` must also send a BODY_WITHDRAW.

    A queued message is simply voided. A sent one is voided for the case that it was lost and withdrawn for the case
    that it arrived; a delivered one is withdrawn.
    """
    return state in {State.SENT, State.DELIVERED, State.READ}


def clamp_expiry_s(wanted_s: float) -> float:
    """``send --expires``, kept within 1 minute and 1 year."""
    least, most = limits.EXPIRY_S
    return min(max(wanted_s, float(least)), float(most))


def has_expired(state: State, *, expires_at_ms: int, now_ms: int) -> bool:
    """Whether EXPIRE applies now. ``expires_at_ms`` 0 = never; the moment itself counts as expired."""
    return expires_at_ms != 0 and now_ms >= expires_at_ms and (state, Fact.EXPIRE) in NEXT
