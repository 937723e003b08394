"""A governor against a crowd whose clients do as they are asked, each at its own next turn."""

from random import Random

import pytest

from p2pchat.tracker.governor import MOST, PERIOD_S, REFRESH_BYTES, START, Governor
from p2pchat.wire.tracker_packets import REFRESH_SPREAD, refresh_s

LINE = 375_000.0  # 3 Mbit/s
FIT = int(0.9 * LINE * refresh_s(START) / REFRESH_BYTES)  # clients that fit at the default, if they did nothing else


def crowd(clients: int, hours: int, *, other_bytes_s: float = 0.0, seed: int = 1) -> list[float]:
    """Bytes a second in each minute. Clients stand for a thousand each, and spread as they have to."""
    chance, governor, seen = Random(seed), Governor(LINE, 0), []
    due: dict[int, int] = {}
    for _ in range(clients // 1000):
        at = chance.randrange(128)
        due[at] = due.get(at, 0) + 1
    for minute in range(60 * hours):
        now = due.pop(minute, 0)
        for _ in range(now):
            at = minute + max(1, round(refresh_s(governor.refresh) / 60 * chance.uniform(*REFRESH_SPREAD)))
            due[at] = due.get(at, 0) + 1
        governor._bytes += int(1000 * now * REFRESH_BYTES + other_bytes_s * PERIOD_S)
        governor._refresh_bytes += 1000 * now * REFRESH_BYTES
        governor.look((minute + 1) * PERIOD_S, clients)
        seen.append(governor.bytes_s)
    return seen


@pytest.mark.parametrize("times", [1.6, 4, 8])
def test_a_crowd_over_the_line_is_brought_under_it_and_stays(times: float) -> None:
    seen = crowd(int(times * FIT), 72)
    late = seen[-24 * 60 :]
    assert sum(late) / len(late) < LINE
    hours = [sum(late[at : at + 60]) / 60 for at in range(0, len(late), 60)]
    assert max(hours) < 1.2 * LINE, hours


def test_what_queries_take_is_not_there_for_refreshes() -> None:
    seen = crowd(FIT, 48, other_bytes_s=LINE / 2)
    late = seen[-12 * 60 :]
    assert 0.6 * LINE < sum(late) / len(late) < LINE


def test_a_crowd_within_the_line_keeps_the_default() -> None:
    governor = Governor(LINE, 0)
    for minute in range(1, 50):
        assert governor.look(minute * PERIOD_S, FIT - 1) == START


def test_the_byte_keeps_its_bounds() -> None:
    governor = Governor(LINE, 0)
    for live in (0, 10**3, 10**9):
        for _ in range(100):
            governor.count(10**9, 10**9, refresh=False)
            assert START <= governor.look(governor._began_s + PERIOD_S, live) <= MOST
    assert governor.refresh == MOST
    assert governor.bytes_s > LINE


def test_headers_count_and_an_answer_that_was_none_does_not() -> None:
    governor = Governor(LINE, 0)
    governor.count(21, 9, refresh=True)
    governor.count(21, 0, refresh=False)
    governor.look(PERIOD_S, 1)
    assert governor.bytes_s == (21 + 9 + 56 + 21 + 28) / PERIOD_S
