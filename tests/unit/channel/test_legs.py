from p2pchat.channel.legs import EVERY, FULL


def test_eight_legs_at_once_then_one_a_second() -> None:
    bucket, waits = FULL, []
    for _ in range(11):
        wait_s, bucket = bucket.take(100.0)
        waits.append(wait_s)
    assert waits == [0.0] * 8 + [1.0, 2.0, 3.0]


def test_a_second_gives_one_leg_back_and_never_more_than_eight() -> None:
    bucket = FULL
    for _ in range(8):
        _, bucket = bucket.take(100.0)
    assert bucket.take(100.5)[0] == 0.5
    assert bucket.take(101.0)[0] == 0.0
    rested = bucket.take(10_000.0)[1]
    assert rested.tokens == 7.0


def test_a_clock_that_stands_or_goes_back_gives_nothing() -> None:
    bucket = FULL
    for _ in range(8):
        _, bucket = bucket.take(100.0)
    assert bucket.take(50.0)[0] == 1.0


def test_messages_that_bear_a_key_leave_twenty_a_second() -> None:
    bucket, now_s, left = EVERY, 0.0, 0
    while now_s < 10:
        if not bucket.wait_s(now_s):
            wait_s, bucket = bucket.take(now_s)
            assert wait_s < 0.001
            left += 1
        else:
            assert bucket.wait_s(now_s) >= 0.001  # else a vault would look again at once, for ever
            now_s += bucket.wait_s(now_s)
    assert 215 <= left <= 221
