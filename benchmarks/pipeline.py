"""A client that costs the daemons' cores as little as it can: one thread, many connections, requests written ahead."""

import json
import selectors
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self, cast

from p2pchat import local_socket
from p2pchat.rpc import calls
from p2pchat.rpc.jsonlines import Json

CONNECTIONS: Final = 60  # the daemon serves 64
WAIT_S: Final = 30


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
        sent = self._answers([lines[at::CONNECTIONS] for at in range(CONNECTIONS)])
        # A connection's messages are numbered in its own order, and delivered by number: its last one comes last.
        waits = [calls.request(len(texts), "message.wait", _awaited(answers[-1])) for answers in sent]
        for (answer,) in self._answers([[line] for line in waits]):
            if answer["state"] != "delivered":
                raise SystemExit(f"a message is {answer['state']} after {WAIT_S} s")
        return [cast(str, answer["message"]) for answers in sent for answer in answers]

    def _answers(self, lines: Sequence[Sequence[bytes]]) -> list[list[dict[str, Json]]]:
        """Write each connection's lines at once, and collect its answers."""
        received = {sock: bytearray() for sock in self._sockets}
        with selectors.DefaultSelector() as selector:
            for sock, own in zip(self._sockets, lines, strict=True):
                sock.sendall(b"".join(own))
                selector.register(sock, selectors.EVENT_READ, len(own))
            while selector.get_map():
                for key, _ in selector.select(WAIT_S):
                    sock = cast(socket.socket, key.fileobj)
                    chunk = sock.recv(1 << 16)
                    received[sock] += chunk
                    if not chunk or received[sock].count(b"\n") == key.data:
                        selector.unregister(sock)
        return [[_result(line) for line in bytes(received[sock]).splitlines()] for sock in self._sockets]


def _awaited(sent: dict[str, Json]) -> dict[str, object]:
    return {"message": sent["message"], "state": "delivered", "wait_ms": WAIT_S * 1000}


def _result(line: bytes) -> dict[str, Json]:
    answer = json.loads(line)
    if "result" not in answer:
        raise SystemExit(f"the daemon answered {answer}")
    return cast(dict[str, Json], answer["result"])
