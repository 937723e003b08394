from dataclasses import replace

import pytest

from p2pchat.ids import DeviceId
from p2pchat.store import events, inbox, messages
from p2pchat.store.contacts import Contact
from p2pchat.store.inbox import Seen
from p2pchat.store.tx import INTEGER_MAX, Tx
from tests.support.stores import THEM, incoming, life, message_id


def texts(tx: Tx, bob: Contact) -> list[str]:
    return [one.text for one in messages.history(tx, bob.id, limit=99)]


def test_a_message_is_stored_once_and_makes_one_event(tx: Tx, bob: Contact) -> None:
    one = incoming("hello", 1)
    assert inbox.insert(tx, bob.id, one, 5) is Seen.NEVER
    assert inbox.insert(tx, bob.id, one, 6) is Seen.SAME
    assert inbox.insert(tx, bob.id, replace(one, number=2), 6) is Seen.SAME  # sent again under another number
    assert texts(tx, bob) == ["hello"]
    (event,) = events.after(tx, 0, limit=9)
    assert (event.type, event.text, event.at_ms, event.user) == ("message", "hello", 5, bob.user)


def test_H025_the_same_id_with_another_content_keeps_the_first(tx: Tx, bob: Contact) -> None:
    inbox.insert(tx, bob.id, incoming("first", 1), 5)
    assert inbox.insert(tx, bob.id, incoming("other", 2, message=1001), 6) is Seen.OTHER
    assert inbox.insert(tx, bob.id, replace(incoming("first", 2, message=1001), kind=77), 6) is Seen.OTHER
    assert texts(tx, bob) == ["first"]
    assert len(events.after(tx, 0, limit=9, messages_only=False)) == 1


def test_an_id_belongs_to_its_sender_and_device(tx: Tx, bob: Contact, eve: Contact) -> None:
    one = incoming("mine", 1)
    inbox.insert(tx, bob.id, one, 5)
    assert inbox.insert(tx, eve.id, replace(one, content=b"hers"), 5) is Seen.NEVER
    assert inbox.insert(tx, bob.id, replace(one, content=b"from my other device", device=DeviceId(b"o" * 16)), 5) is (
        Seen.NEVER
    )
    assert texts(tx, eve) == ["hers"]


def test_the_cursor_moves_on_only(tx: Tx, bob: Contact) -> None:
    inbox.adopt(tx, bob.id, life(3), 0)
    inbox.advance(tx, bob.id, 4)
    inbox.advance(tx, bob.id, 2)
    found = inbox.queue(tx, bob.id)
    assert found is not None and (found.incarnation, found.have) == (life(3), 4)
    inbox.adopt(tx, bob.id, life(3), 3)
    inbox.adopt(tx, bob.id, life(3), 9)
    found = inbox.queue(tx, bob.id)
    assert found is not None and found.have == 9


def test_a_new_life_of_the_queue_forgets_the_numbers_of_the_former(tx: Tx, bob: Contact) -> None:
    inbox.adopt(tx, bob.id, life(3), 0)
    inbox.insert(tx, bob.id, incoming("old", 1), 5)
    inbox.advance(tx, bob.id, 1)
    assert inbox.message_at(tx, bob.id, 1) == message_id(1001)
    inbox.adopt(tx, bob.id, life(4), 0)
    found = inbox.queue(tx, bob.id)
    assert found is not None and (found.incarnation, found.have, found.read) == (life(4), 0, 0)
    assert inbox.message_at(tx, bob.id, 1) is None
    assert texts(tx, bob) == ["old"]


def test_a_withdrawn_message_is_a_tombstone(tx: Tx, bob: Contact) -> None:
    one = incoming("regretted", 1)
    inbox.insert(tx, bob.id, one, 5)
    assert inbox.withdraw(tx, bob.id, THEM, one.message, 6)
    assert not inbox.withdraw(tx, bob.id, THEM, one.message, 7)
    (shown,) = messages.history(tx, bob.id, limit=9)
    assert (shown.withdrawn, shown.content, shown.text, shown.size_bytes) == (True, None, "", 9)
    assert inbox.insert(tx, bob.id, one, 8) is Seen.SAME  # it does not come back
    assert tx.value("SELECT count(*) FROM contents") == 0
    assert tx.scrub
    assert [(one.type, one.message) for one in events.after(tx, 0, limit=9, messages_only=False)] == [
        ("withdrawn", one.message)
    ]


def test_nobody_withdraws_what_another_wrote(tx: Tx, bob: Contact, eve: Contact) -> None:
    one = incoming("bob's", 1)
    inbox.insert(tx, bob.id, one, 5)
    assert not inbox.withdraw(tx, eve.id, THEM, one.message, 6)
    assert not inbox.withdraw(tx, bob.id, DeviceId(b"o" * 16), one.message, 6)
    assert texts(tx, bob) == ["bob's"]


@pytest.mark.parametrize("field", ["clock", "sent_ms", "number", "expires_at_ms"])
def test_numbers_of_64_bits_are_stored(tx: Tx, bob: Contact, field: str) -> None:
    one = replace(incoming("far", 1), **{field: 2**64 - 1})  # type: ignore[arg-type]
    assert inbox.insert(tx, bob.id, one, 5) is Seen.NEVER
    column = tx.value(f"SELECT {field} FROM messages")
    assert column == INTEGER_MAX


def test_content_that_is_no_utf8_or_of_an_unknown_kind_is_kept(tx: Tx, bob: Contact) -> None:
    odd = replace(incoming("", 1), content=b"\xff\xfe")
    newer = replace(incoming("", 2), kind=99, content_type="application/x-new", content=b"{}")
    for one in (odd, newer):
        assert inbox.insert(tx, bob.id, one, 5) is Seen.NEVER
        assert inbox.insert(tx, bob.id, one, 5) is Seen.SAME
    assert [(one.kind, one.content, one.text) for one in messages.history(tx, bob.id, limit=9)] == [
        (1, b"\xff\xfe", ""),
        (99, b"{}", ""),
    ]
