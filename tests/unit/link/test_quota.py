"""Token buckets, and the memory of first messages."""

from p2pchat.link.quota import SeenEphemerals, TokenBucket


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket = TokenBucket(burst=3, per_s=2, now_s=0.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(1.0) for _ in range(3)] == [True, True, False]


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    bucket = TokenBucket(burst=2, per_s=100, now_s=0.0)
    assert [bucket.take(1000.0) for _ in range(3)] == [True, True, False]


def test_an_ephemeral_key_is_new_once() -> None:
    seen = SeenEphemerals()
    assert seen.is_new(b"a")
    assert not seen.is_new(b"a")
    assert seen.is_new(b"b")


def test_the_memory_of_ephemeral_keys_is_bounded_and_drops_the_oldest() -> None:
    seen = SeenEphemerals(remembered=2)
    assert all(seen.is_new(key) for key in (b"a", b"b", b"c"))
    assert not seen.is_new(b"c")
    assert seen.is_new(b"a")
