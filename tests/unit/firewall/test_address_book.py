"""The address book: what is learnt, what is typed, and the order in which addresses are tried."""

import pytest

from p2pchat.errors import BadFormat
from p2pchat.firewall.address_book import OUTCOMES, AddressBook, Page
from p2pchat.ids import DeviceId, UserId
from p2pchat.wire.structs import Address, AddressRecord

USER = UserId(b"u" * 32)
LAPTOP, PHONE = DeviceId(b"l" * 16), DeviceId(b"p" * 16)


def record(sequence: int, *hosts: str, device: DeviceId = LAPTOP) -> AddressRecord:
    addresses = tuple(Address(host=host, port=4000, carrier="raw") for host in hosts)
    return AddressRecord(user=USER, device=device, sequence=sequence, not_after_ms=0, addresses=addresses)


def hosts(book: AddressBook) -> list[str]:
    return [candidate.address.host for candidate in book.candidates(USER)]


def typed(*names: str) -> list[Address]:
    return [Address(host=name, port=4000, carrier="raw") for name in names]


def test_the_higher_sequence_wins_whatever_comes_later() -> None:
    book = AddressBook({})
    assert book.learn(USER, record(5, "1.1.1.1"))
    assert not book.learn(USER, record(4, "4.4.4.4"))  # a replayed old record
    assert not book.learn(USER, record(5, "5.5.5.5"))
    assert hosts(book) == ["1.1.1.1"]
    assert book.learn(USER, record(6, "6.6.6.6"))
    assert hosts(book) == ["6.6.6.6"]


def test_the_same_addresses_under_a_new_number_are_no_news() -> None:
    book = AddressBook({})
    book.learn(USER, record(5, "1.1.1.1"))
    assert not book.learn(USER, record(6, "1.1.1.1"))
    assert not book.learn(USER, record(5, "9.9.9.9"))


def test_each_device_has_its_own_record_the_newest_first() -> None:
    book = AddressBook({})
    book.learn(USER, record(5, "1.1.1.1"))
    book.learn(USER, record(9, "2.2.2.2", device=PHONE))
    assert hosts(book) == ["2.2.2.2", "1.1.1.1"]


def test_typed_addresses_come_first_and_replace_those_before() -> None:
    book = AddressBook({})
    book.learn(USER, record(5, "1.1.1.1", "3.3.3.3"))
    book.type_in(USER, typed("2.2.2.2"), lan=False)
    book.type_in(USER, typed("3.3.3.3"), lan=True)
    candidates = book.candidates(USER)
    assert [(c.address.host, c.typed, c.typed_lan) for c in candidates] == [
        ("3.3.3.3", True, True),
        ("1.1.1.1", False, False),
    ]


def test_what_worked_last_is_tried_first() -> None:
    book = AddressBook({})
    book.learn(USER, record(5, "1.1.1.1", "2.2.2.2", "3.3.3.3"))
    book.tried(USER, "2.2.2.2", 4000, ok=True, now_ms=10)
    book.tried(USER, "3.3.3.3", 4000, ok=True, now_ms=20)
    assert hosts(book) == ["3.3.3.3", "2.2.2.2", "1.1.1.1"]
    book.tried(USER, "3.3.3.3", 4000, ok=False, now_ms=30)
    assert hosts(book) == ["2.2.2.2", "1.1.1.1", "3.3.3.3"]


def test_pages_come_back_from_their_encoding() -> None:
    book = AddressBook({})
    book.learn(USER, record(5, "1.1.1.1"))
    book.type_in(USER, typed("2.2.2.2"), lan=True)
    book.tried(USER, "1.1.1.1", 4000, ok=True, now_ms=7)
    changes = book.take_changes()
    assert book.take_changes() == {}
    again = AddressBook({user: Page.decode(page.encode()) for user, page in changes.items()})
    assert again.candidates(USER) == book.candidates(USER)
    with pytest.raises(BadFormat):
        Page.decode(b"\x91\x01")


def test_changes_that_could_not_be_written_are_handed_out_again() -> None:
    book = AddressBook({})
    book.learn(USER, record(5, "1.1.1.1"))
    changes = book.take_changes()
    book.put_back(changes)
    assert book.take_changes() == changes


def test_outcomes_are_bounded() -> None:
    book = AddressBook({})
    for n in range(3 * OUTCOMES):
        book.tried(USER, f"1.1.1.{n}", 4000, ok=False, now_ms=n)
    (page,) = book.take_changes().values()
    assert len(page.outcomes) == OUTCOMES
    assert page.outcomes[-1].host == f"1.1.1.{3 * OUTCOMES - 1}"
