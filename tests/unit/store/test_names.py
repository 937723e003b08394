import pytest

from p2pchat.errors import Ambiguous, NotFound
from p2pchat.store import contacts, names
from p2pchat.store.contacts import Contact
from p2pchat.store.tx import Tx
from tests.support.stores import add_contact, message_id, send


@pytest.mark.parametrize("word", ["bob", "@bob", "Bobby", "@Bobby"])
def test_a_contact_by_alias_or_nickname(tx: Tx, bob: Contact, eve: Contact, word: str) -> None:
    assert names.contact(tx, word) == bob


def test_a_contact_by_id_or_its_beginning(tx: Tx, bob: Contact, eve: Contact) -> None:
    for word in (bob.user_text, bob.user_text.upper(), bob.user_text[:8], bob.user_text[:60].upper()):
        assert names.contact(tx, word) == bob
    with pytest.raises(NotFound, match="no contact is called"):
        names.contact(tx, bob.user_text[:7])


def test_an_own_alias_outweighs_what_a_peer_calls_itself(tx: Tx, bob: Contact) -> None:
    add_contact(tx, "x", nickname="bob")
    assert names.contact(tx, "bob") == bob


def test_two_of_one_nickname_are_named(tx: Tx, eve: Contact) -> None:
    other = add_contact(tx, "x", nickname="Eve")
    with pytest.raises(Ambiguous) as caught:
        names.contact(tx, "Eve")
    assert set(caught.value.details["candidates"]) == {eve.user_text, other.user_text}
    assert caught.value.hint


def test_a_nickname_that_begins_an_id_is_ambiguous(tx: Tx, bob: Contact) -> None:
    other = add_contact(tx, "x", nickname=bob.user_text[:10])
    with pytest.raises(Ambiguous) as caught:
        names.contact(tx, bob.user_text[:10])
    assert set(caught.value.details["candidates"]) == {bob.user_text, other.user_text}


def test_a_removed_contact_is_found_by_its_id_alone(tx: Tx, bob: Contact) -> None:
    contacts.forget(tx, bob.id, 2)
    for word in ("bob", "Bobby"):
        with pytest.raises(NotFound):
            names.contact(tx, word)
    assert names.contact(tx, bob.user_text).id == names.contact(tx, bob.user_text[:12]).id == bob.id


def test_signs_of_the_query_language_mean_nothing(tx: Tx, bob: Contact) -> None:
    for word in ("%", "b_b", "' OR 1=1 --", "", "@", "\x00"):
        with pytest.raises(NotFound):
            names.contact(tx, word)


def test_a_message_by_the_beginning_of_its_id(tx: Tx, bob: Contact, eve: Contact) -> None:
    (queued, _) = send(tx, "to both", bob, eve)
    whole = queued.message.hex()
    assert names.message(tx, whole) == names.message(tx, whole.upper()) == queued.message
    assert names.message(tx, whole[:31]) == queued.message
    send(tx, "next", bob)
    with pytest.raises(Ambiguous) as caught:
        names.message(tx, "00000000")
    assert whole in caught.value.details["candidates"]


@pytest.mark.parametrize("word", ["", "1234567", "0" * 33, "zzzzzzzz", "ffffffff", message_id(2**127).hex()])
def test_no_such_message(tx: Tx, bob: Contact, word: str) -> None:
    send(tx, "one", bob)
    with pytest.raises(NotFound):
        names.message(tx, word)
