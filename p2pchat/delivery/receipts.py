"""When to tell the peer how far I am: cumulative, coalesced, only what is committed. Lives with the link, in memory."""

from dataclasses import dataclass, replace

from p2pchat.delivery.incoming import InQueue
from p2pchat.delivery.outgoing import OutQueue
from p2pchat.wire.structs import Receipt, Resume


def resume_of(outgoing: OutQueue, incoming: InQueue, have_message: bytes = b"") -> Resume:
    """What to say when the epochs agree. Give the *committed* queues.

    ``have_message``: the id of the message that bears the number ``incoming.have``, or empty if it is not known (a
    void has none). It lets a peer notice that its store is old even if it has given the same numbers out again.
    """
    return Resume(
        incarnation=outgoing.incarnation,
        first=outgoing.first,
        tail=outgoing.tail,
        have_incarnation=incoming.incarnation,
        have=incoming.have,
        have_message=have_message,
    )


@dataclass(frozen=True, slots=True)
class Receipts:
    """What the peer was told over this link."""

    told: Receipt | None = None
    repeat: bool = False
    asked: bool = False  # a Resume is out because a number was skipped

    def wanted_again(self) -> "Receipts":
        """An old number came: the peer seems not to know what I have."""
        return replace(self, repeat=True)

    def ask(self) -> tuple[bool, "Receipts"]:
        """(whether to say Resume now, receipts afterwards): once for any run of numbers that lie ahead."""
        return not self.asked, replace(self, asked=True)

    def taken(self) -> "Receipts":
        """The next number came: a later gap may be asked about again."""
        return replace(self, asked=False) if self.asked else self

    def due(self, queue: InQueue, read: int = 0) -> tuple[Receipt | None, "Receipts"]:
        """(what to send now, receipts afterwards). Call after each commit, with the committed queue.

        ``read``: highest number that a reader passed, 0 where read receipts are off.
        """
        if not queue.have:
            return None, self
        receipt = Receipt(incarnation=queue.incarnation, delivered=queue.have, read=min(read, queue.have))
        if receipt == self.told and not self.repeat:
            return None, self
        return receipt, Receipts(receipt, repeat=False, asked=self.asked)
