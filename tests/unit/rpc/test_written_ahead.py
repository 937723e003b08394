"""What a client writes ahead for a pipelined method, on a real socket."""

import json
from pathlib import Path
from typing import Any

import trio

from p2pchat.errors import NotFound, P2PChatError
from p2pchat.rpc.conversation import Pipelined
from tests.unit.rpc.test_server import code, serving


async def test_it_is_handed_over_together_and_a_wait_holds_nothing_before_it(tmp_path: Path) -> None:
    runs: list[list[str]] = []
    go = trio.Event()

    async def answer(many: list[dict[str, Any]]) -> list[dict[str, object] | P2PChatError]:
        runs.append([params["text"] for params in many])
        if "wait" in many[0]:
            await go.wait()
        return [NotFound("nobody") if params["text"] == "lost" else {"message": params["text"]} for params in many]

    def line(number: int, **params: object) -> bytes:
        request = {"jsonrpc": "2.0", "id": number, "method": "send", "params": {"to": ["ben"], **params}}
        return json.dumps(request).encode() + b"\n"

    texts: list[dict[str, object]] = [{"text": "a"}, {"no": "text"}, {"text": "lost"}, {"text": "b"}]
    texts += [{"text": "c", "wait": "delivered"}, {"text": "d"}]
    async with serving(tmp_path, send=Pipelined(answer, alone=frozenset({"wait"}))) as connect:
        talk = await connect()
        await talk.stream.send_all(b"".join(line(number, **params) for number, params in enumerate(texts)))
        answers = [await talk.hear() for _ in range(4)]
        assert [(found["id"], "result" in found) for found in answers] == [(0, True), (1, False), (2, False), (3, True)]
        assert code(answers[2]) == "NOT_FOUND"
        go.set()
        assert [(await talk.hear())["result"]["message"] for _ in range(2)] == ["c", "d"]
    assert runs == [["a", "lost", "b"], ["c"], ["d"]]
