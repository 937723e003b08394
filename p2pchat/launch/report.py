"""How the launcher tells whoever started it that the daemon serves, or why it does not."""

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol

from p2pchat.errors import P2PChatError


def listening_on(info: Mapping[str, object]) -> str:
    """The addresses under ``listen`` in words. ``info`` comes from another process."""
    listen = info.get("listen")
    return ", ".join(map(str, listen)) if isinstance(listen, list) and listen else "nothing"


class Report(Protocol):
    """Exactly one of ``ready`` and ``failed`` is called, once, before anything else goes wrong."""

    def ready(self, info: Mapping[str, object]) -> None:
        """``info``: ``pid``, ``listen`` (a list of HOST:PORT) and ``socket`` (the path of rpc.sock)."""

    def failed(self, error: P2PChatError) -> None: ...

    def ending(self) -> None:
        """Somebody asked the daemon to end; its children are about to be told."""


class PipeReport:
    """One JSON line on an inherited descriptor, for ``daemonize.start``."""

    def __init__(self, fd: int) -> None:
        os.set_inheritable(fd, False)
        self._fd = fd

    def ready(self, info: Mapping[str, object]) -> None:
        self._tell({"ready": dict(info)})

    def failed(self, error: P2PChatError) -> None:
        self._tell({"error": error.as_json()})

    def ending(self) -> None:
        """Whoever started the daemon has gone long ago, or reads ``failed``."""

    def _tell(self, message: Mapping[str, object]) -> None:
        with suppress(OSError):  # the starter was impatient; the daemon lives on
            os.write(self._fd, json.dumps(message).encode() + b"\n")
        os.close(self._fd)


class TerminalReport:
    """Words, or with ``as_json`` the objects of the command line, for ``daemon run``."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def ready(self, info: Mapping[str, object]) -> None:
        if self._as_json:
            _line(sys.stdout, json.dumps({"v": 1, **info}))
            return
        _line(sys.stdout, f"running: process {info['pid']}, listening on {listening_on(info)}")

    def failed(self, error: P2PChatError) -> None:
        if self._as_json:
            _line(sys.stderr, json.dumps({"v": 1, "error": error.as_json()}))
            return
        _line(sys.stderr, f"error: {error.message}")
        if error.hint:
            _line(sys.stderr, f"hint: {error.hint}")

    def ending(self) -> None:
        """Whoever pressed Ctrl-C knows."""


def _line(stream: object, text: str) -> None:
    with suppress(OSError):  # a terminal or pipe that has gone ends the printing, not the daemon
        print(text, file=stream, flush=True)  # type: ignore[call-overload]
