from p2pchat.launch.backoff import Backoff


def test_early_ends_wait_longer_each_time_and_the_fifth_in_a_minute_is_the_last() -> None:
    backoff = Backoff()
    ends_s = [0.0, 0.2, 1.3, 6.4, 36.5]
    assert [backoff.after_end(was_ready=False, now_s=now) for now in ends_s] == [0.1, 1.0, 5.0, 30.0, None]


def test_what_had_been_ready_starts_again_at_once() -> None:
    backoff = Backoff()
    assert {backoff.after_end(was_ready=True, now_s=n / 10) for n in range(100)} == {0.1}


def test_a_ready_in_between_starts_the_row_anew() -> None:
    backoff = Backoff()
    backoff.after_end(was_ready=False, now_s=0)
    backoff.after_end(was_ready=False, now_s=1)
    backoff.after_end(was_ready=True, now_s=2)
    assert backoff.after_end(was_ready=False, now_s=3) == 0.1


def test_five_ends_over_more_than_a_minute_go_on() -> None:
    backoff = Backoff()
    delays = [backoff.after_end(was_ready=False, now_s=n * 20.0) for n in range(8)]
    assert delays == [0.1, 1.0, 5.0, 30.0, 30.0, 30.0, 30.0, 30.0]
