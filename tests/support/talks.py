"""The server of the control socket, and clients that say whatever the test wants."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio
import trio.testing

from p2pchat import local_socket
from p2pchat.rpc import server
from p2pchat.rpc.conversation import Handler
from tests.support.fake_daemon import ALICE

WHO = {"id": ALICE, "fingerprint": "0" * 64, "pubkey_md5": "0" * 32, "nickname": "ada", "listen": []}


class Talk:
    """A client's end, line by line."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self._buffer = b""
        self._id = 0

    async def say(self, line: bytes) -> dict[str, Any] | None:
        await self.stream.send_all(line)
        return await self.hear()

    async def hear(self) -> dict[str, Any] | None:
        """The next answer, or None at the end."""
        with trio.fail_after(5):
            while b"\n" not in self._buffer:
                try:
                    chunk = await self.stream.receive_some(100_000)
                except trio.BrokenResourceError:
                    return None
                if not chunk:
                    return None
                self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return dict(json.loads(line))

    async def call(self, method: str, **params: object) -> dict[str, Any]:
        self._id += 1
        request = {"jsonrpc": "2.0", "id": self._id, "method": method, "params": params}
        answer = await self.say(json.dumps(request).encode() + b"\n")
        assert answer is not None and answer["id"] == self._id
        return answer

    async def is_alive(self) -> bool:
        return "result" in await self.call("whoami")


def code(answer: dict[str, Any] | None) -> str:
    assert answer is not None
    return str(answer["error"]["data"]["code"])


async def whoami(_params: dict[str, Any]) -> dict[str, object]:
    return WHO


@asynccontextmanager
async def serving(path: Path, *, bound: int = 0, **handlers: Handler) -> AsyncIterator[Callable[[], Any]]:
    """``handlers`` by method name with ``_`` for the dot; gives a function that connects."""
    table = {name.replace("_", "."): handler for name, handler in {"whoami": whoami, **handlers}.items()}
    listener = local_socket.listen(path / "rpc.sock")

    talks = []

    async def connect() -> Talk:
        talks.append(Talk(await trio.open_unix_socket(str(path / "rpc.sock"))))
        return talks[-1]

    async with trio.open_nursery() as nursery:

        async def run(task_status: trio.TaskStatus[None]) -> None:
            log_file = "/logs/daemon.log"
            await server.serve(listener, table, log_file=log_file, calls_per_minute=bound, task_status=task_status)

        await nursery.start(run)
        yield connect
        for talk in talks:
            await talk.stream.aclose()
        nursery.cancel_scope.cancel()
