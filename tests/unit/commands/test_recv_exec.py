"""``recv --exec``: programs that take events, fail, hang, flood, or are none."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from p2pchat.commands import program as module
from tests.support.command_line import p2pchat
from tests.support.daemons import wait_for
from tests.support.event_log import EventLog
from tests.support.fake_daemon import FakeDaemon

Script = Callable[[str], str]


@pytest.fixture
def log(fake: FakeDaemon) -> EventLog:
    made = EventLog()
    fake.answers |= {"event.next": made.next, "event.failed": made.failed}
    return made


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Makes a program of a few lines of shell; ``$OUT`` in it is a file beside it."""

    def make(lines: str) -> str:
        path = tmp_path / "program"
        path.write_text(f"#!/bin/sh\nOUT='{tmp_path}/out'\n{lines}\n")
        path.chmod(0o755)
        return str(path)

    return make


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSES_S", (0.001,) * 5)


def test_each_event_is_the_stdin_of_one_run(log: EventLog, script: Script, out: Path) -> None:
    for number in range(3):
        log.add(text=f"text {number}\n'; touch x #")
    done = p2pchat("recv", "--exec", script('echo "$# $*" >>"$OUT.args"; cat >>"$OUT"'))
    assert (done.status, done.out, done.err) == (0, "", "")
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert lines == [{"v": 1, **event} for event in log.events]
    assert Path(f"{out}.args").read_text() == "0 \n" * 3, "no arguments"
    assert log.readers == {"cli": 3}


def test_no_text_is_in_the_environment(log: EventLog, script: Script, out: Path) -> None:
    log.add(text="a secret")
    assert p2pchat("recv", "--exec", script('env >"$OUT"')).status == 0
    assert "a secret" not in out.read_text()


def test_the_program_speaks_to_the_same_daemon(
    log: EventLog, script: Script, out: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.add()
    monkeypatch.setenv("P2PCHAT_HOME", "/nowhere")
    assert p2pchat("recv", "--home", str(home), "--exec", script('printenv P2PCHAT_HOME >"$OUT"')).status == 0
    assert out.read_text().strip() == str(home)


def test_a_program_that_reads_nothing_has_dealt_with_it(log: EventLog, script: Script) -> None:
    log.add(text="\x01" * 60_000)  # more than a pipe holds
    assert p2pchat("recv", "--exec", script("exit 0")).status == 0
    assert log.readers == {"cli": 1}


@pytest.mark.usefixtures("no_pauses")
def test_a_failure_is_tried_again(log: EventLog, script: Script, out: Path, fake: FakeDaemon) -> None:
    log.add()
    log.add()
    done = p2pchat("recv", "--exec", script('cat >/dev/null; echo >>"$OUT"; [ $(wc -l <"$OUT") -gt 3 ]'))
    assert done.status == 0
    assert len(out.read_text().splitlines()) == 5, "three failures, and once for each event"
    assert [told["tries"] for told in fake.asked("event.failed")] == [1, 2, 3]
    assert done.err.count("exit status 1 at event 1; again in") == 3
    assert log.readers == {"cli": 2}


@pytest.mark.usefixtures("no_pauses")
def test_after_five_retries_the_reader_goes_on_and_says_so(log: EventLog, script: Script, out: Path) -> None:
    log.add(text="poison")
    log.add(text="good")
    done = p2pchat("--json", "recv", "--exec", script('grep -q good || { echo x >>"$OUT"; exit 3; }'))
    assert (done.status, done.error["code"]) == (1, "FAILED")
    assert "failed at 1 of 2 events" in done.error["message"]
    assert done.error["hint"].startswith("p2pchat recv --since 0 --limit 1 --exec ")
    assert out.read_text() == "x\n" * 6
    assert log.events[-1]["type"] == "warning"
    assert log.readers == {"cli": 2}


@pytest.mark.usefixtures("no_pauses")
def test_tries_of_the_run_before_count(log: EventLog, script: Script, fake: FakeDaemon) -> None:
    log.add()
    log.tries["cli"] = 4
    assert p2pchat("recv", "--exec", script("exit 3")).status == 1
    assert [told["tries"] for told in fake.asked("event.failed")] == [5, 6]


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize("words", [["--since", "0"], ["--peek"]])
def test_without_a_reader_nothing_is_counted_or_moved(
    log: EventLog, script: Script, out: Path, fake: FakeDaemon, words: list[str]
) -> None:
    log.add()
    done = p2pchat("recv", *words, "--exec", script('echo x >>"$OUT"; exit 3'))
    assert done.status == 1
    assert out.read_text() == "x\n" * 6
    assert fake.asked("event.failed") == [] and log.readers.get("cli", 0) == 0


def test_limit_and_reader_and_from_count_as_ever(log: EventLog, script: Script, out: Path, fake: FakeDaemon) -> None:
    for _ in range(3):
        log.add()
    program = script('cat >>"$OUT"')
    assert p2pchat("recv", "--limit", "2", "--reader", "bot", "--exec", program).status == 0
    assert p2pchat("recv", "--from", "bob", "--limit", "1", "--exec", program).status == 0
    assert len(out.read_text().splitlines()) == 3
    assert log.readers == {"bot": 2, "cli:bob": 1}
    assert p2pchat("recv", "--from", "bob", "--limit", "1", "--timeout", "0", "--exec", script("exit 3")).status == 7
    assert fake.asked("event.failed") == [{"from": "bob", "cursor": 2, "tries": 1}]


def test_the_time_ends_a_pause_between_tries(log: EventLog, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSES_S", (60.0,) * 5)
    log.add()
    began_s = time.monotonic()
    done = p2pchat("--json", "recv", "--timeout", "0.3", "--exec", script("exit 3"))
    assert time.monotonic() - began_s < 30
    assert (done.status, done.error["code"]) == (7, "TIMEOUT")
    assert "failed (exit status 3); the event comes again" in done.error["message"]
    assert log.readers.get("cli", 0) == 0 and log.tries["cli"] == 1


def test_nothing_to_do_in_time(log: EventLog, script: Script) -> None:
    done = p2pchat("--json", "recv", "--timeout", "0.01", "--exec", script("exit 0"))
    assert (done.status, done.error["message"]) == (7, "nothing came in time")


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("/nowhere/program", 5, "there is no program"),
        ("no-such-program-at-all", 5, "there is no program"),
        ("cat -n", 5, "takes no arguments"),
        ("", 5, "there is no program"),
        ("/tmp", 1, "is a folder"),
        ("/etc/passwd", 1, "may not be executed"),
    ],
)
def test_what_is_no_program_is_said_before_anything_is_asked(
    log: EventLog, fake: FakeDaemon, name: str, status: int, words: str
) -> None:
    log.add()
    done = p2pchat("recv", "--exec", name)
    assert done.status == status
    assert words in done.err
    assert fake.calls == []


