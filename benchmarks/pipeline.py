"""A client that costs the daemons' cores as little as it can: one thread, many connections, requests written ahead."""

import json
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self, cast

from p2pchat import local_socket
from p2pchat.rpc import calls

CONNECTIONS: Final = 8  # pipelined sends of one connection are one job
WAIT_S: Final = 30
NAP_S: Final = 0.002


class Pipeline:
    """Requests to one control socket that send ``texts`` to one contact, prepared before the clock runs."""

    def __init__(self, path: Path, to: str, texts: Sequence[str]) -> None:
        lines = [calls.request(n, "send", {"to": [to], "text": text}) for n, text in enumerate(texts)]
        sockets = [local_socket.connect(path, timeout_s=WAIT_S) for _ in range(CONNECTIONS)]
        self._lines: Final = {sock: lines[at::CONNECTIONS] for at, sock in enumerate(sockets)}
        self._answers: Final = {sock: bytearray() for sock in sockets}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for sock in self._lines:
            sock.close()

    def submit(self) -> str:
        """Write each connection's requests at once and wait for all answers; a message that was answered last.

        It looks every other millisecond: a reader asleep on the sockets would be woken by every single answer, on a
        core that the daemons need.
        """
        for sock, own in self._lines.items():
            sock.sendall(b"".join(own))
            sock.setblocking(False)
        missing = set(self._lines)
        while True:
            time.sleep(NAP_S)
            for sock in tuple(missing):
                self._receive(sock)
                if self._answers[sock].count(b"\n") == len(self._lines[sock]):
                    missing.remove(sock)
                    if not missing:
                        return _message(bytes(self._answers[sock]).splitlines()[-1])

    def messages(self) -> list[str]:
        """The ids of everything that was submitted."""
        return [_message(line) for answers in self._answers.values() for line in bytes(answers).splitlines()]

    def _receive(self, sock: socket.socket) -> None:
        with suppress(BlockingIOError):
            chunk = sock.recv(1 << 16)
            if not chunk:
                raise SystemExit("the daemon closed a connection")
            self._answers[sock] += chunk


def _message(line: bytes) -> str:
    answer = json.loads(line)
    if "result" not in answer:
        raise SystemExit(f"the daemon answered {answer}")
    return cast(str, answer["result"]["message"])
