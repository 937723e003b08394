"""The event log: every event gets the next cursor in the transaction that made it true."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from p2pchat.ids import MessageId, UserId
from p2pchat.store.tx import Reader, Row, Tx

Fields = Mapping[str, str | int | bool | None]


@dataclass(frozen=True, slots=True)
class Event:
    """An event with what it speaks of. Field order = ``_COLUMNS``; the message's fields are None where it has none."""

    cursor: int
    type: str
    at_ms: int
    contact: int | None
    user: UserId | None  # the contact's
    nickname: str | None
    message: MessageId | None
    sent_ms: int | None
    kind: int | None
    content: str | bytes | None
    fields: dict[str, str | int | bool | None]  # further ones: state, reason, text, fingerprint

    @property
    def text(self) -> str:
        """A message's text; empty where there is none."""
        return self.content if isinstance(self.content, str) else ""


_COLUMNS: Final = (
    "e.cursor, e.type, e.at_ms, e.contact, p.user, p.nickname, m.message, m.sent_ms, m.kind,"
    " CASE WHEN e.type = 'message' THEN t.content END, e.fields"
)
_TABLES: Final = (
    " LEFT JOIN contacts p ON p.id = e.contact LEFT JOIN messages m ON m.id = e.message"
    " LEFT JOIN contents t ON t.id = m.content"
)
# A message that was withdrawn before a reader came to it is not shown any more; its 'withdrawn' event is, until the
# tombstone itself is forgotten.
_SHOWN: Final = "(e.message IS NULL OR m.id IS NOT NULL) AND NOT (e.type = 'message' AND m.withdrawn)"


def append(
    tx: Tx,
    kind: str,
    now_ms: int,
    *,
    contact: int | None = None,
    message_row: int | None = None,
    fields: Fields | None = None,
) -> int:
    """Add an event of type ``kind``; its cursor. ``fields`` are small: they stand in the row as JSON."""
    return tx.insert(
        "INSERT INTO events (type, contact, message, at_ms, fields) VALUES (?, ?, ?, ?, ?)",
        *(kind, contact, message_row, now_ms, json.dumps(fields, ensure_ascii=False) if fields else ""),
    )


def after(
    reader: Reader, cursor: int, *, limit: int, messages_only: bool = True, contact: int | None = None
) -> list[Event]:
    """Events that follow ``cursor``, oldest first; of one contact alone, if given."""
    index, conditions = "", ["e.cursor > ?1", _SHOWN]
    if contact is not None:
        index = "INDEXED BY contact_events"
        conditions.append("e.contact = ?3")
        conditions += ["e.type = 'message'"] if messages_only else []
    elif messages_only:
        index = "INDEXED BY message_events"
        conditions.append("e.type = 'message'")
    rows = reader.all(
        f"SELECT {_COLUMNS} FROM events e {index} {_TABLES} WHERE {' AND '.join(conditions)}"
        " ORDER BY e.cursor LIMIT ?2",
        *((cursor, limit) if contact is None else (cursor, limit, contact)),
    )
    return [_event(row) for row in rows]


def last_cursor(reader: Reader) -> int:
    """The newest cursor given out; 0 before the first event."""
    return int(reader.value("SELECT seq FROM sqlite_sequence WHERE name = 'events'") or 0)


def _event(row: Row) -> Event:
    values = list(row)
    values[-1] = json.loads(values[-1]) if values[-1] else {}
    return Event(*values)
