"""Strangers from one neighbourhood."""

from p2pchat.firewall.strangers import HOUR_S, REMEMBERED, Strangers


def test_each_neighbourhood_has_an_allowance_of_its_own() -> None:
    strangers = Strangers(3)
    assert [strangers.may_enter(f"192.0.2.{n}", 0.0) for n in range(5)] == [True, True, True, False, False]
    assert strangers.may_enter("198.51.100.1", 0.0)
    assert [strangers.may_enter(f"2001:db8::{n}", 0.0) for n in range(4)] == [True, True, True, False]
    assert strangers.may_enter("192.0.2.9", HOUR_S / 3)
    assert not strangers.may_enter("192.0.2.9", HOUR_S / 3)


def test_no_limit() -> None:
    assert all(Strangers(0).may_enter("192.0.2.1", 0.0) for _ in range(1000))


def test_what_is_remembered_is_bounded() -> None:
    strangers = Strangers(1)
    for n in range(2 * REMEMBERED):
        assert strangers.may_enter(f"10.{n // 256}.{n % 256}.1", 0.0)
    assert len(strangers._buckets) == REMEMBERED
    assert not strangers.may_enter(f"10.{(2 * REMEMBERED - 1) // 256}.{(2 * REMEMBERED - 1) % 256}.7", 0.0)
