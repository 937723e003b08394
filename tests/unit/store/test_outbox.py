import pytest

from p2pchat.store import contacts, events, messages, outbox, tails
from p2pchat.store.contacts import Contact
from p2pchat.store.tx import Tx
from tests.support.stores import digest, draft, life, send


def states(tx: Tx, bob: Contact) -> list[str]:
    return [one.state for one in messages.history(tx, bob.id, limit=99)]


def told(tx: Tx) -> list[tuple[str, object]]:
    """(text, state) of every ``delivery`` event."""
    found = events.after(tx, 0, limit=99, messages_only=False)
    by_id = {one.message: messages.by_id(tx, one.message)[0].text for one in found if one.message}
    return [(by_id[one.message], one.fields["state"]) for one in found if one.message and one.type == "delivery"]


def test_a_message_for_two_has_one_id_and_a_number_in_each_queue(tx: Tx, bob: Contact, eve: Contact) -> None:
    send(tx, "first", bob)
    for_bob, for_eve = send(tx, "second", bob, eve)
    assert for_bob.message == for_eve.message
    assert (for_bob.number, for_eve.number) == (2, 1)
    assert [one.user for one in messages.by_id(tx, for_bob.message)] == [bob.user, eve.user]
    assert tx.value("SELECT count(*) FROM contents") == 2  # one text, however many it goes to


def test_each_message_names_the_one_before_it_in_its_queue(tx: Tx, bob: Contact, eve: Contact) -> None:
    queued = [send(tx, "a", bob)[0], *send(tx, "b", bob, eve), send(tx, "c", bob)[0]]
    one, two, eves, three = queued
    assert one.previous == eves.previous == bytes(16)
    assert (two.previous, three.previous) == (digest(one)[1], digest(two)[1])
    found = outbox.queue(tx, bob.id)
    assert found is not None and found.previous == digest(three)[1]


def test_what_is_queued_is_what_is_handed_out(tx: Tx, bob: Contact) -> None:
    queued = [send(tx, text, bob, expires_at_ms=9999)[0] for text in ("ä", "\0", "three", "four")]
    assert outbox.after(tx, bob.id, 0, 9) == queued
    assert outbox.after(tx, bob.id, 1, 2) == queued[1:3]
    assert queued[0].content == "ä".encode()


def test_what_fits_is_counted_by_the_texts_and_the_last_may_stand_out(tx: Tx, bob: Contact) -> None:
    for text in ("four", "four", "cancelled", "four", "four"):
        (queued,) = send(tx, text, bob)
        if text == "cancelled":
            outbox.cancel(tx, queued.message, 2)
    rooms = [outbox.fitting(tx, bob.id, 1, 9, room) for room in (-1, 0, 1, 4, 5, 8, 9, 99)]
    assert rooms == [0, 0, 1, 1, 3, 3, 4, 4]
    assert outbox.fitting(tx, bob.id, 0, 2, 99) == 2


def test_bytes_that_are_no_text_come_back_as_they_were(tx: Tx, bob: Contact) -> None:
    one = outbox.Draft(
        message=draft("").message,
        device=draft("").device,
        clock=1,
        sent_ms=1,
        kind=3,
        content_type="",
        content=b"\xff\0",
    )
    assert tails.enqueue(tx, one, [bob.id], digest) == outbox.after(tx, bob.id, 0, 9)


def test_an_idempotency_key_remembers_its_message(tx: Tx, bob: Contact) -> None:
    assert outbox.remembered(tx, "key") is None
    (queued,) = send(tx, "once", bob)
    outbox.remember(tx, "key", queued.message, 1000)
    assert outbox.remembered(tx, "key") == queued.message
    assert outbox.prune_keys(tx, 1000) == 0
    assert outbox.prune_keys(tx, 1001) == 1
    assert outbox.remembered(tx, "key") is None


