import pytest

from p2pchat.store import inbox, messages, outbox, search
from p2pchat.store.contacts import Contact
from p2pchat.store.tx import Tx
from tests.support.stores import THEM, incoming, send


def found(tx: Tx, bob: Contact, query: str) -> list[str]:
    return [one.text for one in search.search(tx, bob.id, query, limit=99)]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("meet", ["Meet me at noon", "no meeting today"]),
        ("MEET noon", ["Meet me at noon"]),
        ("cafe", ["Café Ärger"]),
        ("ärger", ["Café Ärger"]),
        ("oon", []),  # the middle of a word
        ("today meet", ["no meeting today"]),
        ("don't", ["I don't"]),
        ("見", ["明日見る"]),
        ("日見", ["明日見る"]),
        ("", []),
        ("  ", []),
        ("?!", []),
        ('"', []),
        ("NEAR( a* OR", []),
        ("content:noon", []),
        ("meet\x00noon", ["Meet me at noon"]),
    ],
)
def test_words_are_found(tx: Tx, bob: Contact, query: str, wanted: list[str]) -> None:
    for text in ("Meet me at noon", "no meeting today", "Café Ärger", "I don't", "明日見る"):
        send(tx, text, bob)
    assert found(tx, bob, query) == wanted


def test_both_directions_in_the_order_of_the_clocks(tx: Tx, bob: Contact, eve: Contact) -> None:
    send(tx, "tea again", bob, eve, clock=20)
    inbox.insert(tx, bob.id, incoming("tea", 1, clock=10), 1)
    assert found(tx, bob, "tea") == ["tea", "tea again"]
    assert found(tx, eve, "tea") == ["tea again"]


def test_pages_and_the_last_matches(tx: Tx, bob: Contact) -> None:
    for number in range(1, 7):
        inbox.insert(tx, bob.id, incoming(f"{'odd' if number % 2 else 'even'} {number}", number), 1)
    first = search.search(tx, bob.id, "odd", limit=2)
    rest = search.search(tx, bob.id, "odd", after=first[-1].position, limit=9)
    assert [one.text for one in first + rest] == ["odd 1", "odd 3", "odd 5"]
    start = search.before_last(tx, bob.id, "odd", 1)
    assert [one.text for one in search.search(tx, bob.id, "odd", after=start, limit=9)] == ["odd 5"]
    assert search.before_last(tx, bob.id, "odd", 3) is None
    assert search.before_last(tx, bob.id, "", 0) is None


def test_what_was_deleted_is_not_found(tx: Tx, bob: Contact) -> None:
    (queued,) = send(tx, "secret one", bob)
    inbox.insert(tx, bob.id, incoming("secret two", 1), 1)
    outbox.cancel(tx, queued.message, 2)
    inbox.withdraw(tx, bob.id, THEM, incoming("", 1).message, 3)
    assert found(tx, bob, "secret") == []
    assert tx.value("SELECT count(*) FROM texts WHERE texts MATCH 'secret'") == 0
    tx.execute("INSERT INTO texts (texts, rank) VALUES ('integrity-check', 1)")  # raises where the index disagrees
    assert len(messages.history(tx, bob.id, limit=9)) == 2
