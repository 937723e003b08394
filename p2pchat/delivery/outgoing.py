"""The outbox's side of one queue: numbers given out, what the peer has, what a Resume means. Stored per contact.

Numbers run from 1 without a gap in each incarnation; everything up to ``delivered`` is let go, the rest is held and
sent again over every new link. A number whose message was cancelled or expired is filled by a void body.
"""

from dataclasses import dataclass, replace

from p2pchat.errors import BadFormat
from p2pchat.ids import Incarnation
from p2pchat.wire.structs import Receipt, Resume


@dataclass(frozen=True, slots=True, kw_only=True)
class OutQueue:
    """One contact's outgoing queue. ``read <= delivered <= tail``."""

    incarnation: Incarnation  # 8 random bytes: this life of the queue
    tail: int = 0  # highest number given out
    delivered: int = 0  # the peer has committed up to here
    read: int = 0

    @property
    def first(self) -> int:
        """Lowest number still held, or tail + 1."""
        return self.delivered + 1

    def next_number(self) -> tuple[int, "OutQueue"]:
        """(number for one more message, the queue to store with it)."""
        return self.tail + 1, replace(self, tail=self.tail + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """What a peer's Resume means for my queue."""

    queue: OutQueue  # store it
    send_from: int  # hand this number out next (flow.Flow.resumed)
    renumber_by: int = 0  # > 0: held numbers n become n - renumber_by, in the new incarnation
    delivered: tuple[int, int] | None = None  # numbers (first, last) that just became delivered
    reset: bool = False  # my store is old: agree a new epoch in mode reset, then say Resume (which names the new life)
    lost: tuple[int, int] | None = None  # the peer lacks these numbers (first, last) and I no longer hold them: tell
    forgotten: tuple[int, int] | None = None  # it acknowledged these and does not know the queue: it may lack them


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    queue: OutQueue  # store it
    delivered: tuple[int, int] | None  # numbers (first, last) that just became delivered
    read: tuple[int, int] | None

    @property
    def count(self) -> int:
        """How many just became delivered."""
        return self.delivered[1] - self.delivered[0] + 1 if self.delivered else 0


def resumed(queue: OutQueue, peer: Resume, *, fresh: Incarnation, mine_at_have: bytes = b"") -> Resumed:
    """Take the peer's cursor. ``fresh``: 8 random bytes, used only where my own store proves to be old.

    ``mine_at_have``: the message to which I gave the number ``peer.have``, or empty if that is no longer known. Where
    the peer has a number that I never gave out, or another message under it, I run on an old copy of my store.
    """
    if peer.have_incarnation != queue.incarnation:  # the peer knows nothing of this life
        return Resumed(queue=queue, send_from=queue.first, forgotten=_span(0, queue.delivered))
    if peer.have > queue.tail or (mine_at_have and peer.have_message and mine_at_have != peer.have_message):
        return _reborn(queue, fresh)
    if peer.have < queue.delivered:
        return Resumed(queue=queue, send_from=queue.first, lost=(peer.have + 1, queue.delivered))
    return Resumed(
        queue=replace(queue, delivered=peer.have),
        send_from=peer.have + 1,
        delivered=_span(queue.delivered, peer.have),
    )


def acknowledged(queue: OutQueue, receipt: Receipt) -> Acknowledged:
    """Take a cumulative receipt: the maximum wins, one of another life says nothing.

    Raises BadFormat where it names a number that was never given out.
    """
    if receipt.incarnation != queue.incarnation:
        return Acknowledged(queue=queue, delivered=None, read=None)
    if receipt.delivered > queue.tail:
        raise BadFormat("a receipt names a message that was never sent")
    delivered = max(queue.delivered, receipt.delivered)
    read = max(queue.read, min(receipt.read, delivered))
    return Acknowledged(
        queue=replace(queue, delivered=delivered, read=read),
        delivered=_span(queue.delivered, delivered),
        read=_span(queue.read, read),
    )


def _reborn(queue: OutQueue, fresh: Incarnation) -> Resumed:
    """A new life: what is held gets the numbers from 1 on. The peer knows by their ids those that it has already."""
    held = queue.tail - queue.delivered
    new = OutQueue(incarnation=fresh, tail=held)
    return Resumed(queue=new, send_from=1, renumber_by=queue.delivered, reset=True)


def _span(before: int, now: int) -> tuple[int, int] | None:
    return (before + 1, now) if now > before else None
