"""What systemd hears of a daemon that one of its units runs."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pchat.errors import WrongPassword
from p2pchat.launch.notify import VARIABLE, Notifier, NotifyingReport
from p2pchat.launch.report import TerminalReport


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(5)
        yield sock


def told(manager: socket.socket) -> list[str]:
    return manager.recv(4096).decode().splitlines()


def test_the_words_of_a_daemon_s_life(manager: socket.socket, capsys: pytest.CaptureFixture[str]) -> None:
    environ = {VARIABLE: manager.getsockname(), "HOME": "/h"}
    notifier = Notifier.take(environ)
    assert notifier is not None and environ == {"HOME": "/h"}, "no child inherits it"
    report = NotifyingReport(TerminalReport(as_json=False), notifier)
    report.ready({"pid": 7, "listen": ["127.0.0.1:7000"], "socket": "/h/rpc.sock"})
    assert told(manager) == ["READY=1", "STATUS=listening on 127.0.0.1:7000"]
    report.ending()
    assert told(manager) == ["STOPPING=1", "STATUS=committing and ending"]
    report.failed(WrongPassword("wrong\nREADY=1"))
    assert told(manager) == ["STATUS=WRONG_PASSWORD: wrong READY=1"], "no error can speak for the daemon"
    assert "running: process 7" in capsys.readouterr().out


def test_an_abstract_address(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f"\0{tmp_path}")
        notifier = Notifier.take({VARIABLE: f"@{tmp_path}"})
        assert notifier is not None
        notifier.tell("READY=1")
        sock.settimeout(5)
        assert told(sock) == ["READY=1"]


@pytest.mark.parametrize("address", ["", "vsock:2:1234", "relative"])
def test_without_an_address_of_ours_nothing_is_told(address: str) -> None:
    assert Notifier.take({VARIABLE: address}) is None
    assert Notifier.take({}) is None


def test_a_manager_that_does_not_listen_does_no_harm(tmp_path: Path) -> None:
    notifier = Notifier.take({VARIABLE: str(tmp_path / "gone")})
    assert notifier is not None
    notifier.tell("READY=1")
