"""Old events go; a reader that still moves is waited for, and no other loses one without a word."""

import pytest

from p2pchat.store import events, inbox, pruning, readers
from p2pchat.store.contacts import Contact
from p2pchat.store.pruning import ANYBODY, BATCH_EVENTS, Gap
from p2pchat.store.tx import Tx
from tests.support.stores import incoming, life

DAY = 100_000  # events before it are old


def receive(tx: Tx, contact: Contact, first: int, count: int, at_ms: int) -> None:
    inbox.adopt(tx, contact.id, life(contact.id), 0)
    for number in range(first, first + count):
        inbox.insert(tx, contact.id, incoming(f"text {number}", 1000 * contact.id + number), at_ms)


def left(tx: Tx) -> list[int]:
    return [event.cursor for event in events.after(tx, 0, limit=99, messages_only=False)]


def test_only_old_events_go_and_cursors_are_not_given_out_again(tx: Tx, bob: Contact) -> None:
    receive(tx, bob, 1, 3, 1)
    receive(tx, bob, 4, 2, DAY)
    assert pruning.prune(tx, DAY) == 3
    assert left(tx) == [4, 5]
    assert pruning.prune(tx, DAY) == 0
    assert pruning.prune(tx, DAY + 1) == 2
    assert events.append(tx, "warning", DAY) == 6


def test_an_old_event_behind_a_new_one_waits_with_it(tx: Tx, bob: Contact) -> None:
    """A clock that jumped must not tear holes into the log."""
    receive(tx, bob, 1, 1, DAY)
    receive(tx, bob, 2, 1, 1)
    assert pruning.prune(tx, DAY) == 0


def test_a_reader_that_moves_is_waited_for(tx: Tx, bob: Contact) -> None:
    receive(tx, bob, 1, 4, 1)
    readers.confirm(tx, "script", 2, DAY)
    assert pruning.prune(tx, DAY) == 2
    assert left(tx) == [3, 4]
    assert pruning.gap(tx, "script") is None


def test_a_reader_that_stands_still_is_told_what_it_missed_and_once(tx: Tx, bob: Contact) -> None:
    receive(tx, bob, 1, 4, 1)
    events.append(tx, "warning", 1)
    readers.confirm(tx, "script", 1, 1)
    assert pruning.prune(tx, DAY) == 5
    receive(tx, bob, 5, 1, 1)
    assert pruning.prune(tx, DAY) == 1
    assert pruning.gap(tx, "script") == Gap(upto=6, messages=4)
    assert pruning.gap(tx, "never seen") == Gap(upto=6, messages=5)
    readers.confirm(tx, "script", 5, DAY)
    assert pruning.gap(tx, "script") == Gap(upto=6, messages=4)
    readers.confirm(tx, "script", 6, DAY)
    assert pruning.gap(tx, "script") is None
    readers.confirm(tx, "never seen", 6, DAY)
    assert pruning.gap(tx, "never seen") is None
    assert pruning.gap(tx, "another") == pruning.gap(tx, ANYBODY) == Gap(upto=6, messages=5)


def test_a_reader_of_one_contact_misses_only_what_that_one_caused(tx: Tx, bob: Contact, eve: Contact) -> None:
    receive(tx, bob, 1, 2, 1)
    receive(tx, eve, 1, 1, 1)
    for contact, cursor in ((bob, 2), (eve, 1)):
        readers.confirm(tx, f"cli:{contact.user_text}", cursor, 1)
    assert pruning.prune(tx, DAY) == 3
    assert pruning.gap(tx, f"cli:{bob.user_text}") is None
    assert pruning.gap(tx, f"cli:{eve.user_text}") == Gap(upto=3, messages=1)


@pytest.mark.parametrize("more", [0, 1])
def test_it_goes_on_in_bounded_steps(tx: Tx, more: int) -> None:
    for _ in range(BATCH_EVENTS + more):
        events.append(tx, "warning", 1)
    assert [pruning.prune(tx, DAY), pruning.prune(tx, DAY)] == [BATCH_EVENTS, more]
