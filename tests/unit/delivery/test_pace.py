"""A contact's pace: what was written slowly comes at once, what is written fast comes slowly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.delivery import pace
from p2pchat.delivery.pace import BURST_MS, MOST_UNITS, UNIT_BYTES
from p2pchat.limits import TEXT_BYTES

DAY_MS = 24 * 3600 * 1000
RATE = 600  # a minute: one each 100 ms, 3000 at once


class Taker:
    """Takes single messages as the vault does; ``now_ms`` is when the last one was taken."""

    def __init__(self, now_ms: int, *, listed_ms: int = 0, per_minute: int = RATE) -> None:
        self.now_ms, self.paid_ms, self.per_minute = now_ms, listed_ms, per_minute

    def take(self, written_ms: int, size: int = 100) -> int:
        """Wait as long as is owed; that time."""
        waited = pace.owed_ms(self.paid_ms, self.now_ms, self.per_minute)
        self.now_ms += waited
        settled = pace.settled(self.paid_ms, self.now_ms, self.per_minute)
        count, now = pace.units(size), self.now_ms
        self.paid_ms = pace.counted(settled, written_ms=written_ms, now_ms=now, count=count, per_minute=self.per_minute)
        return waited


def test_a_burst_passes_and_what_follows_keeps_the_pace() -> None:
    taker = Taker(DAY_MS)
    waits = [taker.take(DAY_MS) for _ in range(4000)]
    assert waits[:3001] == [0] * 3001
    assert set(waits[3001:]) == {100}


def test_a_backlog_of_a_week_is_no_flood() -> None:
    taker = Taker(7 * DAY_MS)
    gap = 7 * DAY_MS // 50_000
    assert not any(taker.take(n * gap) for n in range(50_000))


def test_who_wrote_a_flood_long_ago_has_waited_already() -> None:
    taker = Taker(DAY_MS)
    assert not any(taker.take(0) for _ in range(20_000))


@given(st.lists(st.integers(0, 2**64 - 1), max_size=300), st.integers(0, 2 * DAY_MS))
def test_no_claim_about_the_time_of_writing_beats_the_pace(claims: list[int], listed_ms: int) -> None:
    """From the day on which the contact was listed nobody has more than the pace, the burst, and one more."""
    began = max(listed_ms, DAY_MS)
    taker = Taker(began, listed_ms=listed_ms, per_minute=60)
    for claim in claims:
        taker.take(claim)
    assert (len(claims) - 1) * 1000 <= taker.now_ms - listed_ms + BURST_MS


@pytest.mark.parametrize("turns", [1, 2, 256])
def test_what_is_taken_in_several_turns_costs_the_same(turns: int) -> None:
    """A batch from the gate is cut where a message bears an RSA key; the pace is waited for once a batch."""
    now_ms = paid_ms = DAY_MS
    paid_ms += BURST_MS
    for _ in range(turns):
        paid_ms = pace.settled(paid_ms, now_ms, RATE)
        for _ in range(256 // turns):
            paid_ms = pace.counted(paid_ms, written_ms=now_ms, now_ms=now_ms, count=1, per_minute=RATE)
    assert pace.owed_ms(paid_ms, now_ms, RATE) == 256 * 100


def test_a_long_message_counts_as_several() -> None:
    assert [pace.units(size) for size in (0, UNIT_BYTES - 1, UNIT_BYTES, TEXT_BYTES)] == [1, 1, 2, 16]


def test_no_limit_costs_nothing() -> None:
    taker = Taker(0, per_minute=0)
    assert not any(taker.take(0, TEXT_BYTES) for _ in range(10_000))
    assert taker.paid_ms == 0


@pytest.mark.parametrize("back_ms", [MOST_UNITS * 100 + 1, DAY_MS, 3650 * DAY_MS])
def test_a_clock_that_was_set_back_makes_nobody_wait_for_years(back_ms: int) -> None:
    now_ms = 20_000 * DAY_MS
    paid_ms = now_ms + BURST_MS + back_ms
    assert pace.owed_ms(paid_ms, now_ms, RATE) == 0
    assert pace.settled(paid_ms, now_ms, RATE) == now_ms + BURST_MS
