"""Appending to outgoing queues: what one job queues for a contact is numbered and chained without a look back."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from p2pchat.store import messages
from p2pchat.store.outbox import Draft, Make, Outgoing
from p2pchat.store.tx import Tx


@dataclass(slots=True)
class _Tail:
    number: int
    previous: bytes
    reason: str


@dataclass(slots=True)
class Tails:
    """The ends of the queues that one job appends to: each is read once, and written once, by ``close``.

    ``make`` gives a message's body, which is kept for whoever seals it in the same transaction (``fresh``).
    """

    tx: Tx
    make: Make
    _tails: dict[int, _Tail] = field(default_factory=dict)

    def enqueue(self, draft: Draft, contacts: Sequence[int]) -> list[Outgoing]:
        """Queue ``draft`` for every contact, in order; they are listed (``contacts.add`` made their queues) and differ.

        The content is stored once for all.
        """
        content = messages.store_content(self.tx, draft.content_type, draft.content) if draft.content else None
        queued = []
        for contact in contacts:
            tail = self._tail(contact)
            tail.number += 1
            queued.append(_insert(self.tx, draft, contact, content, tail))
            self.tx.fresh[contact, tail.number], tail.previous = self.make(queued[-1])
        return queued

    def reason(self, contact: int) -> str:
        """Why the contact's whole queue waits; empty: nothing is wrong."""
        return self._tail(contact).reason

    def close(self) -> None:
        for contact, tail in self._tails.items():
            self.tx.execute(
                "UPDATE out_queues SET tail = ?, previous = ? WHERE contact = ?", tail.number, tail.previous, contact
            )

    def _tail(self, contact: int) -> _Tail:
        if contact not in self._tails:
            row = self.tx.one("SELECT tail, previous, reason FROM out_queues WHERE contact = ?", contact)
            assert row is not None
            self._tails[contact] = _Tail(*row)
        return self._tails[contact]


def enqueue(tx: Tx, draft: Draft, contacts: Sequence[int], make: Make) -> list[Outgoing]:
    """``Tails`` for one message."""
    tails = Tails(tx, make)
    queued = tails.enqueue(draft, contacts)
    tails.close()
    return queued


def fresh(tx: Tx, contact: int, number: int) -> bytes | None:
    """The encoded body of a message that this transaction queued and has not changed since."""
    return tx.fresh.get((contact, number))


def _insert(tx: Tx, d: Draft, contact: int, content: int | None, tail: _Tail) -> Outgoing:
    row = tx.insert(
        "INSERT INTO messages (contact, outgoing, message, device, clock, sent_ms, received_ms, kind, content_type,"
        " content, size_bytes, state, number, previous, expires_at_ms)"
        " VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?, ?)",
        *(contact, d.message, d.device, d.clock, d.sent_ms, d.sent_ms, d.kind, d.content_type),
        *(content, len(d.content), tail.number, tail.previous, d.expires_at_ms),
    )
    return Outgoing(
        *(row, contact, tail.number, d.message, d.device, d.clock, d.sent_ms, d.kind, d.content_type),
        *(d.content, d.expires_at_ms, tail.previous, False),
    )
