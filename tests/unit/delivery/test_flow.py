from p2pchat.delivery.flow import LEAST, MOST, Flow
from p2pchat.delivery.outgoing import OutQueue
from p2pchat.ids import Incarnation

LIFE = Incarnation(b"life one")


def queue(tail: int, delivered: int = 0) -> OutQueue:
    return OutQueue(incarnation=LIFE, tail=tail, delivered=delivered)


def test_nothing_is_sent_before_the_peers_resume() -> None:
    numbers, flow = Flow().take(queue(5))
    assert list(numbers) == []
    assert flow == Flow()


def test_a_window_of_four_at_first() -> None:
    numbers, flow = Flow().resumed(1).take(queue(100))
    assert list(numbers) == [1, 2, 3, 4]
    assert list(flow.take(queue(100))[0]) == []
    assert list(flow.take(queue(100, delivered=2))[0]) == [5, 6]


def test_not_beyond_the_tail_and_each_number_once() -> None:
    numbers, flow = Flow().resumed(3).take(queue(4, delivered=2))
    assert list(numbers) == [3, 4]
    assert list(flow.take(queue(4, delivered=2))[0]) == []
    assert list(flow.take(queue(5, delivered=2))[0]) == [5]


def test_the_window_doubles_each_round_trip_up_to_its_limit() -> None:
    flow, windows = Flow().resumed(1), []
    for _ in range(8):
        windows.append(flow.window)
        flow = flow.acknowledged(flow.window)
    assert windows == [4, 8, 16, 32, 64, 128, 256, MOST]
    assert len(flow.take(queue(1000))[0]) == MOST == 512


def test_after_a_loss_it_grows_by_one_a_receipt() -> None:
    _, busy = Flow(window=40).resumed(1).take(queue(1000))
    flow = busy.stopped(queue(1000)).resumed(1)
    assert flow.window == 20
    assert [(flow := flow.acknowledged(20)).window for _ in range(3)] == [21, 22, 23]


def test_what_was_in_flight_when_the_link_died_halves_it() -> None:
    flow = Flow(window=64).resumed(1)
    _, busy = flow.take(queue(1000))
    assert busy.stopped(queue(1000)) == Flow(None, 32, steady=32)
    assert flow.stopped(queue(0)) == Flow(None, 64)  # idle: nothing was lost
    for _ in range(9):
        busy = busy.stopped(queue(1000)).resumed(1).take(queue(1000))[1]
    assert busy.window == LEAST == 4


def test_a_second_resume_goes_back_and_halves_it() -> None:
    _, flow = Flow(window=16).resumed(1).take(queue(1000))
    again = flow.resumed(6)
    assert (again.next, again.window) == (6, 8)
    assert list(again.take(queue(1000, delivered=5))[0]) == list(range(6, 14))
    assert flow.resumed(17).window == 16  # nothing to send again
