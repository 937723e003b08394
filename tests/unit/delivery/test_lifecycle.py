import pytest

from p2pchat.delivery.lifecycle import Fact, State, after, clamp_expiry_s, has_expired, withdrawal_needed

RANK = {State.QUEUED: 0, State.SENT: 1, State.DELIVERED: 2, State.READ: 3}


@pytest.mark.parametrize(
    ("state", "fact", "then"),
    [
        ("queued", "written", "sent"),
        ("queued", "receipt", "delivered"),
        ("sent", "receipt", "delivered"),
        ("delivered", "read", "read"),
        ("sent", "read", "read"),
        ("queued", "cancel", "failed"),
        ("sent", "expire", "failed"),
        ("delivered", "written", "delivered"),  # the gate's SENT may come after the peer's receipt
        ("read", "receipt", "read"),
        ("delivered", "cancel", "delivered"),
        ("read", "expire", "read"),
        ("failed", "receipt", "failed"),  # for the void in its place
        ("failed", "written", "failed"),
        ("failed", "read", "failed"),
    ],
)
def test_states_follow_the_table(state: str, fact: str, then: str) -> None:
    assert after(State(state), Fact(fact)) is State(then)


def test_no_fact_ever_takes_a_message_back() -> None:
    for state, rank in RANK.items():
        for fact in Fact:
            then = after(state, fact)
            assert then is State.FAILED or RANK[then] >= rank
    assert {after(State.FAILED, fact) for fact in Fact} == {State.FAILED}


def test_what_may_have_arrived_is_also_withdrawn() -> None:
    assert not withdrawal_needed(State.QUEUED)
    assert not withdrawal_needed(State.FAILED)
    assert all(withdrawal_needed(state) for state in (State.SENT, State.DELIVERED, State.READ))


@pytest.mark.parametrize(("wanted", "got"), [(1, 60), (60, 60), (3600, 3600), (10**10, 366 * 86_400), (-5, 60)])
def test_expiry_is_clamped(wanted: float, got: float) -> None:
    assert clamp_expiry_s(wanted) == got


def test_when_a_message_expires() -> None:
    assert has_expired(State.QUEUED, expires_at_ms=100, now_ms=100)
    assert has_expired(State.SENT, expires_at_ms=100, now_ms=101)
    assert not has_expired(State.QUEUED, expires_at_ms=100, now_ms=99)
    assert not has_expired(State.QUEUED, expires_at_ms=0, now_ms=10**15)
    assert not has_expired(State.DELIVERED, expires_at_ms=100, now_ms=101)
    assert not has_expired(State.FAILED, expires_at_ms=100, now_ms=101)
