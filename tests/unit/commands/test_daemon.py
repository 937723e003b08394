"""``daemon`` and the password it reads; the launcher itself is tested in tests/unit/launch."""

from pathlib import Path
from typing import Any

import click
import pytest

from p2pchat.errors import AlreadyRunning, NoDaemon, WrongPassword
from p2pchat.launch import daemonize
from p2pchat.launch.opening import Opening
from p2pchat.rpc.schema import OUTPUTS
from tests.support.command_line import p2pchat

STARTED = {"pid": 4711, "listen": ["127.0.0.1:9000"], "socket": "/home/rpc.sock"}


@pytest.fixture
def started(home: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, str | None]]:
    calls: list[tuple[bytes, str | None]] = []

    def start(_home: object, opening: Opening, listen: str | None = None) -> dict[str, object]:
        calls.append((opening.password, listen))
        if opening.password == b"wrong":
            raise WrongPassword("the password is wrong", hint="try again")
        return STARTED

    monkeypatch.setattr(daemonize, "start", start)
    return calls


def test_start_passes_password_and_address_and_prints_three_fields(
    started: list[tuple[bytes, str | None]], tmp_path: Path
) -> None:
    file = tmp_path / "p"
    file.write_text("secret\n")
    done = p2pchat("--json", "daemon", "start", "--password-file", str(file), "--listen", "127.0.0.1:0")
    assert done.json == {"v": 1, **STARTED}
    OUTPUTS["daemon start"].check(STARTED, "daemon start")
    assert started == [(b"secret", "127.0.0.1:0")]


def test_the_password_may_come_from_stdin_a_variable_or_a_prompt(
    started: list[tuple[bytes, str | None]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert p2pchat("daemon", "start", "--password-file", "-", stdin=b"one\nrest").status == 0
    monkeypatch.setattr(click.termui, "hidden_prompt_func", lambda _prompt: "two")
    assert p2pchat("daemon", "start", terminal=True).status == 0
    (tmp_path / "p").write_text("three")
    monkeypatch.setenv("P2PCHAT_PASSWORD_FILE", str(tmp_path / "p"))
    assert p2pchat("daemon", "start").status == 0
    assert [password for password, _ in started] == [b"one", b"two", b"three"]


def test_a_wrong_password_is_4_and_so_is_none(started: list[tuple[bytes, str | None]]) -> None:
    done = p2pchat("--json", "daemon", "start", "--password-file", "-", stdin=b"wrong\n")
    assert (done.status, done.error["code"]) == (4, "WRONG_PASSWORD")
    for words, terminal in ((["--no-input"], True), ([], False)):
        done = p2pchat("--json", "daemon", "start", *words, terminal=terminal)
        assert (done.status, done.error["code"]) == (4, "LOCKED")


def test_a_running_daemon_is_noticed_before_the_password(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemonize, "running_pid", lambda _home: 4711)
    done = p2pchat("--json", "daemon", "start")
    assert (done.status, done.error["code"]) == (AlreadyRunning.exit_status, "ALREADY_RUNNING")


@pytest.mark.parametrize("verb", ["start", "run"])
def test_no_identity_is_5_with_the_next_step(home: Path, verb: str) -> None:
    (home / "unlock.key").unlink()
    done = p2pchat("--json", "daemon", verb)
    assert (done.status, done.error["code"], done.error["hint"]) == (5, "NOT_FOUND", "p2pchat init")


def test_run_becomes_the_daemon(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(daemonize, "run", lambda _home, *rest, as_json: seen.append((*rest, as_json)))
    assert p2pchat("daemon", "run", "--json", "--password-file", "-", stdin=b"secret").status == 0
    assert seen == [(Opening(b"secret"), None, True)]


def test_stop_tells_what_ended(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemonize, "stop", lambda _home: 4711)
    done = p2pchat("--json", "daemon", "stop")
    assert done.json == {"v": 1, "pid": 4711, "running": False}
    OUTPUTS["daemon stop"].check({"pid": 4711, "running": False}, "daemon stop")


def test_stop_without_a_daemon_is_3(home: Path) -> None:
    done = p2pchat("--json", "daemon", "stop")
    assert (done.status, done.error["code"]) == (NoDaemon.exit_status, "NO_DAEMON")
