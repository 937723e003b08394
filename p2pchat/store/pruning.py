"""The event log does not grow for ever: old events go, and a reader that had not come to them is told how many.

Messages themselves stay in the history. A reader that still moves is waited for; one that has confirmed nothing since
``before_ms`` holds nothing back.
"""

from dataclasses import dataclass
from typing import Final

from p2pchat.store.tx import Reader, Tx

BATCH_EVENTS: Final = 1000  # deleted in one job: a few milliseconds of the writer
ANYBODY: Final = ""  # the reader that stands for all who are not known
OF_CONTACT: Final = "cli:"  # a reader of one contact alone bears its ID behind that (rpc/methods.py)


@dataclass(frozen=True, slots=True)
class Gap:
    """Events up to ``upto`` are gone; ``messages`` of them were messages that the reader had not confirmed."""

    upto: int
    messages: int


def gap(reader: Reader, name: str) -> Gap | None:
    """What the reader of that name has to be told. For one that was never seen: what nobody like it can see."""
    known = reader.one("SELECT 1 FROM readers WHERE name = ?", name)
    row = reader.one("SELECT upto, messages FROM gaps WHERE reader = ?", name if known else ANYBODY)
    return Gap(*row) if row else None


def told(tx: Tx, name: str, cursor: int) -> None:
    """The reader has confirmed everything up to ``cursor``, the word about its gap included."""
    tx.execute("DELETE FROM gaps WHERE reader = ? AND upto <= ?", name, cursor)


def prune(tx: Tx, before_ms: int) -> int:
    """Delete the oldest events, if they happened before ``before_ms``; how many. Call again while it is many."""
    upto = _end(tx, before_ms)
    if upto == 0:
        return 0
    readers = tx.all("SELECT name, cursor FROM readers WHERE cursor < ?", upto)
    for name, cursor in [(ANYBODY, 0), *readers]:
        _note(tx, name, cursor, upto)
    return tx.execute("DELETE FROM events WHERE cursor <= ?", upto)


def _end(tx: Tx, before_ms: int) -> int:
    """The last cursor that may go; 0: none. Clocks jump, so events count as old only behind older ones."""
    slowest = tx.value("SELECT min(cursor) FROM readers WHERE updated_ms >= ?", before_ms)
    upto = 0
    for cursor, at_ms in tx.all("SELECT cursor, at_ms FROM events ORDER BY cursor LIMIT ?", BATCH_EVENTS):
        if at_ms >= before_ms or (slowest is not None and cursor > slowest):
            break
        upto = cursor
    return upto


def _note(tx: Tx, name: str, cursor: int, upto: int) -> None:
    sql = "SELECT count(*), total(type = 'message') FROM events WHERE cursor > ? AND cursor <= ?"
    if name.startswith(OF_CONTACT):
        sql += " AND contact = (SELECT id FROM contacts WHERE user_text = ?)"
        row = tx.one(sql, cursor, upto, name.removeprefix(OF_CONTACT))
    else:
        row = tx.one(sql, cursor, upto)
    events, messages = row or (0, 0)
    if events:
        tx.execute(
            "INSERT INTO gaps VALUES (?, ?, ?) ON CONFLICT (reader) DO UPDATE"
            " SET upto = excluded.upto, messages = messages + excluded.messages",
            *(name, upto, int(messages)),
        )
