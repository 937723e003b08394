"""A bound on how often."""

from p2pchat.token_bucket import TokenBucket


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket = TokenBucket(burst=3, per_s=2, now_s=0.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(1.0) for _ in range(3)] == [True, True, False]


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    bucket = TokenBucket(burst=2, per_s=100, now_s=0.0)
    assert [bucket.take(1000.0) for _ in range(3)] == [True, True, False]
