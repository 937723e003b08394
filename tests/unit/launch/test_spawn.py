"""Where the system has no process to give, the launcher says so in a sentence."""

import errno
import os
import socket
from pathlib import Path

import pytest

from p2pchat.errors import Failed
from p2pchat.launch import crew


def test_no_process_to_be_had_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(crew.subprocess, "Popen", refuse)
    one, other = socket.socketpair()
    with one, other, (tmp_path / "lock").open("w") as lock, pytest.raises(Failed, match="cannot start the vault"):
        crew._spawn("vault", ["true"], one, other, {}, lock.fileno())
