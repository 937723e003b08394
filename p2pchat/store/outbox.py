"""What goes to contacts: numbered queues, states, and what still waits.

The rules are in ``delivery.outgoing`` and ``delivery.lifecycle``; here they are statements over many rows. Every change
of a delivery that a user waits for also makes a ``delivery`` event.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from p2pchat.ids import DeviceId, Incarnation, MessageId, UserId
from p2pchat.store import events, messages
from p2pchat.store.messages import REASON, STATE, State
from p2pchat.store.tx import Reader, Row, Tx, integer
from p2pchat.wire.structs import BODY_TEXT


@dataclass(frozen=True, slots=True)
class Queue:
    """One contact's outgoing queue. ``read <= delivered <= tail``, ``sent <= tail``."""

    incarnation: Incarnation
    tail: int  # highest number given out
    sent: int  # written to a link up to here
    delivered: int
    read: int
    previous: bytes  # 16 bytes: what the next message names as ``previous``
    reason: str  # why the whole queue waits; empty: nothing is wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message to be queued for one or more contacts."""

    message: MessageId
    device: DeviceId  # my own
    clock: int
    sent_ms: int
    kind: int = BODY_TEXT
    content_type: str = "text/plain"
    content: bytes = b""
    expires_at_ms: int = 0  # 0: never


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One number of a queue, ready to be made a body of. Field order = ``_OUTGOING``."""

    row: int
    contact: int
    number: int
    message: MessageId
    device: DeviceId
    clock: int
    sent_ms: int
    kind: int
    content_type: str
    content: bytes
    expires_at_ms: int
    previous: bytes
    void: bool  # cancelled or expired: its number is filled by a void body


_OUTGOING: Final = (
    "m.id, m.contact, m.number, m.message, m.device, m.clock, m.sent_ms, m.kind, m.content_type,"
    " coalesce(t.content, x''), m.expires_at_ms, m.previous, m.void"
)


# What is not confirmed. CROSS JOIN: through the few queues to what each still holds, never through all messages.
_HELD: Final = (
    "out_queues q CROSS JOIN messages m ON m.contact = q.contact AND m.outgoing = 1 AND m.number > q.delivered"
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A line of ``outbox list``. Field order as selected in ``waiting``."""

    row: int
    contact: int
    user: UserId
    message: MessageId
    state: State  # queued | sent
    reason: str
    queued_ms: int
    size_bytes: int


Make = Callable[[Outgoing], tuple[bytes, bytes]]  # -> (encoded body, 16 bytes that the next one names as ``previous``)


def queue(reader: Reader, contact: int) -> Queue | None:
    """None for a contact that is not listed."""
    row = reader.one(
        "SELECT incarnation, tail, sent, delivered, read, previous, reason FROM out_queues WHERE contact = ?", contact
    )
    return Queue(*row) if row else None


def message_at(reader: Reader, contact: int, number: int) -> MessageId | None:
    """The message that bears a number of my queue's present life; None where that is not known (any more)."""
    found = reader.value(
        "SELECT message FROM messages WHERE contact = ? AND outgoing = 1 AND number = ?", contact, integer(number)
    )
    return None if found is None else MessageId(found)


def remembered(reader: Reader, key: str) -> MessageId | None:
    """The message that was first sent with this idempotency key."""
    found = reader.value("SELECT message FROM idempotency WHERE key = ?", key)
    return None if found is None else MessageId(found)


def remember(tx: Tx, key: str, message: MessageId, now_ms: int) -> None:
    """Bind an idempotency key, in the same job as ``enqueue``."""
    tx.execute("INSERT INTO idempotency VALUES (?, ?, ?)", key, message, now_ms)


def prune_keys(tx: Tx, before_ms: int) -> int:
    """Forget idempotency keys older than ``before_ms``; how many they were."""
    return tx.execute("DELETE FROM idempotency WHERE created_ms < ?", before_ms)


def after(reader: Reader, contact: int, number: int, limit: int) -> list[Outgoing]:
    """Numbers above ``number`` that the contact has not confirmed, in order, voids included."""
    rows = reader.all(
        f"SELECT {_OUTGOING} FROM messages m LEFT JOIN contents t ON t.id = m.content"
        " WHERE m.contact = ? AND m.outgoing = 1 AND m.number > ? ORDER BY m.number LIMIT ?",
        *(contact, number, limit),
    )
    return [_outgoing(row) for row in rows]


