"""Named, durable readers of the event log: each goes on after the last event it confirmed."""

from dataclasses import dataclass

from p2pchat.store import events, pruning
from p2pchat.store.tx import Reader, Tx


@dataclass(frozen=True, slots=True)
class EventReader:
    name: str
    cursor: int  # confirmed up to here
    tries: int  # failed attempts at the event that follows (``recv --exec``)


def get(reader: Reader, name: str) -> EventReader:
    """A reader that was never seen stands before the oldest event."""
    row = reader.one("SELECT name, cursor, tries FROM readers WHERE name = ?", name)
    return EventReader(*row) if row else EventReader(name, 0, 0)


def rename(tx: Tx, name: str, new: str) -> None:
    """It goes on under another name, unless there is one of that name."""
    tx.execute("UPDATE OR IGNORE readers SET name = ? WHERE name = ?", new, name)


def confirm(tx: Tx, name: str, cursor: int, now_ms: int, *, contact: int | None = None) -> list[int]:
    """Everything up to ``cursor`` was dealt with; never moves a reader back, nor beyond the log.

    Messages that it passed (those of ``contact`` alone, if the reader sees no others) become ``read``. Returns the
    contacts of whom something new was read: receipts may tell them.
    """
    before = get(tx, name).cursor
    upto = min(cursor, events.last_cursor(tx))
    if upto <= before:
        return []
    tx.execute(
        "INSERT INTO readers VALUES (?, ?, 0, ?) ON CONFLICT (name) DO UPDATE"
        " SET cursor = excluded.cursor, tries = 0, updated_ms = excluded.updated_ms",
        *(name, upto, now_ms),
    )
    pruning.told(tx, name, upto)
    return _mark_read(tx, before, upto, contact)


def failed(tx: Tx, name: str, tries: int, now_ms: int) -> None:
    """So many attempts at the next event have failed; told twice it counts once."""
    tx.execute(
        "INSERT INTO readers VALUES (?1, 0, ?2, ?3) ON CONFLICT (name) DO UPDATE"
        " SET tries = max(tries, excluded.tries), updated_ms = excluded.updated_ms",
        *(name, tries, now_ms),
    )


def _mark_read(tx: Tx, before: int, upto: int, contact: int | None) -> list[int]:
    rows = tx.all(
        "UPDATE messages SET state = 'read' WHERE outgoing = 0 AND state = 'delivered' AND id IN"
        " (SELECT message FROM events INDEXED BY message_events WHERE type = 'message' AND cursor > ?1 AND cursor <= ?2"
        " AND (?3 IS NULL OR contact = ?3)) RETURNING contact, number",
        *(before, upto, contact),
    )
    highest: dict[int, int] = {}
    for of, number in rows:
        highest[of] = max(highest.get(of, 0), number or 0)
    moved = [
        of
        for of, number in highest.items()
        if tx.execute("UPDATE in_queues SET read = ?1 WHERE contact = ?2 AND read < ?1", number, of)
    ]
    return sorted(moved)
