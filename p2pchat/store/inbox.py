"""What comes from contacts: the cursor of each queue, and messages inserted once.

The rules are in ``delivery.incoming``. The caller puts ``insert`` and ``advance`` into one job, acknowledging after it.
"""

from dataclasses import dataclass
from enum import Enum

from p2pchat.ids import DeviceId, Incarnation, MessageId
from p2pchat.store import events, messages
from p2pchat.store.tx import Reader, Tx, integer


@dataclass(frozen=True, slots=True)
class Queue:
    """One contact's incoming queue. ``read <= have``."""

    incarnation: Incarnation  # 8 bytes; empty before the contact's first Resume
    have: int  # committed up to here
    read: int  # a durable reader passed everything up to here
    previous: bytes  # chain hash of the body at ``have``, 16 bytes; empty: not known
    paid_ms: int  # how far the contact's pace is used up (delivery.pace)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """An opened body, as it is stored."""

    message: MessageId
    device: DeviceId  # the sender's
    number: int
    clock: int
    sent_ms: int
    kind: int
    content_type: str
    content: bytes
    expires_at_ms: int = 0


class Seen(Enum):
    """What the store knows of (contact, sender device, message id)."""

    NEVER = "never"
    SAME = "same"
    OTHER = "other"  # the same id with another kind or content


def queue(reader: Reader, contact: int) -> Queue | None:
    """None for a contact that is not listed."""
    row = reader.one("SELECT incarnation, have, read, previous, paid_ms FROM in_queues WHERE contact = ?", contact)
    return Queue(*row) if row else None


def message_at(reader: Reader, contact: int, number: int) -> MessageId | None:
    """The message that bears a number of the contact's queue, in its present life; None where that is not known."""
    found = reader.value(
        "SELECT message FROM messages WHERE contact = ? AND outgoing = 0 AND number = ?", contact, integer(number)
    )
    return None if found is None else MessageId(found)


def heard_before(reader: Reader, contact: int) -> bool:
    """Whether the history holds anything from this contact, of whatever life of the queue."""
    return reader.value("SELECT 1 FROM messages WHERE contact = ? AND outgoing = 0 LIMIT 1", contact) is not None


def adopt(tx: Tx, contact: int, incarnation: Incarnation, have: int) -> None:
    """Take a Resume: a new life of the contact's queue, or a higher start in the same one."""
    known = tx.value("SELECT incarnation FROM in_queues WHERE contact = ?", contact)
    if known != incarnation:
        tx.execute(
            "UPDATE in_queues SET incarnation = ?, have = ?, read = 0, previous = x'' WHERE contact = ?",
            *(incarnation, have, contact),
        )
        tx.execute(
            "UPDATE messages SET number = NULL WHERE contact = ? AND outgoing = 0 AND number IS NOT NULL", contact
        )
    else:
        advance(tx, contact, have)


def advance(tx: Tx, contact: int, number: int, previous: bytes = b"") -> None:
    """Everything up to ``number`` is dealt with. ``previous``: chain hash of the body there, where it is known."""
    tx.execute(
        "UPDATE in_queues SET have = ?1, previous = ?3 WHERE contact = ?2 AND have < ?1",
        *(integer(number), contact, previous),
    )


def pay(tx: Tx, contact: int, paid_ms: int) -> None:
    """Keep how far the contact's pace is used up."""
    tx.execute("UPDATE in_queues SET paid_ms = ? WHERE contact = ?", paid_ms, contact)


def seen(reader: Reader, contact: int, incoming: Incoming) -> Seen:
    """Whether this message came before. A tombstone counts as the same, whatever it said."""
    row = reader.one(
        "SELECT m.kind, m.withdrawn, t.content FROM messages m LEFT JOIN contents t ON t.id = m.content"
        f" WHERE {messages.BY_ID} AND m.contact = ?2 AND m.device = ?3",
        *(incoming.message, contact, incoming.device),
    )
    if row is None:
        return Seen.NEVER
    kind, withdrawn, stored = row
    content = stored.encode() if isinstance(stored, str) else stored or b""
    same = withdrawn or (kind == incoming.kind and content == incoming.content)
    return Seen.SAME if same else Seen.OTHER


def insert(tx: Tx, contact: int, incoming: Incoming, now_ms: int) -> Seen:
    """Store a message and its ``message`` event, unless it was seen before (then nothing changes); what was known."""
    known = seen(tx, contact, incoming)
    if known is Seen.NEVER:
        add(tx, contact, incoming, now_ms)
    return known


def add(tx: Tx, contact: int, incoming: Incoming, now_ms: int) -> None:
    """Store a message of which ``seen`` has just said NEVER, and its ``message`` event."""
    row = _insert(tx, contact, incoming, now_ms)
    events.append(tx, "message", now_ms, contact=contact, message_row=row)


def withdraw(tx: Tx, contact: int, device: DeviceId, message: MessageId, now_ms: int) -> bool:
    """The sender takes ``message`` back: it becomes a tombstone, with an event; False where nothing had to be done."""
    row = tx.value(
        f"SELECT m.id FROM messages m WHERE {messages.BY_ID} AND m.contact = ?2 AND m.device = ?3 AND m.outgoing = 0"
        " AND m.withdrawn = 0",
        *(message, contact, device),
    )
    if row is None:
        return False
    messages.withdraw(tx, row)
    events.append(tx, "withdrawn", now_ms, contact=contact, message_row=row)
    return True


def _insert(tx: Tx, contact: int, incoming: Incoming, now_ms: int) -> int:
    i = incoming
    content = messages.store_content(tx, i.content_type, i.content) if i.content else None
    return tx.insert(
        "INSERT INTO messages (contact, outgoing, message, device, clock, sent_ms, received_ms, kind, content_type,"
        " content, size_bytes, state, number, expires_at_ms)"
        " VALUES (?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'delivered', ?, ?)",
        *(contact, i.message, i.device, integer(i.clock), integer(i.sent_ms), now_ms, i.kind, i.content_type),
        *(content, len(i.content), integer(i.number), integer(i.expires_at_ms)),
    )
