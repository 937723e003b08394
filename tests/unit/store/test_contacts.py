import pytest

from p2pchat.errors import Exists
from p2pchat.ids import DeviceId, UserId, user_id_text
from p2pchat.store import channels, contacts, events, inbox, messages, outbox
from p2pchat.store.contacts import Contact, Objects, Tickets
from p2pchat.store.tx import Tx
from tests.support.stores import add_contact, incoming, life, new_contact, send


def test_a_contact_is_found_by_row_and_by_user(tx: Tx, bob: Contact) -> None:
    assert contacts.get(tx, bob.id) == contacts.by_user(tx, bob.user) == bob
    assert bob.user_text == user_id_text(bob.user)
    assert (bob.state, bob.accepted_ms, bob.channel, bob.verified) == ("accepted", 1000, "ok", False)
    assert contacts.get(tx, 99) is None
    assert contacts.by_user(tx, UserId(b"?" * 32)) is None


def test_every_contact_by_alias_nickname_id(tx: Tx, bob: Contact, eve: Contact) -> None:
    nameless = add_contact(tx, "a")
    ann = add_contact(tx, "z", alias="ann")
    contacts.set_state(tx, eve.id, "blocked", 1)
    assert [one.id for one in contacts.every(tx)] == [ann.id, bob.id, eve.id, nameless.id]
    assert [one.id for one in contacts.every(tx, "blocked", "incoming")] == [eve.id]
    assert contacts.count(tx, "accepted") == 3


def test_what_is_set_is_read_back(tx: Tx, bob: Contact) -> None:
    contacts.set_nickname(tx, bob.id, "B", 2)
    contacts.set_note(tx, bob.id, "hello", 3)
    contacts.set_verified(tx, bob.id, True, 4)
    contacts.set_channel(tx, bob.id, "healing", 5)
    contacts.set_lan(tx, bob.id, True, 6)
    contacts.set_avatar(tx, bob.id, b"png", 7)
    contacts.set_chain(tx, bob.id, b"log", b"set", 9, 8)
    contacts.set_addresses(tx, bob.id, b"record", 9)
    contacts.set_tickets(tx, bob.id, Tickets(b"mine", b"theirs"), 10)
    now = contacts.get(tx, bob.id)
    assert now is not None
    assert (now.nickname, now.note, now.verified, now.channel, now.lan) == ("B", "hello", True, "healing", True)
    assert (now.set_sequence, now.updated_ms) == (9, 10)
    assert contacts.avatar(tx, bob.id) == b"png"
    assert contacts.objects(tx, bob.id) == Objects(b"log", b"set", b"record")
    assert contacts.tickets(tx, bob.id) == Tickets(b"mine", b"theirs")


def test_a_friendship_keeps_its_first_moment(tx: Tx, bob: Contact) -> None:
    contacts.set_state(tx, bob.id, "blocked", 2000)
    contacts.set_state(tx, bob.id, "accepted", 3000)
    found = contacts.get(tx, bob.id)
    assert found is not None and found.accepted_ms == 1000


def test_a_request_is_no_friendship_yet(tx: Tx) -> None:
    new = contacts.NewContact(user=UserId(b"r" * 32), state="incoming", direction="in", via="link", incarnation=life(2))
    asked = contacts.add(tx, new, 5)
    assert asked.accepted_ms is None
    contacts.set_state(tx, asked.id, "accepted", 6)
    found = contacts.get(tx, asked.id)
    assert found is not None and found.accepted_ms == 6


def test_an_alias_is_borne_by_one(tx: Tx, bob: Contact, eve: Contact) -> None:
    with pytest.raises(Exists, match="alias 'bob'"):
        contacts.set_alias(tx, eve.id, "bob", 2)
    with pytest.raises(Exists, match="alias 'bob'"):
        add_contact(tx, "x", alias="bob")
    contacts.set_alias(tx, bob.id, "bob", 2)
    contacts.set_alias(tx, bob.id, None, 3)
    contacts.set_alias(tx, eve.id, "bob", 4)
    assert [one.alias for one in contacts.every(tx)] == ["bob", None]


def test_nobody_is_listed_twice(tx: Tx, bob: Contact) -> None:
    with pytest.raises(Exists, match="listed already"):
        contacts.add(tx, new_contact("b"), 2)


def test_a_removed_contact_leaves_its_messages_and_nothing_else(tx: Tx, bob: Contact, eve: Contact) -> None:
    (delivered,) = send(tx, "arrived", bob)
    outbox.mark_delivered(tx, bob.id, 1, 5)
    (lost,) = send(tx, "too late", bob)
    inbox.insert(tx, bob.id, incoming("hi", 1), 6)
    channels.put(tx, bob.id, DeviceId(b"d" * 16), b"state", 6)
    contacts.set_chain(tx, bob.id, b"log", b"set", 9, 6)
    contacts.set_tickets(tx, bob.id, Tickets(b"g", b"h"), 6)

    contacts.forget(tx, bob.id, 7)

    gone = contacts.by_user(tx, bob.user)
    assert gone is not None
    assert (gone.state, gone.alias, gone.accepted_ms, gone.set_sequence) == ("none", None, None, 0)
    assert contacts.objects(tx, bob.id) == Objects(b"", b"", b"")
    assert contacts.tickets(tx, bob.id) == Tickets(b"", b"")
    assert [one.id for one in contacts.every(tx)] == [eve.id]
    assert channels.of_contact(tx, bob.id) == {}
    assert outbox.queue(tx, bob.id) is None and inbox.queue(tx, bob.id) is None
    shown = {one.message: (one.text, one.state) for one in messages.history(tx, bob.id, limit=9)}
    assert shown[delivered.message] == ("arrived", "delivered")
    assert shown[lost.message] == ("too late", "failed")
    assert len(shown) == 3
    last = events.after(tx, 0, limit=9, messages_only=False)[-1]
    assert (last.message, last.fields["state"]) == (lost.message, "failed")


def test_a_removed_contact_comes_back_with_queues_of_a_new_life(tx: Tx, bob: Contact) -> None:
    send(tx, "before", bob)
    inbox.insert(tx, bob.id, incoming("hi", 1), 6)
    contacts.forget(tx, bob.id, 7)
    again = contacts.add(tx, new_contact("b", alias="bob"), 8)
    assert again.id == bob.id
    assert (again.nickname, again.accepted_ms, again.created_ms) == ("Bobby", 8, 8)
    assert outbox.after(tx, bob.id, 0, 9) == []
    (queued,) = send(tx, "after", again)
    assert queued.number == 1
    received = inbox.queue(tx, bob.id)
    assert received is not None and (received.incarnation, received.have) == (b"", 0)
    assert sorted(one.text for one in messages.history(tx, bob.id, limit=9)) == ["after", "before", "hi"]