def fitting(reader: Reader, contact: int, number: int, limit: int, room_bytes: int) -> int:
    """How many messages above ``number`` go into that room by their texts alone; the last may stand out of it."""
    sizes = reader.all(
        "SELECT CASE WHEN void THEN 0 ELSE size_bytes END FROM messages"
        " WHERE contact = ? AND outgoing = 1 AND number > ? ORDER BY number LIMIT ?",
        *(contact, number, limit),
    )
    for count, (size,) in enumerate(sizes):
        if room_bytes <= 0:
            return count
        room_bytes -= size
    return len(sizes)


def mark_sent(tx: Tx, contact: int, upto: int) -> None:
    """Everything up to ``upto`` was written to a link."""
    tx.execute("UPDATE out_queues SET sent = ?1 WHERE contact = ?2 AND sent < ?1 AND tail >= ?1", upto, contact)


def mark_unsent(tx: Tx, contact: int) -> None:
    """What was written to a link came to nothing there: it waits again."""
    tx.execute("UPDATE out_queues SET sent = delivered WHERE contact = ?", contact)


def mark_delivered(tx: Tx, contact: int, upto: int, now_ms: int) -> int:
    """The contact has committed everything up to ``upto``, cumulative: how many messages changed their state.

    Nothing happens where that was known, or ``upto`` lies beyond the tail.
    """
    low = tx.value(
        "SELECT delivered FROM out_queues WHERE contact = ?1 AND delivered < ?2 AND tail >= ?2", contact, upto
    )
    if low is None:
        return 0
    tx.execute("UPDATE out_queues SET delivered = ?1, sent = max(sent, ?1) WHERE contact = ?2", upto, contact)
    return _advance(tx, contact, (low, upto), "queued", "delivered", now_ms)


def mark_read(tx: Tx, contact: int, upto: int, now_ms: int) -> int:
    """The contact's reader passed everything up to ``upto``: how many messages changed their state.

    Call it after ``mark_delivered``: nothing happens beyond what was delivered.
    """
    low = tx.value("SELECT read FROM out_queues WHERE contact = ?1 AND read < ?2 AND delivered >= ?2", contact, upto)
    if low is None:
        return 0
    tx.execute("UPDATE out_queues SET read = ?1 WHERE contact = ?2", upto, contact)
    return _advance(tx, contact, (low, upto), "delivered", "read", now_ms)


def cancel(tx: Tx, message: MessageId, now_ms: int, *, contact: int | None = None) -> list[int]:
    """Give up what is not delivered of a message (to ``contact`` alone, if given), and delete its text there.

    The rows that became ``failed``; their numbers will be filled by void bodies.
    """
    rows = tx.all(
        f"SELECT m.id FROM messages m WHERE {messages.BY_ID} AND m.outgoing = 1 AND m.state = 'queued'"
        " AND m.contact = coalesce(?2, m.contact)",
        *(message, contact),
    )
    for (row,) in rows:
        _fail(tx, row, "cancelled", now_ms)
        messages.erase(tx, row)
    return [row for (row,) in rows]


def expire(tx: Tx, now_ms: int, limit: int = 256) -> list[int]:
    """Fail what was to be delivered by ``now_ms``; the rows. The texts stay in the own history."""
    rows = tx.all(
        "SELECT id FROM messages WHERE outgoing = 1 AND state = 'queued' AND expires_at_ms > 0"
        " AND expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ?",
        *(now_ms, limit),
    )
    for (row,) in rows:
        _fail(tx, row, "expired", now_ms)
    return [row for (row,) in rows]


def abandon(tx: Tx, contact: int, reason: str, now_ms: int) -> list[int]:
    """Fail everything that is not delivered to ``contact``; the rows. The texts stay in the own history."""
    rows = tx.all(
        "SELECT id FROM messages WHERE contact = ? AND outgoing = 1 AND state = 'queued' ORDER BY id", contact
    )
    for (row,) in rows:
        _fail(tx, row, reason, now_ms)
    return [row for (row,) in rows]


