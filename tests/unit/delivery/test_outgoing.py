import pytest

from p2pchat.delivery.outgoing import OutQueue, acknowledged, resumed
from p2pchat.errors import BadFormat
from p2pchat.ids import Incarnation
from p2pchat.wire.structs import Receipt, Resume

LIFE, OTHER, FRESH = Incarnation(b"life one"), Incarnation(b"life two"), Incarnation(b"new life")
QUEUE = OutQueue(incarnation=LIFE, tail=10, delivered=4, read=2)


def cursor(have: int, life: Incarnation = LIFE, message: bytes = b"") -> Resume:
    """What the peer says it has of my queue."""
    return Resume(incarnation=OTHER, first=1, tail=0, have_incarnation=life, have=have, have_message=message)


def test_numbers_run_from_one_without_a_gap() -> None:
    queue, numbers = OutQueue(incarnation=LIFE), []
    for _ in range(3):
        number, queue = queue.next_number()
        numbers.append(number)
    assert numbers == [1, 2, 3]
    assert (queue.tail, queue.first) == (3, 1)


@pytest.mark.parametrize(("have", "delivered"), [(4, None), (5, (5, 5)), (10, (5, 10))])
def test_sending_goes_on_behind_the_peers_cursor(have: int, delivered: tuple[int, int] | None) -> None:
    got = resumed(QUEUE, cursor(have), fresh=FRESH)
    assert (got.send_from, got.queue.delivered, got.delivered) == (have + 1, have, delivered)
    assert (got.reset, got.renumber_by, got.lost, got.queue.incarnation) == (False, 0, None, LIFE)


@pytest.mark.parametrize("life", [OTHER, Incarnation(b"")])
def test_a_peer_that_does_not_know_this_life_gets_what_is_held(life: Incarnation) -> None:
    got = resumed(QUEUE, cursor(99, life), fresh=FRESH)
    assert (got.send_from, got.queue, got.reset, got.lost) == (5, QUEUE, False, None)


def test_a_cursor_beyond_the_tail_proves_that_my_store_is_old() -> None:
    got = resumed(QUEUE, cursor(11), fresh=FRESH)
    assert got.reset
    assert got.queue == OutQueue(incarnation=FRESH, tail=6)
    assert (got.renumber_by, got.send_from) == (4, 1)


def test_another_message_under_my_number_proves_it_too() -> None:
    mine, theirs = b"my message 7....", b"their message 7."
    assert resumed(QUEUE, cursor(7, message=theirs), fresh=FRESH, mine_at_have=mine).reset
    assert not resumed(QUEUE, cursor(7, message=mine), fresh=FRESH, mine_at_have=mine).reset
    assert not resumed(QUEUE, cursor(7, message=theirs), fresh=FRESH).reset
    assert not resumed(QUEUE, cursor(7), fresh=FRESH, mine_at_have=mine).reset


def test_a_cursor_below_what_was_let_go_is_told() -> None:
    got = resumed(QUEUE, cursor(1), fresh=FRESH)
    assert got.lost == (2, 4)
    assert (got.send_from, got.queue) == (5, QUEUE)


def receipt(delivered: int, read: int = 0, life: Incarnation = LIFE) -> Receipt:
    return Receipt(incarnation=life, delivered=delivered, read=read)


def test_receipts_are_cumulative_and_the_maximum_wins() -> None:
    got = acknowledged(QUEUE, receipt(7, 5))
    assert (got.queue.delivered, got.delivered, got.queue.read, got.read) == (7, (5, 7), 5, (3, 5))
    late = acknowledged(got.queue, receipt(6, 4))
    assert (late.queue, late.delivered, late.read) == (got.queue, None, None)


def test_nothing_is_read_before_it_is_delivered() -> None:
    assert acknowledged(QUEUE, receipt(6, 9)).queue.read == 6


def test_a_receipt_for_another_life_says_nothing() -> None:
    assert acknowledged(QUEUE, receipt(99, 99, OTHER)).queue == QUEUE


def test_a_receipt_for_what_was_never_sent_cuts_the_link() -> None:
    with pytest.raises(BadFormat, match="never sent"):
        acknowledged(QUEUE, receipt(11))