def test_states_follow_the_cursors(tx: Tx, bob: Contact) -> None:
    for text in "abcd":
        send(tx, text, bob)
    outbox.mark_sent(tx, bob.id, 3)
    assert states(tx, bob) == ["sent", "sent", "sent", "queued"]
    assert outbox.mark_delivered(tx, bob.id, 2, 50) == 2
    assert outbox.mark_read(tx, bob.id, 1, 51) == 1
    assert states(tx, bob) == ["read", "delivered", "sent", "queued"]
    assert told(tx) == [("a", "delivered"), ("b", "delivered"), ("a", "read")]
    found = outbox.queue(tx, bob.id)
    assert found is not None and (found.tail, found.sent, found.delivered, found.read) == (4, 3, 2, 1)


def test_a_receipt_may_overtake_the_word_that_it_was_sent(tx: Tx, bob: Contact) -> None:
    send(tx, "a", bob)
    outbox.mark_delivered(tx, bob.id, 1, 50)
    outbox.mark_sent(tx, bob.id, 1)
    assert states(tx, bob) == ["delivered"]


def test_marks_move_on_only_and_never_beyond_the_queue(tx: Tx, bob: Contact) -> None:
    for text in "ab":
        send(tx, text, bob)
    outbox.mark_sent(tx, bob.id, 3)
    assert outbox.mark_delivered(tx, bob.id, 3, 50) == 0
    assert outbox.mark_read(tx, bob.id, 1, 50) == 0
    assert states(tx, bob) == ["queued", "queued"]
    assert outbox.mark_delivered(tx, bob.id, 2, 50) == 2
    assert outbox.mark_delivered(tx, bob.id, 2, 51) == outbox.mark_delivered(tx, bob.id, 1, 51) == 0
    outbox.mark_sent(tx, bob.id, 1)
    found = outbox.queue(tx, bob.id)
    assert found is not None and (found.sent, found.delivered) == (2, 2)


def test_a_cancelled_message_is_a_void_that_still_has_its_number(tx: Tx, bob: Contact, eve: Contact) -> None:
    (for_bob, for_eve) = send(tx, "never mind", bob, eve)
    send(tx, "next", bob)
    assert outbox.cancel(tx, for_bob.message, 60, contact=bob.id) == [for_bob.row]
    void, following = outbox.after(tx, bob.id, 0, 9)
    assert (void.void, void.number, void.content, void.message) == (True, 1, b"", for_bob.message)
    assert not following.void
    mine, hers = messages.by_id(tx, for_bob.message)
    assert (mine.state, mine.reason, mine.text) == ("failed", "cancelled", "")
    assert (hers.state, hers.text) == ("queued", "never mind")  # the other recipient's copy is whole
    assert outbox.cancel(tx, for_bob.message, 61) == [for_eve.row]
    assert tx.value("SELECT count(*) FROM contents") == 1
    assert tx.scrub


def test_a_receipt_for_a_void_changes_no_state(tx: Tx, bob: Contact) -> None:
    (queued,) = send(tx, "never mind", bob)
    outbox.cancel(tx, queued.message, 60)
    assert outbox.mark_delivered(tx, bob.id, 1, 61) == 0
    assert states(tx, bob) == ["failed"]
    assert outbox.after(tx, bob.id, 1, 9) == []


def test_what_was_delivered_cannot_be_cancelled(tx: Tx, bob: Contact) -> None:
    (queued,) = send(tx, "there", bob)
    outbox.mark_delivered(tx, bob.id, 1, 50)
    assert outbox.cancel(tx, queued.message, 60) == []
    assert messages.by_id(tx, queued.message)[0].text == "there"


DUE = (("a", 100), ("b", 0), ("c", 200), ("d", 50))


def test_expiry_takes_what_is_due_and_keeps_the_text(tx: Tx, bob: Contact) -> None:
    late, never, later, arrived = (send(tx, t, bob, expires_at_ms=at)[0] for t, at in DUE)
    tx.execute("UPDATE messages SET state = 'delivered' WHERE id = ?", arrived.row)
    assert outbox.next_expiry_ms(tx) == 100
    assert outbox.expire(tx, 99) == []
    assert outbox.expire(tx, 100) == [late.row]
    assert outbox.next_expiry_ms(tx) == 200
    assert [one.void for one in outbox.after(tx, bob.id, 0, 3)] == [True, False, False]
    shown = messages.by_id(tx, late.message)[0]
    assert (shown.state, shown.reason, shown.text) == ("failed", "expired", "a")
    assert outbox.expire(tx, 10**12) == [later.row]
    assert outbox.next_expiry_ms(tx) is None
    assert messages.by_id(tx, never.message)[0].state == "queued"