def next_expiry_ms(reader: Reader) -> int | None:
    """When ``expire`` has something to do again."""
    found = reader.value(
        "SELECT min(expires_at_ms) FROM messages WHERE outgoing = 1 AND state = 'queued' AND expires_at_ms > 0"
    )
    return None if found is None else int(found)


def renumber(tx: Tx, contact: int, incarnation: Incarnation, make: Make) -> int:
    """Begin a new life of the queue: what is not delivered becomes 1, 2, ... in its order; how much that is.

    Bodies name their numbers, so each of them also names the one before it anew.
    """
    tx.fresh.clear()
    old = queue(tx, contact)
    assert old is not None
    tx.execute(
        "UPDATE messages SET number = CASE WHEN number > ?1 THEN number - ?1 END"
        " WHERE contact = ?2 AND outgoing = 1 AND number IS NOT NULL",
        *(old.delivered, contact),
    )
    tx.execute(
        "UPDATE out_queues SET incarnation = ?, tail = tail - delivered, sent = 0, delivered = 0, read = 0"
        " WHERE contact = ?",
        *(incarnation, contact),
    )
    previous = bytes(16)
    for held in after(tx, contact, 0, old.tail - old.delivered):
        tx.execute("UPDATE messages SET previous = ? WHERE id = ?", previous, held.row)
        _, previous = make(replace(held, previous=previous))
    tx.execute("UPDATE out_queues SET previous = ? WHERE contact = ?", previous, contact)
    return old.tail - old.delivered


def set_reason(tx: Tx, contact: int, reason: str) -> None:
    """Why the contact's whole queue waits; empty: nothing is wrong."""
    tx.execute("UPDATE out_queues SET reason = ?1 WHERE contact = ?2 AND reason <> ?1", reason, contact)


def waiting(reader: Reader, *, after_row: int = 0, limit: int, message: MessageId | None = None) -> list[Waiting]:
    """What is not delivered yet, oldest first; ``after_row`` continues a list."""
    rows = reader.all(
        f"SELECT m.id, m.contact, p.user, m.message, {STATE}, {REASON}, m.received_ms, m.size_bytes"
        f" FROM {_HELD} JOIN contacts p ON p.id = m.contact"
        f" WHERE m.state = 'queued' AND m.kind = {BODY_TEXT} AND m.id > ?1"
        " AND m.message = coalesce(?2, m.message) ORDER BY m.id LIMIT ?3",
        *(after_row, message, limit),
    )
    return [Waiting(*row) for row in rows]


def count(reader: Reader) -> int:
    """Deliveries that still wait."""
    return int(reader.value(f"SELECT count(*) FROM {_HELD} WHERE m.state = 'queued' AND m.kind = {BODY_TEXT}"))


def _advance(tx: Tx, contact: int, span: tuple[int, int], before: State, state: State, now_ms: int) -> int:
    """Numbers above span[0] up to span[1] in state ``before`` get ``state`` and an event each; how many they are."""
    changed = "contact = ?1 AND outgoing = 1 AND number > ?2 AND number <= ?3 AND state = ?4"
    tx.execute(
        "INSERT INTO events (type, contact, message, at_ms, fields)"
        f" SELECT 'delivery', contact, id, ?5, ?6 FROM messages WHERE {changed} AND kind = {BODY_TEXT} ORDER BY number",
        *(contact, *span, before, now_ms, json.dumps({"state": state})),
    )
    return tx.execute(f"UPDATE messages SET state = ?5 WHERE {changed}", contact, *span, before, state)


def _fail(tx: Tx, row: int, reason: str, now_ms: int) -> None:
    tx.fresh.clear()
    contact = tx.value(
        "UPDATE messages SET state = 'failed', reason = ?, void = 1 WHERE id = ? RETURNING contact", reason, row
    )
    fields = {"state": "failed", "reason": reason}
    events.append(tx, "delivery", now_ms, contact=contact, message_row=row, fields=fields)


def _outgoing(row: Row) -> Outgoing:
    values = list(row)
    values[9] = values[9].encode() if isinstance(values[9], str) else values[9]
    values[12] = bool(values[12])
    return Outgoing(*values)
