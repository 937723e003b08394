"""Messages of both directions, one row a message and contact: reading them, deleting what they say."""

from dataclasses import dataclass
from typing import Final, Literal

from p2pchat.ids import DeviceId, MessageId, UserId
from p2pchat.store.tx import Reader, Row, Tx
from p2pchat.wire.structs import BODY_WITHDRAW

State = Literal["queued", "sent", "delivered", "read", "failed"]


@dataclass(frozen=True, slots=True)
class Message:
    """A message as one contact's history has it. Field order = ``COLUMNS``."""

    row: int
    contact: int
    user: UserId  # the contact's
    outgoing: bool
    message: MessageId
    device: DeviceId  # the sender's
    clock: int
    sent_ms: int  # by the sender's clock
    received_ms: int  # when it was stored here
    kind: int  # wire.structs.BODY_...; an unknown one needs a newer version
    content_type: str
    content: str | bytes | None  # None where it was deleted
    size_bytes: int
    state: State  # an incoming one is delivered, or read
    reason: str  # why it failed, or waits
    expires_at_ms: int  # 0: never
    withdrawn: bool

    @property
    def text(self) -> str:
        """Empty where there is none (any more), or what came is no text."""
        return self.content if isinstance(self.content, str) else ""

    @property
    def position(self) -> "Position":
        return Position(self.clock, self.sent_ms, self.device, self.message)


# An outgoing row up to out_queues.sent was written to a link (schema/001.sql).
STATE: Final = "CASE WHEN m.state = 'queued' AND m.number <= q.sent THEN 'sent' ELSE m.state END"
REASON: Final = "CASE WHEN m.state = 'queued' AND m.reason = '' THEN coalesce(q.reason, '') ELSE m.reason END"
COLUMNS: Final = (
    "m.id, m.contact, p.user, m.outgoing, m.message, m.device, m.clock, m.sent_ms, m.received_ms, m.kind,"
    f" m.content_type, t.content, m.size_bytes, {STATE}, {REASON}, m.expires_at_ms, m.withdrawn"
)
TABLES: Final = (
    "messages m JOIN contacts p ON p.id = m.contact LEFT JOIN contents t ON t.id = m.content"
    " LEFT JOIN out_queues q ON q.contact = m.contact AND m.outgoing = 1"
)
BY_ID: Final = "substr(m.message, 14) = substr(?1, 14) AND m.message = ?1"  # as the index has it (schema/002.sql)
_ORDER: Final = "m.clock, m.sent_ms, m.device, m.message"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a history: hybrid clock, timestamp, sender (device), id (protocol.md 11)."""

    clock: int
    sent_ms: int
    device: DeviceId
    message: MessageId


def history(reader: Reader, contact: int, *, after: Position | None = None, limit: int) -> list[Message]:
    """What follows ``after`` (None: from the start), oldest first."""
    place = (after.clock, after.sent_ms, after.device, after.message) if after else (-1, -1, b"", b"")
    rows = reader.all(
        f"SELECT {COLUMNS} FROM {TABLES} WHERE m.contact = ? AND m.kind <> {BODY_WITHDRAW} AND m.clock >= ?"
        f" AND ({_ORDER}) > (?, ?, ?, ?) ORDER BY {_ORDER} LIMIT ?",
        *(contact, place[0], *place, limit),
    )
    return [from_row(row) for row in rows]


def before_last(reader: Reader, contact: int, count: int) -> Position | None:
    """The place from which ``history`` shows the last ``count`` messages; None: from the start."""
    row = reader.one(
        f"SELECT {_ORDER} FROM messages m WHERE m.contact = ? AND m.kind <> {BODY_WITHDRAW}"
        " ORDER BY m.clock DESC, m.sent_ms DESC, m.device DESC, m.message DESC LIMIT 1 OFFSET ?",
        *(contact, count),
    )
    return Position(*row) if row else None


def by_id(reader: Reader, message: MessageId) -> list[Message]:
    """One row a recipient of an own message, in the order given then; else one for each contact who sent the id.

    Ids are their senders' choice: a contact who sends an own id back changes nothing about the own message.
    """
    rows = [from_row(row) for row in reader.all(f"SELECT {COLUMNS} FROM {TABLES} WHERE {BY_ID} ORDER BY m.id", message)]
    return [row for row in rows if row.outgoing] or rows


def erase(tx: Tx, row: int) -> None:
    """Delete what a message says, from the search index too, unless another recipient's row still needs it."""
    content = tx.value("SELECT content FROM messages WHERE id = ?", row)
    if content is None:
        return
    tx.execute("UPDATE messages SET content = NULL WHERE id = ?", row)
    if tx.value("SELECT 1 FROM messages WHERE content = ?", content) is None:
        tx.execute("DELETE FROM contents WHERE id = ?", content)
        tx.scrub = True


def withdraw(tx: Tx, row: int) -> None:
    """Make a tombstone of a message: it stays in the history, says nothing, and is known as withdrawn."""
    tx.execute("UPDATE messages SET withdrawn = 1 WHERE id = ?", row)
    erase(tx, row)


def prune_tombstones(tx: Tx, before_ms: int) -> int:
    """Forget withdrawn incoming messages that were stored before ``before_ms``; how many they were.

    They are kept that long (``limits.DEDUPE_DAYS``) so that a message sent again is known. The newest row stays in any
    case: its number would be given out anew, and old events would speak of another message.
    """
    return tx.execute(
        "DELETE FROM messages WHERE outgoing = 0 AND withdrawn = 1 AND received_ms < ?"
        " AND id < (SELECT max(id) FROM messages)",
        before_ms,
    )


def from_row(row: Row) -> Message:
    values = list(row)
    values[3], values[16] = bool(values[3]), bool(values[16])
    return Message(*values)


def store_content(tx: Tx, content_type: str, content: bytes) -> int:
    """The id of what was stored: as text, and searchable, where it is text."""
    value: str | bytes = content
    if content_type.startswith("text/"):
        try:
            value = content.decode()
        except UnicodeDecodeError:
            value = content
    return tx.insert("INSERT INTO contents (content) VALUES (?)", value)
