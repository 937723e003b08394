"""When a peer is dialled again."""

import pytest

from p2pchat.link.reconnect import PROBE_S, STEADY_S, Reconnect


def delays(count: int, draw: float) -> list[float]:
    policy, now_s, found = Reconnect(), 100.0, []
    for _ in range(count):
        policy.failed(now_s, draw)
        found.append(policy.wait_s(now_s))
        now_s += found[-1]
    return found


def test_delays_double_to_thirty_seconds_and_then_become_probes() -> None:
    assert delays(12, 0.5) == pytest.approx([1, 2, 4, 8, 16, 30, 30, 30, 30, 600, 600, 600])


@pytest.mark.parametrize(("draw", "factor"), [(0.0, 0.75), (1.0, 1.25)])
def test_each_delay_is_spread_by_a_quarter(draw: float, factor: float) -> None:
    assert delays(5, draw) == pytest.approx([factor * base for base in (1, 2, 4, 8, 16)])


def test_probes_come_every_five_to_fifteen_minutes() -> None:
    assert delays(10, 0.0)[-1] == pytest.approx(PROBE_S[0])
    assert delays(10, 1.0)[-1] == pytest.approx(PROBE_S[1])


def test_a_first_try_is_due_at_once() -> None:
    assert Reconnect().wait_s(0.0) == 0


def test_news_brings_the_next_try_forward_but_no_faster_than_one_a_second() -> None:
    policy = Reconnect()
    policy.trying(50.0)
    for _ in range(10):
        policy.failed(50.2, 0.5)
    assert policy.probing
    policy.news(50.3)
    assert policy.wait_s(50.3) == pytest.approx(0.7)
    policy.news(90.0)
    assert policy.wait_s(90.0) == 0
    assert policy.probing  # one try, not a new row of them


def test_news_never_puts_a_try_off() -> None:
    policy = Reconnect()
    policy.trying(10.0)
    policy.news(10.1)
    assert policy.wait_s(10.1) == 0


def test_a_steady_link_that_ends_begins_the_row_anew() -> None:
    policy = Reconnect()
    for _ in range(8):
        policy.failed(0.0, 0.5)
    policy.ended(1000.0, held_s=STEADY_S, draw=0.5)
    assert policy.wait_s(1000.0) == pytest.approx(1.0)


def test_a_link_that_ended_soon_goes_on_with_the_row() -> None:
    policy = Reconnect()
    policy.failed(0.0, 0.5)
    policy.ended(10.0, held_s=2.0, draw=0.5)
    assert policy.wait_s(10.0) == pytest.approx(2.0)


def test_who_was_sent_away_only_probes() -> None:
    policy = Reconnect()
    policy.told_to_wait(0.0, 0.5)
    assert policy.wait_s(0.0) == pytest.approx(600.0)
