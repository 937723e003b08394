"""What a ``Peer`` of the vault under test says of its own queue: where a message stands in it, and where it goes on."""

from typing import Final

from p2pchat.delivery.body import FIRST, Slot, pair_conversation
from p2pchat.ids import Incarnation, MessageId
from p2pchat.wire.structs import CTL_RESUME, Ctl, CtlItem, Resume
from tests.support.vaults import Peer

LIFE: Final = Incarnation(b"the life")
NEVER: Final = Incarnation(b"")  # nothing of the other queue is known


def slot(peer: Peer, number: int, *, written_ms: int | None = None, previous: bytes = FIRST) -> Slot:
    """Of message ``number`` to the vault, which is its id, its clock and, unless told, its time."""
    return Slot(
        message=MessageId(number.to_bytes(16)),
        conversation=pair_conversation(peer.own.user, peer.identity.user),
        clock=number,
        sent_ms=number if written_ms is None else written_ms,
        device=peer.identity.device.device,
        sequence=number,
        previous=previous,
    )


async def say_resume(
    peer: Peer, *, tail: int = 0, life: Incarnation = LIFE, theirs: Incarnation = NEVER, have: int = 0
) -> None:
    """Messages 1 to ``tail`` are in the peer's queue, and it has ``have`` of the vault's queue ``theirs``."""
    resume = Resume(incarnation=life, first=1, tail=tail, have_incarnation=theirs, have=have)
    await peer.say(Ctl(items=(CtlItem(kind=CTL_RESUME, body=resume.encode()),)))
