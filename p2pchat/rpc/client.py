"""A blocking client of the daemon's sockets: what every verb talks through. Standard library only."""

import select
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from p2pchat import local_socket
from p2pchat.errors import ConnectionLost, Failed, NoDaemon, TimedOut
from p2pchat.limits import RPC_LINE_BYTES
from p2pchat.rpc.calls import read_response, request
from p2pchat.rpc.jsonlines import Json, decode

ANSWER_S: Final = 10.0  # a daemon that restarts leaves callers in the socket's backlog meanwhile
PATIENCE_S: Final = 10.0  # how long to look for a daemon that went away during a call
RESENDS: Final = 5  # a request that ends the daemon each time is not sent for ever
_PAUSE_S: Final = 0.1


class OutputGone(Exception):
    """The reader of ``Client.output`` has gone: no error, it has had enough."""


class Client:
    """One connection, made at the first call and again after a restart of the daemon.

    A call whose connection breaks is sent again, so a method must bear to be called twice; ``send`` bears it by its
    idempotency key. ``patience_s`` bounds the search for a daemon that was there when the call began. ``output`` is the
    writing end of a pipe: once nobody reads it any more, waiting for an answer ends with OutputGone.
    """

    def __init__(self, path: Path, *, patience_s: float = PATIENCE_S) -> None:
        self._path = path
        self.patience_s = patience_s
        self.answer_s = ANSWER_S
        self.output: int | None = None
        self._socket: socket.socket | None = None
        self._id = 0
        self._reached = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def call(self, method: str, /, *, wait_s: float = 0.0, **params: object) -> dict[str, Json]:
        """The method's result; ``wait_s`` is how long the daemon itself was asked to wait, ``params`` are the method's.

        Raises what the daemon answers, NoDaemon where none listens, ConnectionLost where it keeps breaking off, and
        TimedOut where it stays silent for ``answer_s`` longer than ``wait_s``.
        """
        lost_s: float | None = None
        resends = 0
        while True:
            try:
                return self._call_once(method, params, wait_s + self.answer_s)
            except ConnectionLost:
                resends += 1
                if resends > RESENDS:
                    raise
            except NoDaemon:
                if not self._reached:
                    raise
                now_s = time.monotonic()
                lost_s = now_s if lost_s is None else lost_s
                if now_s - lost_s >= self.patience_s:
                    raise
            time.sleep(_PAUSE_S)

    def _call_once(self, method: str, params: Mapping[str, object], timeout_s: float) -> dict[str, Json]:
        self._id += 1
        line = request(self._id, method, params)
        try:
            sock = self._connected(timeout_s)
            sock.settimeout(timeout_s)
            with suppress(BrokenPipeError):  # it may have said why before it closed
                sock.sendall(line)
            answer = _receive_line(sock, self.output)
        except TimeoutError:
            self.close()
            what = f"the daemon has not answered for {timeout_s:.0f} s: it is stopped, starts again, or is overloaded"
            raise TimedOut(what, hint="p2pchat doctor") from None
        except (ConnectionError, EOFError):
            self.close()
            raise ConnectionLost("the daemon broke off in the middle of an answer", hint="p2pchat doctor") from None
        except BaseException:
            self.close()  # interrupted in mid-answer: the next call must not read the rest of this one
            raise
        return read_response(decode(answer), self._id)

    def _connected(self, timeout_s: float) -> socket.socket:
        if self._socket is None:
            self._socket = _connect(self._path, timeout_s)
            self._reached = True
        return self._socket


def _connect(path: Path, timeout_s: float) -> socket.socket:
    end_s = time.monotonic() + timeout_s
    while True:
        try:
            return local_socket.connect(path, timeout_s=timeout_s)
        except BlockingIOError:  # the backlog is full of callers who wait as we do
            if time.monotonic() >= end_s:
                raise TimeoutError from None
            time.sleep(_PAUSE_S)
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
            raise NoDaemon("the daemon is not running", hint="p2pchat daemon start") from None
        except TimeoutError:
            raise
        except OSError as error:
            raise Failed(f"cannot connect to {path}: {error.strerror or error}", hint="p2pchat doctor") from error


def _receive_line(sock: socket.socket, output: int | None) -> bytes:
    """One line; the server sends nothing beyond the answer. Raises EOFError, OutputGone."""
    line = bytearray()
    while not line.endswith(b"\n"):
        if output is not None:
            _await_answer(sock, output)
        chunk = sock.recv(64 * 1024)
        if not chunk:
            raise EOFError
        line += chunk
        if len(line) > RPC_LINE_BYTES:
            raise Failed("the daemon's answer is too long", hint="p2pchat version")
    return bytes(line)


def _await_answer(sock: socket.socket, output: int) -> None:
    """Return once ``sock`` has something, or its time is up, which ``recv`` then notices. Raises OutputGone."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    poll.register(output, 0)  # errors are told without asking
    timeout_s = sock.gettimeout()
    ready = poll.poll(None if timeout_s is None else timeout_s * 1000)
    if output in {number for number, _ in ready}:
        raise OutputGone
