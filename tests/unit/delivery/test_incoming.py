import pytest

from p2pchat.delivery.incoming import Action, InQueue, Place, Seen, adopt, decide
from p2pchat.errors import BadFormat
from p2pchat.ids import Incarnation
from p2pchat.wire.structs import Resume

LIFE, OTHER = Incarnation(b"life one"), Incarnation(b"life two")
QUEUE = InQueue(incarnation=LIFE, have=4)


def test_the_place_of_a_number() -> None:
    assert [QUEUE.place(number) for number in (1, 4, 5, 6)] == [Place.OLD, Place.OLD, Place.NEXT, Place.AHEAD]
    assert QUEUE.advanced() == InQueue(incarnation=LIFE, have=5)


@pytest.mark.parametrize(
    ("number", "seen", "action"),
    [
        (5, Seen.NEVER, Action.SHOW),
        (5, Seen.SAME, Action.SKIP),  # it came before, under a number of an earlier life
        (5, Seen.OTHER, Action.REFUSE),
        (4, Seen.SAME, Action.REPEAT),
        (4, Seen.NEVER, Action.REPEAT),  # its row was pruned; the cursor remembers
        (4, Seen.OTHER, Action.REPEAT),
        (6, Seen.NEVER, Action.ASK),
        (6, Seen.SAME, Action.ASK),
        (6, Seen.OTHER, Action.ASK),
    ],
)
def test_what_to_do_with_a_message(number: int, seen: Seen, action: Action) -> None:
    assert decide(QUEUE, number, seen) is action


def resume(first: int, tail: int, life: Incarnation = LIFE) -> Resume:
    return Resume(incarnation=life, first=first, tail=tail, have_incarnation=Incarnation(b""), have=0)


@pytest.mark.parametrize(
    ("first", "tail", "life", "have", "lost"),
    [
        (1, 10, LIFE, 4, None),
        (5, 10, LIFE, 4, None),
        (8, 10, LIFE, 7, (5, 7)),  # my store is old: the peer has let 5 to 7 go
        (1, 2, LIFE, 4, None),  # the peer's store is old: it will see that itself
        (1, 3, OTHER, 0, None),  # a new life of its queue
        (4, 3, OTHER, 3, (1, 3)),  # I was restored: I have nothing, it holds nothing
    ],
)
def test_what_the_peer_says_of_its_queue(
    first: int, tail: int, life: Incarnation, have: int, lost: tuple[int, int] | None
) -> None:
    got = adopt(QUEUE, resume(first, tail, life))
    assert got.queue == InQueue(incarnation=life, have=have)
    assert got.lost == lost


def test_the_first_resume_of_all() -> None:
    got = adopt(InQueue(), resume(1, 3))
    assert (got.queue, got.lost) == (InQueue(incarnation=LIFE, have=0), None)


@pytest.mark.parametrize(("first", "tail"), [(5, 3), (0, 3)])
def test_a_queue_that_contradicts_itself_cuts_the_link(first: int, tail: int) -> None:
    with pytest.raises(BadFormat):
        adopt(QUEUE, resume(first, tail))
