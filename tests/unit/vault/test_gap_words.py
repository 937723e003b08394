"""What the user of a home that was put back from a copy is told to be missing."""

import pytest

from p2pchat.delivery.outgoing import OutQueue
from p2pchat.ids import Incarnation
from p2pchat.vault.flows import signals


@pytest.mark.parametrize(
    ("tail", "delivered", "have", "words"),
    [
        (5, 5, 6, "lacks the last message that"),
        (5, 5, 8, "lacks the last 3 messages that"),
        (6, 5, 8, "lacks 2 to 3 messages that"),  # what waits was written since, or arrived before the copy came back
        (9, 5, 8, "lacks 1 to 3 messages that"),
    ],
)
def test_the_old_copy_counts_what_it_may_lack(tail: int, delivered: int, have: int, words: str) -> None:
    queue = OutQueue(incarnation=Incarnation(bytes(8)), tail=tail, delivered=delivered)
    assert words in signals._old_store(queue, have)


def test_one_message_is_no_span() -> None:
    assert signals._messages((3, 3)) == "message 3"
    assert signals._messages((3, 5)) == "messages 3-5"