def test_expiry_is_bounded_a_call(tx: Tx, bob: Contact) -> None:
    for _ in range(5):
        send(tx, "x", bob, expires_at_ms=1)
    assert [len(outbox.expire(tx, 5, limit=2)) for _ in range(4)] == [2, 2, 1, 0]


def test_a_new_life_renumbers_what_is_not_delivered(tx: Tx, bob: Contact) -> None:
    queued = [send(tx, text, bob)[0] for text in "abcde"]
    outbox.mark_sent(tx, bob.id, 4)
    outbox.mark_delivered(tx, bob.id, 2, 50)
    outbox.cancel(tx, queued[3].message, 51)
    assert outbox.renumber(tx, bob.id, life(7), digest) == 3
    found = outbox.queue(tx, bob.id)
    assert found is not None
    assert (found.incarnation, found.tail, found.sent, found.delivered, found.read) == (life(7), 3, 0, 0, 0)
    again = outbox.after(tx, bob.id, 0, 9)
    assert [(one.number, one.message, one.void) for one in again] == [
        (1, queued[2].message, False),
        (2, queued[3].message, True),
        (3, queued[4].message, False),
    ]
    assert [one.previous for one in again] == [bytes(16), digest(again[0])[1], digest(again[1])[1]]
    assert found.previous == digest(again[2])[1]
    assert states(tx, bob) == ["delivered", "delivered", "queued", "failed", "queued"]
    assert outbox.message_at(tx, bob.id, 1) == queued[2].message
    outbox.mark_delivered(tx, bob.id, 1, 52)  # must not touch what had number 1 in the former life
    outbox.mark_read(tx, bob.id, 1, 53)
    assert states(tx, bob) == ["delivered", "delivered", "read", "failed", "queued"]


def test_the_list_of_what_waits(tx: Tx, bob: Contact, eve: Contact) -> None:
    (a,) = send(tx, "aa", bob)
    b_bob, b_eve = send(tx, "bbb", bob, eve)
    outbox.mark_sent(tx, bob.id, 1)
    outbox.set_reason(tx, eve.id, "Serious connection error")
    lines = outbox.waiting(tx, limit=9)
    assert [(one.row, one.user, one.state, one.reason, one.size_bytes) for one in lines] == [
        (a.row, bob.user, "sent", "", 2),
        (b_bob.row, bob.user, "queued", "", 3),
        (b_eve.row, eve.user, "queued", "Serious connection error", 3),
    ]
    assert outbox.waiting(tx, limit=1) + outbox.waiting(tx, after_row=a.row, limit=9) == lines
    assert outbox.waiting(tx, limit=9, message=b_bob.message) == lines[1:]
    assert outbox.count(tx) == 3
    assert messages.by_id(tx, b_eve.message)[1].reason == "Serious connection error"
    outbox.mark_delivered(tx, bob.id, 2, 50)
    outbox.cancel(tx, b_eve.message, 51)
    assert outbox.waiting(tx, limit=9) == []
    assert outbox.count(tx) == 0


def test_abandoning_a_contact_fails_what_waits(tx: Tx, bob: Contact, eve: Contact) -> None:
    (for_bob, _) = send(tx, "both", bob, eve)
    assert outbox.abandon(tx, bob.id, "blocked", 70) == [for_bob.row]
    assert [(one.state, one.reason) for one in messages.by_id(tx, for_bob.message)] == [
        ("failed", "blocked"),
        ("queued", ""),
    ]


def test_somebody_who_is_not_listed_has_no_queue(tx: Tx, bob: Contact) -> None:
    contacts.forget(tx, bob.id, 2)
    assert outbox.queue(tx, bob.id) is None
    with pytest.raises(AssertionError):
        send(tx, "to nobody", bob)
