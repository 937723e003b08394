"""A client that costs the daemons' cores as little as it can: one thread, many connections, requests written ahead."""

import json
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self, cast

from p2pchat import local_socket
from p2pchat.rpc import calls
from p2pchat.rpc.jsonlines import Json

CONNECTIONS: Final = 60  # the daemon serves 64
WAIT_S: Final = 30
NAP_S: Final = 0.002


class Pipeline:
    """Connections to one control socket, made before the clock runs."""

    def __init__(self, path: Path) -> None:
        self._sockets: Final = [local_socket.connect(path, timeout_s=WAIT_S) for _ in range(CONNECTIONS)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for sock in self._sockets:
            sock.close()

    def send_all(self, to: str, texts: Sequence[str]) -> list[str]:
        """Submit all texts to one contact and wait until every one is delivered; their ids."""
        lines = [calls.request(n, "send", {"to": [to], "text": text}) for n, text in enumerate(texts)]
        sent = self._answers({sock: lines[at::CONNECTIONS] for at, sock in enumerate(self._sockets)})
        # A connection's messages are numbered in its own order and delivered by number, so its last one comes last.
        # One connection asks for all of them in turn: many that wait would each look up their message at each receipt.
        waits = [calls.request(len(texts) + n, "message.wait", _awaited(own[-1])) for n, own in enumerate(sent)]
        for answer in self._answers({self._sockets[0]: waits})[0]:
            if answer["state"] != "delivered":
                raise SystemExit(f"a message is {answer['state']} after {WAIT_S} s")
        return [cast(str, answer["message"]) for own in sent for answer in own]

    def _answers(self, lines: Mapping[socket.socket, Sequence[bytes]]) -> list[list[dict[str, Json]]]:
        """Write each connection's lines at once, and collect its answers.

        It looks every other millisecond: a reader asleep on the sockets would be woken by every single answer, on a
        core that the daemons need.
        """
        received = {sock: bytearray() for sock in lines}
        for sock, own in lines.items():
            sock.setblocking(True)
            sock.sendall(b"".join(own))
            sock.setblocking(False)
        missing = set(lines)
        while missing:
            time.sleep(NAP_S)
            for sock in tuple(missing):
                with suppress(BlockingIOError):
                    chunk = sock.recv(1 << 16)
                    received[sock] += chunk
                    if not chunk:
                        raise SystemExit("the daemon closed a connection")
                if received[sock].count(b"\n") == len(lines[sock]):
                    missing.remove(sock)
        return [[_result(line) for line in bytes(got).splitlines()] for got in received.values()]


def _awaited(sent: dict[str, Json]) -> dict[str, object]:
    return {"message": sent["message"], "state": "delivered", "wait_ms": WAIT_S * 1000}


def _result(line: bytes) -> dict[str, Json]:
    answer = json.loads(line)
    if "result" not in answer:
        raise SystemExit(f"the daemon answered {answer}")
    return cast(dict[str, Json], answer["result"])
