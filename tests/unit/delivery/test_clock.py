from hypothesis import given
from hypothesis import strategies as st

from p2pchat.delivery import clock
from p2pchat.delivery.body import FIRST, Slot, text_body
from p2pchat.ids import DeviceId, MessageId, UserId

NOW = 1_800_000_000_000
TEN_YEARS_MS = 10 * 365 * 86_400_000


def test_it_follows_the_wall_clock_and_counts_where_that_stands() -> None:
    first = clock.tick(0, NOW)
    assert first == NOW << 16
    assert clock.tick(first, NOW) == first + 1
    assert clock.tick(first, NOW + 1) == (NOW + 1) << 16


def test_an_answer_comes_after_what_it_answers_whatever_the_clocks_say() -> None:
    for skew in (-TEN_YEARS_MS, 0, TEN_YEARS_MS):
        question = clock.tick(0, NOW + skew)
        mine = clock.observe(clock.tick(0, NOW), question)
        assert clock.tick(mine, NOW) > question


def test_nobody_can_pull_the_clock_beyond_its_range() -> None:
    mine = clock.observe(0, 2**63 - 1)
    assert mine == clock.CEILING
    assert clock.tick(mine, NOW) == clock.CEILING + 1 < 2**63
    assert clock.tick(0, 2**62) == clock.CEILING


@given(st.lists(st.integers(-TEN_YEARS_MS, TEN_YEARS_MS), min_size=2))
def test_jumps_of_ten_years_never_turn_the_order_round(jumps: list[int]) -> None:
    last, given_out = 0, []
    for jump in jumps:
        last = clock.tick(last, NOW + jump)
        given_out.append(last)
    assert given_out == sorted(set(given_out))


def test_the_order_is_clock_then_time_then_sender_then_id() -> None:
    def key(value: int, sent_ms: int, sender: bytes, message: bytes) -> clock.OrderKey:
        slot = Slot(
            message=MessageId(message * 16),
            conversation=bytes(16),
            clock=value,
            sent_ms=sent_ms,
            device=DeviceId(bytes(16)),
            sequence=1,
            previous=FIRST,
        )
        return clock.order_key(text_body(slot, "x"), UserId(sender * 32))

    keys = [key(1, 9, b"z", b"z"), key(2, 1, b"z", b"z"), key(2, 2, b"a", b"z"), key(2, 2, b"b", b"a")]
    keys.append(key(2, 2, b"b", b"b"))
    assert keys == sorted(keys, reverse=False)
    assert len(set(keys)) == 5