@pytest.mark.parametrize("first_line", ["#!/nowhere/interpreter", "neither a script nor a program", "#!/bin/sh\nnope"])
def test_a_program_that_cannot_run_passes_no_event_over(
    log: EventLog, fake: FakeDaemon, tmp_path: Path, first_line: str
) -> None:
    log.add()
    path = tmp_path / "program"
    path.write_text(first_line + "\n")
    path.chmod(0o755)
    done = p2pchat("recv", "--exec", str(path))
    assert done.status == 1
    assert "did not run" in done.err and "no event was passed over" in done.err
    assert fake.asked("event.failed") == [] and log.readers.get("cli", 0) == 0


@pytest.mark.usefixtures("no_pauses")
def test_a_program_that_never_ends_is_ended(
    log: EventLog, script: Script, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EXEC_S", 0.2)
    log.add()
    log.tries["cli"] = 5
    done = p2pchat("recv", "--exec", script('sleep 600 & echo $! >>"$OUT"; wait'))
    assert done.status == 1
    assert "not done within 0 s at event 1; given up" in done.err
    wait_for(lambda: gone(int(out.read_text())), seconds=5, what="what the program started to end with it")


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.mark.usefixtures("no_pauses")
def test_a_program_that_is_killed_has_failed(log: EventLog, script: Script) -> None:
    log.add()
    log.tries["cli"] = 5
    assert "ended by SIGSEGV" in p2pchat("recv", "--exec", script("kill -SEGV $$")).err


def start(script: str, *words: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "p2pchat", "recv", *words, "--exec", script]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_program_too_and_moves_no_reader(
    log: EventLog, script: Script, out: Path, number: signal.Signals, fake: FakeDaemon
) -> None:
    log.add()
    log.add()
    with start(script('echo $$ >>"$OUT"; [ $(wc -l <"$OUT") = 1 ] || sleep 600'), "--follow") as process:
        wait_for(lambda: out.exists() and len(out.read_text().split()) == 2, seconds=10, what="the second run")
        process.send_signal(number)
        assert process.wait(10) == 128 + number
        assert process.stderr is not None and process.stderr.read() == ""
    assert gone(int(out.read_text().split()[1]))
    assert log.readers == {"cli": 1}, "the first was done"
    assert fake.asked("event.failed") == [], "an interruption is no failure of the program"


def test_a_signal_ends_a_pause(log: EventLog, script: Script) -> None:
    log.add()
    with start(script("exit 3"), "--follow") as process:
        wait_for(lambda: log.tries.get("cli") == 1, seconds=10, what="the first failure")
        process.send_signal(signal.SIGTERM)
        assert process.wait(3) == 128 + signal.SIGTERM
    assert log.readers.get("cli", 0) == 0


def test_a_program_that_ignores_the_end_is_killed(log: EventLog, script: Script, out: Path) -> None:
    log.add()
    with start(script("trap '' TERM; echo $$ >\"$OUT\"; while :; do sleep 1; done"), "--follow") as process:
        wait_for(lambda: out.exists() and out.read_text() != "", seconds=10, what="the program to run")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 128 + signal.SIGTERM
    assert gone(int(out.read_text()))


def test_a_flood_on_stdout_goes_by_without_being_kept(log: EventLog, script: Script) -> None:
    log.add()
    with start(script("head -c 50000000 /dev/zero")) as process:
        assert process.stdout is not None
        assert sum(len(chunk) for chunk in iter(lambda: process.stdout.read(65536), "")) == 50_000_000  # type: ignore[union-attr]
        assert process.wait(10) == 0
    assert log.readers == {"cli": 1}
