from p2pchat.store import events, inbox, outbox
from p2pchat.store.contacts import Contact
from p2pchat.store.tx import Tx
from tests.support.stores import THEM, incoming, send


def test_cursors_rise_by_one_and_are_never_given_out_again(tx: Tx, bob: Contact) -> None:
    assert events.last_cursor(tx) == 0
    first = events.append(tx, "warning", 5, fields={"text": "clock"})
    assert (first, events.append(tx, "contact-request", 6, contact=bob.id)) == (1, 2)
    assert events.last_cursor(tx) == 2
    tx.execute("DELETE FROM events")
    assert events.append(tx, "warning", 7) == 3


def test_an_event_bears_what_it_speaks_of(tx: Tx, bob: Contact) -> None:
    events.append(tx, "warning", 5, fields={"text": "ü", "n": 1, "ok": True, "none": None})
    inbox.insert(tx, bob.id, incoming("hi", 1), 7)
    warning, message = events.after(tx, 0, limit=9, messages_only=False)
    assert (warning.type, warning.contact, warning.user, warning.message) == ("warning", None, None, None)
    assert warning.fields == {"text": "ü", "n": 1, "ok": True, "none": None}
    assert (message.cursor, message.at_ms, message.user, message.nickname) == (2, 7, bob.user, "Bobby")
    assert (message.text, message.sent_ms, message.kind, message.fields) == ("hi", 1, 1, {})


def test_a_reader_may_want_less(tx: Tx, bob: Contact, eve: Contact) -> None:
    inbox.insert(tx, bob.id, incoming("b1", 1), 1)
    inbox.insert(tx, eve.id, incoming("e1", 1), 1)
    events.append(tx, "key-changed", 2, contact=bob.id)
    events.append(tx, "warning", 2)
    inbox.insert(tx, bob.id, incoming("b2", 2), 3)

    def cursors(cursor: int = 0, limit: int = 9, messages_only: bool = True, contact: int | None = None) -> list[int]:
        found = events.after(tx, cursor, limit=limit, messages_only=messages_only, contact=contact)
        return [one.cursor for one in found]

    assert cursors() == [1, 2, 5]
    assert cursors(1) == [2, 5]
    assert cursors(1, 1) == [2]
    assert cursors(messages_only=False) == [1, 2, 3, 4, 5]
    assert cursors(contact=bob.id) == [1, 5]
    assert cursors(contact=bob.id, messages_only=False) == [1, 3, 5]
    assert cursors(contact=eve.id, messages_only=False) == [2]
    assert cursors(5) == []


def test_a_delivery_shows_no_text(tx: Tx, bob: Contact) -> None:
    (queued,) = send(tx, "hello", bob)
    outbox.mark_delivered(tx, bob.id, 1, 5)
    (event,) = events.after(tx, 0, limit=9, messages_only=False)
    assert (event.type, event.message, event.user, event.text) == ("delivery", queued.message, bob.user, "")
    assert event.fields == {"state": "delivered"}


def test_what_was_withdrawn_unread_is_not_shown(tx: Tx, bob: Contact) -> None:
    inbox.insert(tx, bob.id, incoming("gone", 1), 1)
    inbox.insert(tx, bob.id, incoming("here", 2), 1)
    inbox.withdraw(tx, bob.id, THEM, incoming("", 1).message, 2)
    assert [one.text for one in events.after(tx, 0, limit=9)] == ["here"]
    assert [one.type for one in events.after(tx, 0, limit=9, contact=bob.id, messages_only=False)] == [
        "message",
        "withdrawn",
    ]
