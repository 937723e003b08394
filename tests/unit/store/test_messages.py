from dataclasses import replace
from itertools import product

from p2pchat.ids import DeviceId
from p2pchat.store import events, inbox, messages, outbox, tails
from p2pchat.store.contacts import Contact
from p2pchat.store.tx import Tx
from p2pchat.wire.structs import BODY_WITHDRAW
from tests.support.stores import THEM, digest, draft, incoming, send


def texts(found: list[messages.Message]) -> list[str]:
    return [one.text for one in found]


def test_history_is_in_the_order_of_the_clocks_not_of_arrival(tx: Tx, bob: Contact) -> None:
    inbox.insert(tx, bob.id, incoming("third", 1, clock=30), 1)
    send(tx, "first", bob, clock=10)
    inbox.insert(tx, bob.id, incoming("second", 2, clock=20), 2)
    assert texts(messages.history(tx, bob.id, limit=9)) == ["first", "second", "third"]


def test_equal_clocks_are_ordered_by_time_sender_id(tx: Tx, bob: Contact) -> None:
    wanted = []
    places = product((1, 2), (b"a", b"b"), (7, 8))
    for sent_ms, device, message in places:
        one = incoming(f"{sent_ms}{device!r}{message}", 1, message=message + 10 * sent_ms, clock=5)
        wanted.append(replace(one, sent_ms=sent_ms, device=DeviceId(device * 16)))
    for one in reversed(wanted):
        inbox.insert(tx, bob.id, one, 1)
    assert texts(messages.history(tx, bob.id, limit=9)) == [one.content.decode() for one in wanted]


def test_pages_meet_without_gap_or_overlap(tx: Tx, bob: Contact) -> None:
    for number in range(1, 8):
        inbox.insert(tx, bob.id, incoming(str(number), number, clock=number // 3), 1)
    pages, after = [], None
    while page := messages.history(tx, bob.id, after=after, limit=2):
        pages += texts(page)
        after = page[-1].position
    assert pages == ["1", "2", "3", "4", "5", "6", "7"]


def test_the_last_few(tx: Tx, bob: Contact) -> None:
    for number in range(1, 6):
        inbox.insert(tx, bob.id, incoming(str(number), number), 1)
    start = messages.before_last(tx, bob.id, 2)
    assert texts(messages.history(tx, bob.id, after=start, limit=9)) == ["4", "5"]
    assert messages.before_last(tx, bob.id, 5) is None


def test_a_history_is_of_one_contact(tx: Tx, bob: Contact, eve: Contact) -> None:
    send(tx, "both", bob, eve)
    send(tx, "hers", eve)
    assert texts(messages.history(tx, bob.id, limit=9)) == ["both"]
    assert texts(messages.history(tx, eve.id, limit=9)) == ["both", "hers"]


def test_what_is_read_is_all_that_was_stored(tx: Tx, bob: Contact) -> None:
    one = incoming("héllo", 3, clock=77)
    inbox.insert(tx, bob.id, replace(one, expires_at_ms=99), 12)
    (found,) = messages.by_id(tx, one.message)
    assert (found.contact, found.user, found.outgoing, found.device) == (bob.id, bob.user, False, THEM)
    assert (found.clock, found.sent_ms, found.received_ms, found.expires_at_ms) == (77, 3, 12, 99)
    assert (found.kind, found.content_type, found.size_bytes, found.state) == (1, "text/plain", 6, "delivered")
    assert (found.reason, found.withdrawn) == ("", False)


def test_a_withdrawal_itself_is_not_shown(tx: Tx, bob: Contact) -> None:
    (queued,) = send(tx, "x", bob)
    tails.enqueue(tx, replace(draft("y"), kind=BODY_WITHDRAW), [bob.id], digest)
    assert texts(messages.history(tx, bob.id, limit=9)) == ["x"]
    assert messages.before_last(tx, bob.id, 1) is None
    assert [one.message for one in outbox.waiting(tx, limit=9)] == [queued.message]
    assert outbox.count(tx) == 1


def test_an_own_message_can_become_a_tombstone(tx: Tx, bob: Contact, eve: Contact) -> None:
    for_bob, for_eve = send(tx, "regretted", bob, eve)
    messages.withdraw(tx, for_bob.row)
    assert tx.value("SELECT count(*) FROM contents") == 1
    messages.withdraw(tx, for_eve.row)
    assert tx.value("SELECT count(*) FROM contents") == 0
    assert [(one.withdrawn, one.text) for one in messages.by_id(tx, for_bob.message)] == [(True, ""), (True, "")]


def test_old_tombstones_are_forgotten_and_their_numbers_never_given_out_again(tx: Tx, bob: Contact) -> None:
    for number, at_ms in ((1, 10), (2, 20), (3, 30)):
        inbox.insert(tx, bob.id, incoming(str(number), number), at_ms)
    for number in (1, 3):
        inbox.withdraw(tx, bob.id, THEM, incoming("", number).message, 40)
    assert messages.prune_tombstones(tx, 10) == 0
    assert messages.prune_tombstones(tx, 31) == 1  # the newest row stays
    inbox.insert(tx, bob.id, incoming("4", 4), 50)
    found = events.after(tx, 0, limit=99, messages_only=False)
    assert [(one.type, one.text) for one in found] == [("message", "2"), ("withdrawn", ""), ("message", "4")]
    assert messages.prune_tombstones(tx, 31) == 1
