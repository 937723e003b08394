"""``recv`` against an event log that keeps readers as the daemon's does."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pchat.rpc.schema import OUTPUTS
from tests.support.command_line import p2pchat
from tests.support.event_log import EventLog
from tests.support.fake_daemon import BOB, MESSAGE, FakeDaemon


@pytest.fixture
def log(fake: FakeDaemon) -> EventLog:
    made = EventLog()
    fake.answers["event.next"] = made.next
    return made


def cursors(*words: str) -> list[int]:
    done = p2pchat("--json", "recv", *words)
    assert done.status == 0, done.err
    return [line["cursor"] for line in done.lines]


def test_everything_is_printed_once(log: EventLog) -> None:
    for _ in range(150):
        log.add()
    assert cursors() == list(range(1, 151))
    assert log.readers == {"cli": 150}
    assert cursors() == []
    log.add()
    assert cursors() == [151]


def test_an_event_has_the_documented_shape(log: EventLog) -> None:
    log.add(text="two\nlines")
    (event,) = p2pchat("--json", "recv").lines
    assert event.pop("v") == 1
    OUTPUTS["recv"].check(event, "recv")
    assert event == log.events[0]


def test_readers_are_independent_and_durable(log: EventLog) -> None:
    log.add()
    assert cursors("--reader", "backup") == [1]
    assert cursors() == [1]
    assert cursors("--from", "bob") == [1]
    assert log.readers == {"backup": 1, "cli": 1, "cli:bob": 1}


def test_since_and_peek_move_no_reader(log: EventLog) -> None:
    for _ in range(3):
        log.add()
    assert cursors("--since", "1") == [2, 3]
    assert cursors("--since", "0") == [1, 2, 3]
    assert cursors("--peek") == [1, 2, 3]
    assert cursors("--peek", "--limit", "2") == [1, 2]
    assert log.readers.get("cli", 0) == 0
    assert cursors() == [1, 2, 3]


def test_peek_over_several_pages_ends(log: EventLog) -> None:
    for _ in range(130):
        log.add()
    assert cursors("--peek") == cursors("--since", "0") == list(range(1, 131))


def test_a_limit_confirms_no_more_than_was_printed(log: EventLog) -> None:
    for _ in range(100):
        log.add()
    assert cursors("--limit", "3") == [1, 2, 3]
    assert log.readers == {"cli": 3}
    assert cursors("--limit", "70") == list(range(4, 74))
    assert log.readers == {"cli": 73}


def test_messages_alone_unless_all(log: EventLog) -> None:
    log.add("contact-request", nickname="eve", text="hello")
    log.add()
    assert cursors() == [2]
    assert cursors("--all", "--reader", "other") == [1, 2]


def test_timeout_waits_for_one_event_or_ends_with_7(log: EventLog) -> None:
    done = p2pchat("--json", "recv", "--timeout", "0.01")
    assert (done.status, done.out, done.error["code"]) == (7, "", "TIMEOUT")
    timer = threading.Timer(0.05, log.add)
    timer.start()
    assert cursors("--timeout", "5") == [1]
    timer.join()
    log.add()
    log.add()
    assert cursors("--timeout", "5") == [2], "one unless told"
    assert cursors("--timeout", "0.01", "--limit", "5") == [3], "what came counts, though it is fewer"


def test_follow_goes_on_until_the_limit(log: EventLog) -> None:
    log.add()
    timer = threading.Timer(0.05, log.add)
    timer.start()
    assert cursors("--follow", "--limit", "2") == [1, 2]
    timer.join()


def test_follow_with_a_timeout_ends(log: EventLog) -> None:
    log.add()
    log.add()
    assert cursors("--follow", "--timeout", "0.02") == [1, 2]
    assert p2pchat("recv", "--follow", "--timeout", "0.01").status == 7


def test_a_daemon_that_breaks_off_costs_nothing(log: EventLog, fake: FakeDaemon) -> None:
    for _ in range(70):
        log.add()
    fake.drop = 2
    assert cursors() == list(range(1, 71))


@pytest.mark.parametrize(
    "words",
    [
        ["--since", "1", "--reader", "x"],
        ["--since", "-1"],
        ["--limit", "0"],
        ["--timeout", "-1"],
        ["--reader", ""],
        ["x"],
    ],
)
def test_words_that_are_off_end_with_2(fake: FakeDaemon, words: list[str]) -> None:
    assert p2pchat("recv", *words).status == 2
    assert fake.calls == []


def test_a_full_disk_at_the_other_end_of_stdout_confirms_nothing(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.add()
    from p2pchat.commands import printing as module

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "print_event", full)
    assert p2pchat("recv").status == 1
    assert log.readers.get("cli", 0) == 0


def test_people_get_a_line_an_event(log: EventLog) -> None:
    log.add(text="hi\x1b[2J")
    log.add(text="two\nlines")
    log.add("withdrawn", message=MESSAGE, nickname="bob")
    log.add("contact-request", nickname="eve", text="it is me")
    log.add("contact-accepted", nickname=None)
    log.add("key-changed", fingerprint="0" * 64)
    log.add("delivery", message=MESSAGE, to=BOB, state="failed", reason="expired")
    log.add("warning", text="Serious connection error")
    out = p2pchat("recv", "--all").out.splitlines()
    assert out[0].endswith("pc1zzzzzzzz bob: hi<U+001B>[2J")
    assert out[1].endswith("pc1zzzzzzzz bob:") and out[2:4] == ["  | two", "  | lines"]
    assert out[4:] == [
        f"withdrawn: pc1zzzzzzzz bob took back message {MESSAGE}",
        "contact-request: pc1zzzzzzzz eve asks for contact: it is me",
        "contact-accepted: pc1zzzzzzzz is a contact now",
        "key-changed: pc1zzzzzzzz has a new key; compare: p2pchat contact verify pc1zzzzzzzz",
        f"delivery: message {MESSAGE} to pc1zzzzzzzz is failed (expired)",
        "warning: Serious connection error",
    ]


@pytest.fixture
def follower(home: Path, log: EventLog) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "p2pchat", "--json", "recv", "--follow"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_follower_cleanly(
    follower: subprocess.Popen[str], log: EventLog, number: signal.Signals
) -> None:
    assert follower.stdout is not None and follower.stderr is not None
    log.add()
    assert json.loads(follower.stdout.readline())["cursor"] == 1
    follower.send_signal(number)
    assert follower.wait(10) == 128 + number
    assert follower.stderr.read() == ""
    assert log.readers == {"cli": 1}, "what was printed is confirmed"


def test_a_reader_that_goes_away_is_no_error(follower: subprocess.Popen[str], log: EventLog) -> None:
    assert follower.stdout is not None and follower.stderr is not None
    log.add()
    follower.stdout.readline()
    follower.stdout.close()
    log.add()
    assert follower.wait(10) == 141
    assert follower.stderr.read() == ""
    assert log.readers["cli"] == 1, "the second was not printed, so it comes again"


def test_a_quiet_follower_ends_with_the_reader_of_its_output(follower: subprocess.Popen[str], log: EventLog) -> None:
    """``recv --follow | head -1`` does not wait for one more message."""
    assert follower.stdout is not None and follower.stderr is not None
    log.add()
    follower.stdout.readline()
    follower.stdout.close()
    assert follower.wait(10) == 141
    assert follower.stderr.read() == ""
    assert log.readers["cli"] == 1


@pytest.mark.parametrize("follow", ["", "--follow"])
def test_what_head_does_not_take_stays_for_the_next_call(home: Path, log: EventLog, follow: str) -> None:
    for _ in range(10):
        log.add()
    command = f"{sys.executable} -m p2pchat --json recv {follow} | head -3"
    taken = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, text=True, timeout=20, check=True).stdout
    assert [json.loads(line)["cursor"] for line in taken.splitlines()] == [1, 2, 3]
    assert cursors("--limit", "1") == [4]


def test_a_reader_that_takes_its_time_gets_everything(home: Path, log: EventLog) -> None:
    for _ in range(5):
        log.add()
    command = f'{sys.executable} -m p2pchat --json recv | while read -r line; do sleep 0.05; echo "$line"; done'
    taken = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, text=True, timeout=20, check=True).stdout
    assert [json.loads(line)["cursor"] for line in taken.splitlines()] == [1, 2, 3, 4, 5]
    assert log.readers == {"cli": 5}


def test_a_cursor_beyond_all_numbers_is_a_slip_of_the_keyboard(log: EventLog) -> None:
    assert p2pchat("recv", "--since", "99999999999999999999").status == 2
