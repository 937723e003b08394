import json
import socket
from collections.abc import Iterator

import pytest

from p2pchat import lifeline
from p2pchat.errors import BadFormat, Corrupt, P2PChatError
from p2pchat.lifeline import Lifeline, Unlocked


@pytest.fixture
def ends() -> Iterator[tuple[Lifeline, socket.socket]]:
    ours, theirs = socket.socketpair()
    boundary, other = socket.socketpair()
    with ours, theirs, boundary, other:
        yield Lifeline(theirs, boundary, other), ours


def said(sock: socket.socket) -> list[object]:
    sock.setblocking(False)
    return [json.loads(line) for line in sock.recv(65536).splitlines()]


@pytest.mark.parametrize("argv", [[], ["1", "2"], ["a", "b", "c"], ["-1", "2", "3"], ["997", "998", "999"]])
def test_started_by_hand_it_says_so(argv: list[str]) -> None:
    with pytest.raises(BadFormat, match="started by the daemon only"):
        Lifeline.inherit(argv)


def test_it_takes_what_it_inherits(monkeypatch: pytest.MonkeyPatch) -> None:
    hardened: list[bool] = []
    monkeypatch.setattr(lifeline, "refuse_dumps", lambda: hardened.append(True))
    pair, boundary = socket.socketpair(), socket.socketpair()
    numbers = [pair[0].detach(), boundary[0].detach(), boundary[1].detach()]
    line = Lifeline.inherit([str(number) for number in numbers])
    with line.control, line.boundary, line.listener, pair[1]:
        assert hardened
        assert [line.fileno(), line.boundary.fileno(), line.listener.fileno()] == numbers


def test_the_key_arrives_and_not_a_byte_beyond_it_is_read(ends: tuple[Lifeline, socket.socket]) -> None:
    line, launcher = ends
    launcher.sendall(b'{"key": "' + b"ab" * 32 + b'", "listen": ["127.0.0.1:0"]}\nrest')
    assert line.receive_key() == Unlocked(b"\xab" * 32, ("127.0.0.1:0",))
    assert line.control.recv(10) == b"rest"


def test_a_launcher_that_ends_ends_the_wait(ends: tuple[Lifeline, socket.socket]) -> None:
    line, launcher = ends
    launcher.close()
    with pytest.raises(SystemExit) as ended:
        line.receive_key()
    assert ended.value.code == 0


def test_what_it_says(ends: tuple[Lifeline, socket.socket]) -> None:
    line, launcher = ends
    line.ready({"listen": ["127.0.0.1:7000"]})
    line.request_stop()
    assert said(launcher) == [{"ready": {"listen": ["127.0.0.1:7000"]}}, {"stop": True}]


def test_speaking_to_a_dead_launcher_is_no_error(ends: tuple[Lifeline, socket.socket]) -> None:
    line, launcher = ends
    launcher.close()
    line.ready({})


@pytest.mark.parametrize(
    ("raised", "code", "status"),
    [
        (Corrupt("the store is damaged"), "CORRUPT", 6),
        (ExceptionGroup("", [ExceptionGroup("", [Corrupt("the store is damaged")])]), "CORRUPT", 6),
        (ExceptionGroup("", [Corrupt("the store is damaged"), ValueError()]), "BUG", 70),
        (ValueError("secret text"), "BUG", 70),
        (P2PChatError("an error without a code of its own"), "BUG", 70),
    ],
)
def test_an_error_is_reported_and_sets_the_status(
    ends: tuple[Lifeline, socket.socket],
    capfd: pytest.CaptureFixture[str],
    raised: Exception,
    code: str,
    status: int,
) -> None:
    line, launcher = ends
    with pytest.raises(SystemExit) as ended, line.reporting():
        raise raised
    assert ended.value.code == status
    [told] = said(launcher)
    assert isinstance(told, dict)
    assert told["error"]["code"] == code
    assert "secret text" not in told["error"]["message"]
    assert ("Traceback" in capfd.readouterr().err) == (code == "BUG")


def test_an_ordinary_end_says_nothing(ends: tuple[Lifeline, socket.socket]) -> None:
    line, launcher = ends
    with line.reporting():
        pass
    with pytest.raises(BlockingIOError):
        said(launcher)
