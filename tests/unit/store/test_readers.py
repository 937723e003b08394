from p2pchat.store import inbox, messages, readers
from p2pchat.store.contacts import Contact
from p2pchat.store.readers import EventReader
from p2pchat.store.tx import Tx
from tests.support.stores import incoming, life


def receive(tx: Tx, contact: Contact, *texts: str) -> None:
    inbox.adopt(tx, contact.id, life(5), 0)
    for number, text in enumerate(texts, 1):
        inbox.insert(tx, contact.id, incoming(text, number), 1)
        inbox.advance(tx, contact.id, number)


def read_upto(tx: Tx, contact: Contact) -> int:
    found = inbox.queue(tx, contact.id)
    assert found is not None
    return found.read


def test_a_new_reader_stands_before_the_oldest_event(tx: Tx) -> None:
    assert readers.get(tx, "cli") == EventReader("cli", 0, 0)


def test_confirming_moves_the_reader_and_marks_what_was_read(tx: Tx, bob: Contact, eve: Contact) -> None:
    receive(tx, bob, "b1", "b2")  # cursors 1, 2
    receive(tx, eve, "e1")  # cursor 3
    assert readers.confirm(tx, "cli", 1, 9) == [bob.id]
    assert readers.get(tx, "cli") == EventReader("cli", 1, 0)
    assert [one.state for one in messages.history(tx, bob.id, limit=9)] == ["read", "delivered"]
    assert (read_upto(tx, bob), read_upto(tx, eve)) == (1, 0)
    assert readers.confirm(tx, "cli", 3, 9) == [bob.id, eve.id]
    assert (read_upto(tx, bob), read_upto(tx, eve)) == (2, 1)


def test_a_reader_never_moves_back_nor_beyond_the_log(tx: Tx, bob: Contact) -> None:
    receive(tx, bob, "b1", "b2")
    readers.confirm(tx, "cli", 2, 9)
    assert readers.confirm(tx, "cli", 1, 9) == []
    assert readers.get(tx, "cli").cursor == 2
    assert readers.confirm(tx, "cli", 10**9, 9) == []
    assert readers.get(tx, "cli").cursor == 2
    assert readers.confirm(tx, "other", 10**9, 9) == []  # passed, but read before
    assert readers.get(tx, "other").cursor == 2


def test_a_reader_of_one_contact_reads_nothing_of_others(tx: Tx, bob: Contact, eve: Contact) -> None:
    receive(tx, eve, "e1")
    receive(tx, bob, "b1")
    assert readers.confirm(tx, "cli:bob", 2, 9, contact=bob.id) == [bob.id]
    assert (read_upto(tx, bob), read_upto(tx, eve)) == (1, 0)
    assert [one.state for one in messages.history(tx, eve.id, limit=9)] == ["delivered"]


def test_numbers_of_a_former_life_are_not_told(tx: Tx, bob: Contact) -> None:
    receive(tx, bob, "b1", "b2")
    inbox.adopt(tx, bob.id, life(6), 0)
    assert readers.confirm(tx, "cli", 2, 9) == []
    assert read_upto(tx, bob) == 0
    assert [one.state for one in messages.history(tx, bob.id, limit=9)] == ["read", "read"]


def test_failed_attempts_count_until_the_reader_moves(tx: Tx, bob: Contact) -> None:
    receive(tx, bob, "b1")
    for tries in (1, 2, 2):  # the last was told twice
        readers.failed(tx, "cli", tries, 9)
    assert readers.get(tx, "cli") == EventReader("cli", 0, 2)
    readers.confirm(tx, "cli", 1, 9)
    assert readers.get(tx, "cli") == EventReader("cli", 1, 0)
