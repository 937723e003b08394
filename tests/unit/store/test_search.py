import apsw
import pytest

from p2pchat.store import inbox, messages, migrate, outbox, search
from p2pchat.store.contacts import Contact
from p2pchat.store.tx import Reader, Tx
from tests.support.stores import THEM, incoming, send


def learn(tx: Tx) -> int:
    """Bring the index up to date; the number of transactions that the writer would need for it."""
    rounds = 0
    while search.behind(tx):
        search.index(tx)
        rounds += 1
    return rounds


def found(tx: Tx, bob: Contact, query: str) -> list[str]:
    learn(tx)
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
    learn(tx)
    first = search.search(tx, bob.id, "odd", limit=2)
    rest = search.search(tx, bob.id, "odd", after=first[-1].position, limit=9)
    assert [one.text for one in first + rest] == ["odd 1", "odd 3", "odd 5"]
    start = search.before_last(tx, bob.id, "odd", 1)
    assert [one.text for one in search.search(tx, bob.id, "odd", after=start, limit=9)] == ["odd 5"]
    assert search.before_last(tx, bob.id, "odd", 3) is None
    assert search.before_last(tx, bob.id, "", 0) is None


@pytest.mark.parametrize("learnt", [True, False])
def test_what_was_deleted_is_not_found(tx: Tx, bob: Contact, learnt: bool) -> None:
    (queued,) = send(tx, "secret one", bob)
    inbox.insert(tx, bob.id, incoming("secret two", 1), 1)
    if learnt:
        learn(tx)
    outbox.cancel(tx, queued.message, 2)
    inbox.withdraw(tx, bob.id, THEM, incoming("", 1).message, 3)
    assert found(tx, bob, "secret") == []
    assert tx.value("SELECT count(*) FROM texts WHERE texts MATCH 'secret'") == 0
    tx.execute("INSERT INTO texts (texts, rank) VALUES ('integrity-check', 1)")  # raises where the index disagrees
    assert len(messages.history(tx, bob.id, limit=9)) == 2


def test_the_index_learns_in_bounded_portions(tx: Tx, bob: Contact) -> None:
    for number in range(search.INDEX_TEXTS + 1):
        inbox.insert(tx, bob.id, incoming(f"word {number}", number + 1), 1)
    assert learn(tx) == 2
    for number in range(4):
        inbox.insert(tx, bob.id, incoming("long " * 13_000, search.INDEX_TEXTS + 2 + number), 1)
    assert learn(tx) == 2, "four texts of 65 kB are more than one portion"
    assert len(found(tx, bob, "word")) == 99


def test_a_text_that_follows_a_deleted_one_is_learnt(tx: Tx, bob: Contact) -> None:
    (gone,) = send(tx, "gone", bob)
    learn(tx)
    outbox.cancel(tx, gone.message, 2)
    send(tx, "stays", bob)
    assert found(tx, bob, "stays") == ["stays"]


def test_a_store_of_the_first_schema_keeps_its_texts_and_its_index() -> None:
    db = apsw.Connection("")
    with db:
        db.execute(migrate.script(1))
        db.pragma("user_version", 1)
        db.execute("INSERT INTO contents VALUES (7, 'an old text')")
    migrate.migrate(db)
    assert db.execute("SELECT rowid FROM texts WHERE texts MATCH 'old'").fetchall() == [(7,)]
    assert not search.behind(Reader(db))
    db.execute("INSERT INTO contents (content) VALUES ('a new text')")
    assert search.behind(Reader(db))
    with db:
        assert not search.index(Tx(db))
    assert db.execute("SELECT rowid FROM texts WHERE texts MATCH 'text'").fetchall() == [(7,), (8,)]
