"""Noticing that the other end, or one's own computer, was away."""

import pytest

from p2pchat.errors import BadFormat
from p2pchat.link.heartbeat import (
    ANSWER_S,
    PAUSED_S,
    PROBE_ANSWER_S,
    UNANSWERED,
    UNREAD_S,
    Beat,
    Heartbeat,
    SleepDetector,
)


def test_a_ping_goes_out_after_twenty_to_forty_seconds() -> None:
    for draw, due_s in ((0.0, 20.0), (0.5, 30.0), (1.0, 40.0)):
        heartbeat = Heartbeat(now_s=0.0, draw=draw)
        assert heartbeat.due_s == due_s
        assert heartbeat.tick(now_s=due_s - 0.1, draw=0.5) is Beat.WAIT
        assert heartbeat.tick(now_s=due_s, draw=0.5) is Beat.PING


def test_silence_after_a_ping_is_death() -> None:
    heartbeat = Heartbeat(now_s=0.0, draw=0.0)
    assert heartbeat.tick(now_s=20.0, draw=1.0) is Beat.PING
    assert heartbeat.due_s == 20.0 + ANSWER_S
    assert heartbeat.tick(now_s=34.9, draw=1.0) is Beat.WAIT
    assert heartbeat.tick(now_s=35.0, draw=1.0) is Beat.DEAD


def test_a_second_ping_does_not_put_death_off() -> None:
    heartbeat = Heartbeat(now_s=0.0, draw=0.0)
    heartbeat.tick(now_s=20.0, draw=0.0)
    heartbeat.probe(25.0)
    assert heartbeat.tick(now_s=25.0, draw=1.0) is Beat.PING
    assert heartbeat.tick(now_s=30.0, draw=1.0) is Beat.DEAD


def test_anything_heard_is_a_sign_of_life() -> None:
    heartbeat = Heartbeat(now_s=0.0, draw=0.0)
    heartbeat.tick(now_s=20.0, draw=0.0)
    heartbeat.heard()
    assert heartbeat.due_s == 40.0
    assert heartbeat.tick(now_s=35.0, draw=0.0) is Beat.WAIT


def test_doubt_asks_at_once_and_waits_less() -> None:
    heartbeat = Heartbeat(now_s=0.0, draw=0.5)
    heartbeat.probe(3.0)
    assert heartbeat.due_s == 3.0
    assert heartbeat.tick(now_s=3.0, draw=0.5) is Beat.PING
    assert heartbeat.due_s == 3.0 + PROBE_ANSWER_S
    assert heartbeat.tick(now_s=8.0, draw=0.5) is Beat.DEAD


def test_a_pong_answers_the_oldest_ping_and_nothing_else() -> None:
    heartbeat = Heartbeat(now_s=0.0, draw=0.0)
    heartbeat.asked(b"one", 20.0)
    heartbeat.asked(b"two", 40.0)
    heartbeat.answered(b"one", 41.0)
    for wrong in (b"one", b"three"):
        with pytest.raises(BadFormat, match="answers no PING"):
            heartbeat.answered(wrong, 42.0)
    with pytest.raises(BadFormat):
        Heartbeat(now_s=0.0, draw=0.0).answered(b"one", 1.0)


def test_who_talks_and_never_answers_is_given_up() -> None:
    heartbeat, now_s, beats = Heartbeat(now_s=0.0, draw=0.0), 0.0, []
    while (beat := heartbeat.tick(now_s=now_s, draw=0.0)) is not Beat.DEAD:
        if beat is Beat.PING:
            heartbeat.asked(b"n", now_s)
        heartbeat.heard()
        beats.append(beat)
        now_s = heartbeat.due_s
    assert now_s == 20.0 + UNREAD_S
    assert beats.count(Beat.PING) == UNREAD_S / 20.0


def test_each_answer_gives_the_next_one_its_time() -> None:
    heartbeat = Heartbeat(now_s=0.0, draw=0.0)
    heartbeat.asked(b"one", 20.0)
    heartbeat.asked(b"two", 300.0)
    heartbeat.answered(b"one", 319.0)
    assert heartbeat.tick(now_s=19.0 + 300.0 + UNREAD_S - 0.1, draw=0.0) is not Beat.DEAD
    assert heartbeat.tick(now_s=19.0 + 300.0 + UNREAD_S, draw=0.0) is Beat.DEAD


def test_who_does_not_read_accuses_nobody_and_is_heard_all_the_same() -> None:
    heartbeat = Heartbeat(now_s=0.0, draw=1.0)
    heartbeat.tick(now_s=40.0, draw=1.0)
    heartbeat.asked(b"n", 40.0)
    assert heartbeat.tick(now_s=41.0, draw=1.0, paused=True) is Beat.WAIT
    pings, now_s = 1, heartbeat.due_s
    assert now_s == 41.0 + PAUSED_S < 40.0 + PROBE_ANSWER_S + PAUSED_S
    while now_s < 1000.0:
        beat = heartbeat.tick(now_s=now_s, draw=1.0, paused=True)
        assert beat is not Beat.DEAD
        if beat is Beat.PING:
            heartbeat.asked(b"n", now_s)
            pings += 1
        now_s = heartbeat.due_s
    assert pings == UNANSWERED
    assert heartbeat.tick(now_s=now_s, draw=1.0) is not Beat.DEAD
    for _ in range(UNANSWERED):
        heartbeat.answered(b"n", now_s)


@pytest.mark.parametrize(
    ("now_s", "boot_s", "slept"), [(110.0, 510.0, False), (110.0, 511.5, False), (110.0, 3000.0, True)]
)
def test_a_sleep_shows_where_the_clocks_part(now_s: float, boot_s: float, slept: bool) -> None:
    detector = SleepDetector(now_s=100.0, boot_s=500.0)
    assert detector.slept(now_s=now_s, boot_s=boot_s) is slept
    assert detector.slept(now_s=now_s + 5, boot_s=boot_s + 5) is False
