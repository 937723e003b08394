"""What is asked again and again never walks through a whole table."""

from collections.abc import Callable

import pytest

from p2pchat.ids import Incarnation
from p2pchat.store import contacts, events, inbox, messages, names, outbox, readers, tails
from p2pchat.store.contacts import Contact
from p2pchat.store.tx import Tx, Value
from tests.support.stores import THEM, digest, draft, incoming, message_id

# Small by nature: a few rows a contact, or a hundred contacts; read at a start or by a person.
SMALL = ("contacts", "out_queues", "q", "p", "in_queues", "sqlite_sequence")

CALLS: dict[str, Callable[[Tx, int], object]] = {
    "enqueue": lambda tx, bob: tails.enqueue(tx, draft("x", number=9, expires_at_ms=5), [bob], digest),
    "outbox.after": lambda tx, bob: outbox.after(tx, bob, 0, 64),
    "outbox.fitting": lambda tx, bob: outbox.fitting(tx, bob, 0, 64, 9),
    "mark_sent": lambda tx, bob: outbox.mark_sent(tx, bob, 1),
    "mark_delivered": lambda tx, bob: outbox.mark_delivered(tx, bob, 1, 5),
    "mark_read": lambda tx, bob: outbox.mark_read(tx, bob, 1, 5),
    "cancel": lambda tx, bob: outbox.cancel(tx, message_id(2), 5),
    "expire": lambda tx, bob: outbox.expire(tx, 100),
    "next_expiry": lambda tx, bob: outbox.next_expiry_ms(tx),
    "renumber": lambda tx, bob: outbox.renumber(tx, bob, Incarnation(bytes(8)), digest),
    "waiting": lambda tx, bob: outbox.waiting(tx, limit=9),
    "outbox.count": lambda tx, bob: outbox.count(tx),
    "outbox.message_at": lambda tx, bob: outbox.message_at(tx, bob, 1),
    "inbox.message_at": lambda tx, bob: inbox.message_at(tx, bob, 1),
    "remembered": lambda tx, bob: outbox.remembered(tx, "key"),
    "prune_keys": lambda tx, bob: outbox.prune_keys(tx, 5),
    "insert": lambda tx, bob: inbox.insert(tx, bob, incoming("x", 9), 5),
    "adopt": lambda tx, bob: inbox.adopt(tx, bob, Incarnation(b"newlife!"), 0),
    "withdraw": lambda tx, bob: inbox.withdraw(tx, bob, THEM, message_id(1001), 5),
    "history": lambda tx, bob: messages.history(tx, bob, limit=9),
    "before_last": lambda tx, bob: messages.before_last(tx, bob, 9),
    "by_id": lambda tx, bob: messages.by_id(tx, message_id(1)),
    "names.message, a whole id": lambda tx, bob: names.message(tx, message_id(1).hex()),
    "events": lambda tx, bob: events.after(tx, 0, limit=9),
    "events of one": lambda tx, bob: events.after(tx, 0, limit=9, contact=bob),
    "all events": lambda tx, bob: events.after(tx, 0, limit=9, messages_only=False),
    "confirm": lambda tx, bob: readers.confirm(tx, "cli", 1, 5),
    "by_user": lambda tx, bob: contacts.by_user(tx, contacts.every(tx)[0].user),
}


@pytest.mark.parametrize("name", CALLS)
def test_no_hot_statement_walks_through_a_table(tx: Tx, bob: Contact, name: str) -> None:
    for number in (1, 2):
        tails.enqueue(tx, draft("x", number=number, expires_at_ms=7), [bob.id], digest)
        inbox.insert(tx, bob.id, incoming("y", number), 3)
    db = tx._db
    statements: list[tuple[str, tuple[Value, ...]]] = []

    def note(_: object, sql: str, values: tuple[Value, ...]) -> bool:
        statements.append((sql, values))
        return True

    db.exec_trace = note
    CALLS[name](tx, bob.id)
    db.exec_trace = None
    assert statements
    for sql, values in statements:
        steps = [row[3] for row in db.execute("EXPLAIN QUERY PLAN " + sql, values)]
        walks = [step for step in steps if step.startswith("SCAN") and step.split()[1] not in SMALL]
        assert [step for step in walks if "USING COVERING INDEX expiries" not in step] == [], sql
