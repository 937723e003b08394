from p2pchat.delivery.incoming import InQueue
from p2pchat.delivery.outgoing import OutQueue
from p2pchat.delivery.receipts import Receipts, resume_of
from p2pchat.ids import Incarnation
from p2pchat.wire.structs import Receipt, Resume

LIFE, OTHER = Incarnation(b"life one"), Incarnation(b"life two")


def queue(have: int) -> InQueue:
    return InQueue(incarnation=LIFE, have=have)


def receipt(delivered: int, read: int = 0) -> Receipt:
    return Receipt(incarnation=LIFE, delivered=delivered, read=read)


def test_a_resume_says_both_sides_of_the_matter() -> None:
    outgoing = OutQueue(incarnation=OTHER, tail=9, delivered=3)
    assert resume_of(outgoing, queue(5), b"message id 16 by") == Resume(
        incarnation=OTHER, first=4, tail=9, have_incarnation=LIFE, have=5, have_message=b"message id 16 by"
    )
    assert resume_of(OutQueue(incarnation=OTHER), InQueue()).have_incarnation == b""


def test_one_receipt_for_all_that_a_commit_brought() -> None:
    told, receipts = Receipts().due(queue(7))
    assert told == receipt(7)
    assert receipts.due(queue(7)) == (None, receipts)
    assert receipts.due(queue(8))[0] == receipt(8)


def test_nothing_is_said_before_the_queue_is_known() -> None:
    assert Receipts().due(InQueue())[0] is None
    assert Receipts().due(queue(0))[0] is None


def test_a_new_life_of_the_queue_is_news_even_at_the_same_number() -> None:
    _, receipts = Receipts().due(queue(7))
    assert receipts.due(InQueue(incarnation=OTHER, have=7))[0] is not None


def test_a_read_cursor_is_news_too_and_never_ahead() -> None:
    _, receipts = Receipts().due(queue(7))
    assert receipts.due(queue(7), read=5)[0] == receipt(7, 5)
    assert receipts.due(queue(7), read=99)[0] == receipt(7, 7)


def test_an_old_number_makes_it_say_the_same_again_once() -> None:
    _, receipts = Receipts().due(queue(7))
    again, receipts = receipts.wanted_again().due(queue(7))
    assert again == receipt(7)
    assert receipts.due(queue(7))[0] is None


def test_a_gap_is_asked_about_once_until_the_next_number_came() -> None:
    say, receipts = Receipts().ask()
    assert say
    say, receipts = receipts.ask()
    assert not say
    _, receipts = receipts.due(queue(3))
    assert not receipts.ask()[0]
    assert receipts.taken().ask()[0]
    untouched = Receipts()
    assert untouched.taken() is untouched
