"""A daemon's sockets without the daemon: answers the command line's calls in a thread, strictly by the method table."""

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from p2pchat import local_socket
from p2pchat.errors import Failed, P2PChatError
from p2pchat.rpc import answers, jsonlines
from p2pchat.rpc.methods import METHODS, checked_params

Answer = Callable[[dict[str, Any]], Mapping[str, object]]
ALICE = "pc1" + "q" * 58
BOB = "pc1" + "z" * 58
MESSAGE = "0123456789abcdef" * 2


@dataclass
class FakeDaemon:
    """Canned answers by method; ``calls`` keeps what was asked. ``drop`` breaks off before so many answers."""

    answers: dict[str, Answer | Mapping[str, object]]
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    drop: int = 0

    def asked(self, method: str) -> list[dict[str, Any]]:
        return [params for name, params in self.calls if name == method]

    def answer(self, line: bytes) -> bytes | None:
        request = answers.read_request(jsonlines.decode(line))
        params = checked_params(request.method, request.params)
        self.calls.append((request.method, params))
        if self.drop > 0:
            self.drop -= 1
            return None
        try:
            if request.method not in self.answers:
                raise Failed(f"nobody told the fake what {request.method} answers")
            canned = self.answers[request.method]
            response = answers.response(request.id, canned(params) if callable(canned) else canned)
        except P2PChatError as error:
            return answers.error_response(request.id, answers.APPLICATION_ERROR, error)
        result = jsonlines.decode(response)["result"]  # type: ignore[call-overload,index]
        METHODS[request.method].result.check(result, request.method)  # a fake that lies tests nothing
        return response


@contextmanager
def serving(home: Path, fake: FakeDaemon) -> Iterator[FakeDaemon]:
    """``fake`` behind both sockets of the home."""
    ends: list[Callable[[], None]] = []
    for name in ("rpc.sock", "gate.sock"):
        listener = local_socket.listen(home / name)
        thread = threading.Thread(target=_serve, args=(listener, fake))
        thread.start()
        ends.append(lambda listener=listener, thread=thread: _end(listener, thread))  # type: ignore[misc]
    try:
        yield fake
    finally:
        for end in ends:
            end()


def _serve(listener: socket.socket, fake: FakeDaemon) -> None:
    clients = []
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            break
        clients.append(threading.Thread(target=_serve_client, args=(client, fake)))
        clients[-1].start()
    for thread in clients:
        thread.join(10)
        assert not thread.is_alive()


def _serve_client(client: socket.socket, fake: FakeDaemon) -> None:
    with client, client.makefile("rb") as lines, suppress(ConnectionError):
        for line in lines:
            answer = fake.answer(line)
            if answer is None:
                return
            client.sendall(answer)


def _end(listener: socket.socket, thread: threading.Thread) -> None:
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(20)
    assert not thread.is_alive()
