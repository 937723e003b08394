import pytest

from p2pchat.channel.damage import (
    DAY_MS,
    HEALTHY,
    HOUR_MS,
    REASON,
    RETRY_MS,
    Fault,
    Health,
    Remedy,
    Status,
)

NOW = 1_800_000_000_000


def faults(health: Health, count: int, *, every_ms: int = 1, opened_between: bool = False) -> tuple[Remedy, Health]:
    remedy = Remedy.RESEND
    for number in range(count):
        remedy, health = health.fault(Fault.UNOPENABLE, NOW + number * every_ms, 1)
        if opened_between and remedy is not Remedy.STOP:
            health = health.opened()
    return remedy, health


def test_the_reason_is_printed_exactly_so() -> None:
    assert REASON == "Serious connection error"


@pytest.mark.parametrize(
    ("fault", "remedy"),
    [
        (Fault.DAMAGED, Remedy.RESEND),
        (Fault.UNOPENABLE, Remedy.RESET),
        (Fault.WRONG_BODY, Remedy.RESEND),
        (Fault.MISSHAPEN, Remedy.RESEND),
    ],
)
def test_each_fault_has_its_remedy(fault: Fault, remedy: Remedy) -> None:
    got, health = HEALTHY.fault(fault, NOW, 1)
    assert got is remedy
    assert health.status is Status.HEALING


def test_three_tries_a_message_and_no_more() -> None:
    assert faults(HEALTHY, 3)[0] is Remedy.RESET
    remedy, health = faults(HEALTHY, 4)
    assert remedy is Remedy.STOP
    assert health.status is Status.ERROR


def test_ten_tries_an_hour_and_no_more_even_if_messages_open_between() -> None:
    assert faults(HEALTHY, 10, opened_between=True)[0] is Remedy.RESET
    assert faults(HEALTHY, 11, opened_between=True)[0] is Remedy.STOP
    assert faults(HEALTHY, 30, every_ms=HOUR_MS // 9, opened_between=True)[0] is Remedy.RESET


def test_a_message_that_opens_heals() -> None:
    _, ill = faults(HEALTHY, 3)
    well = ill.opened()
    assert well.status is Status.OK
    assert faults(well, 3)[0] is Remedy.RESET


def test_tries_of_different_messages_are_not_added_up() -> None:
    health = HEALTHY
    for number in range(1, 11):
        remedy, health = health.fault(Fault.DAMAGED, NOW + number, number)
        assert (remedy, health.tries) == (Remedy.RESEND, 1)


def test_messages_that_open_behind_the_awaited_one_do_not_hide_its_tries() -> None:
    """``opened`` is for the awaited message alone, so nothing between two of its tries starts the count anew."""
    health = HEALTHY
    for number in range(4):
        remedy, health = health.fault(Fault.DAMAGED, NOW + number, 7)
    assert remedy is Remedy.STOP


def test_what_one_transaction_takes_is_one_try() -> None:
    health = HEALTHY
    for _ in range(50):
        remedy, health = health.fault(Fault.DAMAGED, NOW, 7)
    assert (remedy, health.tries, health.hour.events) == (Remedy.RESEND, 1, 1)


def test_a_peer_that_wakes_the_channel_gets_one_try_and_no_new_hour() -> None:
    health = faults(HEALTHY, 4)[1].woken()
    assert health.status is Status.HEALING
    assert health.fault(Fault.DAMAGED, NOW + 60_000, 1)[0] is Remedy.STOP
    tired = faults(HEALTHY, 11, opened_between=True)[1].woken()
    assert tired.fault(Fault.DAMAGED, NOW + 60_000, 2)[0] is Remedy.STOP


def test_nine_wrong_macs_a_day_are_tried_again_the_tenth_is_not() -> None:
    health, remedies = HEALTHY, []
    for _ in range(10):
        remedy, health = health.wrong_mac(NOW)
        remedies.append(remedy)
    assert remedies == [Remedy.RESET] * 9 + [Remedy.STOP]
    assert health.retrying().wrong_mac(NOW + HOUR_MS)[0] is Remedy.STOP
    assert health.retrying().wrong_mac(NOW + DAY_MS)[0] is Remedy.RESET


def test_the_wait_doubles_from_a_minute_to_an_hour() -> None:
    health, waits = HEALTHY, []
    for _ in range(8):
        health = health.failed(NOW)
        waits.append(health.retry_ms - NOW)
        health = health.retrying()
        assert health.status is Status.HEALING
    assert waits == [60_000 * 2**n for n in range(6)] + [3_600_000] * 2
    assert health.opened().failed(NOW).retry_ms == NOW + RETRY_MS[0]


def test_error_is_over_when_its_time_has_come_whichever_way_the_clock_went() -> None:
    health = HEALTHY.failed(NOW)
    assert health.paused(NOW)
    assert health.paused(NOW + RETRY_MS[0] - 1)
    assert not health.paused(NOW + RETRY_MS[0])
    assert not health.paused(NOW - 10 * 365 * DAY_MS)
    assert not HEALTHY.paused(NOW)


def test_a_clock_that_went_back_begins_a_new_hour() -> None:
    _, health = faults(HEALTHY, 9, opened_between=True)
    _, health = health.fault(Fault.UNOPENABLE, NOW - DAY_MS, 1)
    assert health.hour.events == 1
