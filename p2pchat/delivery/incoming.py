"""The inbox's side of one queue: which number is next, and what to do with a message that comes. Stored per contact.

The receiver commits, *then* acknowledges. ``have`` is both: what is committed and what receipts may say.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from p2pchat.errors import BadFormat
from p2pchat.ids import Incarnation
from p2pchat.wire.structs import Resume

UNKNOWN: Final = Incarnation(b"")


class Place(Enum):
    """Where a number stands to the cursor."""

    NEXT = "next"
    OLD = "old"
    AHEAD = "ahead"


class Seen(Enum):
    """What the store knows of (sender device, message id)."""

    NEVER = "never"
    SAME = "same"
    OTHER = "other"  # the same id with another content


class Action(Enum):
    SHOW = "show"  # insert, move the cursor, make the event
    SKIP = "skip"  # move the cursor only: shown already under an earlier number
    REFUSE = "refuse"  # move the cursor, warn: the id was used for something else before
    REPEAT = "repeat"  # change nothing, say the receipt again
    ASK = "ask"  # change nothing, say Resume again, once (receipts.Receipts)


@dataclass(frozen=True, slots=True, kw_only=True)
class InQueue:
    """One contact's incoming queue. Before the first Resume there is none: ``InQueue()``."""

    incarnation: Incarnation = UNKNOWN  # 8 bytes once known
    have: int = 0  # committed up to here
    previous: bytes = b""  # chain hash of the body at ``have``, 16 bytes; empty: not known

    def place(self, number: int) -> Place:
        if number == self.have + 1:
            return Place.NEXT
        return Place.OLD if number <= self.have else Place.AHEAD

    def advanced(self, chain: bytes = b"") -> "InQueue":
        """The cursor after the next number; commit it together with the message. ``chain``: its body's hash."""
        return replace(self, have=self.have + 1, previous=chain)

    def followed_by(self, previous: bytes) -> bool:
        """Whether the next body names the one that came before it. What is not known fits anything."""
        return not self.previous or previous == self.previous


@dataclass(frozen=True, slots=True)
class Adopted:
    queue: InQueue  # store it
    lost: tuple[int, int] | None  # numbers (first, last) that the peer no longer holds: tell the user


ACTIONS: Final[Mapping[tuple[Place, Seen], Action]] = {
    (Place.NEXT, Seen.NEVER): Action.SHOW,
    (Place.NEXT, Seen.SAME): Action.SKIP,
    (Place.NEXT, Seen.OTHER): Action.REFUSE,
    (Place.OLD, Seen.NEVER): Action.REPEAT,
    (Place.OLD, Seen.SAME): Action.REPEAT,
    (Place.OLD, Seen.OTHER): Action.REPEAT,
    (Place.AHEAD, Seen.NEVER): Action.ASK,
    (Place.AHEAD, Seen.SAME): Action.ASK,
    (Place.AHEAD, Seen.OTHER): Action.ASK,
}


def decide(queue: InQueue, number: int, seen: Seen) -> Action:
    """What to do with an opened message that bears ``number``."""
    return ACTIONS[queue.place(number), seen]


def adopt(queue: InQueue, peer: Resume) -> Adopted:
    """Take what the peer says of its outgoing queue. Raises BadFormat where it contradicts itself.

    A new life of the queue starts at its first held number. Numbers between my cursor and that are gone for good.
    """
    if peer.first > peer.tail + 1 or peer.first == 0:
        raise BadFormat("a queue holds numbers beyond its own tail")
    have = queue.have if peer.incarnation == queue.incarnation else 0
    lost = (have + 1, peer.first - 1) if peer.first > have + 1 else None
    if peer.incarnation == queue.incarnation and lost is None:
        return Adopted(queue, None)
    return Adopted(InQueue(incarnation=peer.incarnation, have=max(have, peer.first - 1)), lost)
