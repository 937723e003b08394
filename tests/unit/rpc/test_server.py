"""The server on a real socket: hostile clients cost little, and nobody else's call."""

import json
import logging
import os
import socket
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from p2pchat import local_socket
from p2pchat.errors import Forbidden, NotFound
from p2pchat.limits import RPC_CLIENTS, RPC_LINE_BYTES
from p2pchat.rpc import server
from p2pchat.rpc.methods import METHODS
from tests.support.talks import WHO, code, serving


async def test_a_call_is_answered(tmp_path: Path) -> None:
    async with serving(tmp_path) as connect:
        talk = await connect()
        assert (await talk.call("whoami"))["result"] == WHO


async def test_a_handler_gets_checked_parameters(tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []

    async def next_(params: dict[str, Any]) -> dict[str, object]:
        seen.append(params)
        return {"events": []}

    async with serving(tmp_path, event_next=next_) as connect:
        talk = await connect()
        await talk.call("event.next", all=True)
        assert seen == [{"all": True, "peek": False, "limit": 64, "wait_ms": 0}]
        refused = await talk.call("event.next", limit=1000)
        assert (code(refused), refused["error"]["code"]) == ("BAD_FORMAT", -32602)
        assert await talk.is_alive()


async def test_what_is_not_served_here_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path) as connect:
        talk = await connect()
        for method in ("nope", "contact.address", "__class__", ""):
            answer = await talk.call(method)
            assert (code(answer), answer["error"]["code"]) == ("USAGE", -32601)


async def test_a_handlers_error_is_told_and_a_group_of_them_too(tmp_path: Path) -> None:
    async def show(_params: dict[str, Any]) -> dict[str, object]:
        raise NotFound("nobody", hint="look", candidates=["a"])

    async def block(_params: dict[str, Any]) -> dict[str, object]:
        async with trio.open_nursery():
            raise Forbidden("no")

    async with serving(tmp_path, contact_show=show, contact_block=block) as connect:
        talk = await connect()
        answer = await talk.call("contact.show", peer="bob")
        assert answer["error"]["data"] == {
            "code": "NOT_FOUND",
            "number": 1005,
            "message": "nobody",
            "hint": "look",
            "candidates": ["a"],
        }
        assert code(await talk.call("contact.block", peer="bob")) == "FORBIDDEN"


@pytest.mark.parametrize("ill", [ValueError("secret detail"), "a result that is too long", "a result that is no JSON"])
async def test_a_bug_is_logged_and_the_daemon_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, ill: object
) -> None:
    async def status(_params: dict[str, Any]) -> dict[str, object]:
        if isinstance(ill, ValueError):
            raise ill
        return {"id": "x" * RPC_LINE_BYTES} if "long" in str(ill) else {"id": object()}

    async with serving(tmp_path, status=status) as connect:
        talk = await connect()
        with caplog.at_level(logging.ERROR):
            answer = await talk.call("status")
        assert (code(answer), answer["error"]["code"]) == ("BUG", -32603)
        assert "/logs/daemon.log" in answer["error"]["message"] and "secret detail" not in answer["error"]["message"]
        assert "Traceback" in caplog.text
        assert await talk.is_alive()


async def test_clients_do_not_wait_for_each_other(tmp_path: Path) -> None:
    asked = trio.Event()

    async def next_(_params: dict[str, Any]) -> dict[str, object]:
        asked.set()
        await trio.sleep_forever()
        raise AssertionError

    async with serving(tmp_path, event_next=next_) as connect, trio.open_nursery() as nursery:
        waiting, other = await connect(), await connect()
        nursery.start_soon(waiting.call, "event.next")
        await asked.wait()
        assert await other.is_alive()
        nursery.cancel_scope.cancel()


async def test_pipelined_requests_are_answered_in_order(tmp_path: Path) -> None:
    async with serving(tmp_path) as connect:
        talk = await connect()
        lines = [json.dumps({"jsonrpc": "2.0", "id": n, "method": "whoami"}).encode() for n in range(50)]
        await talk.stream.send_all(b"\n".join(lines) + b"\n")
        assert [(await talk.hear())["id"] for _ in range(50)] == list(range(50))


async def test_a_half_closed_client_still_gets_its_answer(tmp_path: Path) -> None:
    async with serving(tmp_path) as connect:
        talk = await connect()
        await talk.stream.send_all(b'{"jsonrpc":"2.0","id":1,"method":"whoami"}\n')
        await talk.stream.send_eof()
        answer = await talk.hear()
        assert answer is not None and answer["result"] == WHO
        assert await talk.hear() is None


async def test_a_line_that_never_ends_is_told(tmp_path: Path) -> None:
    async with serving(tmp_path) as connect:
        talk = await connect()
        await talk.stream.send_all(b'{"jsonrpc":"2.0","id":1,"method":"whoami"}')
        await talk.stream.send_eof()
        assert code(await talk.hear()) == "BAD_FORMAT"


async def test_H001_another_user_is_not_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert local_socket.listen(tmp_path / "modes").close() is None
    assert (tmp_path / "modes").stat().st_mode & 0o777 == 0o600
    async with serving(tmp_path) as connect:
        talk = await connect()
        assert await talk.is_alive()
        monkeypatch.setattr(server, "_peer_uid", lambda _sock: os.geteuid() + 1)
        stranger = await connect()
        assert await stranger.hear() is None


async def test_H001_the_kernel_tells_who_is_at_the_other_end() -> None:
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with right, trio.socket.from_stdlib_socket(left) as end:
        assert server._peer_uid(end) == os.geteuid()


async def test_H004_a_line_without_end_is_cut_at_the_limit(tmp_path: Path) -> None:
    async with serving(tmp_path) as connect:
        talk, other = await connect(), await connect()
        sent = 0

        async def flood() -> None:
            nonlocal sent
            try:
                while sent < 2**30:
                    await talk.stream.send_all(b"x" * 65536)
                    sent += 65536
            except trio.BrokenResourceError:
                pass

        async with trio.open_nursery() as nursery:
            nursery.start_soon(flood)
            assert code(await talk.hear()) == "BAD_FORMAT"
            assert await talk.hear() is None
            assert await other.is_alive()
        assert sent < 4 * RPC_LINE_BYTES


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 100_000,  # H005
        b'{"jsonrpc":"2.0","id":%s,"method":"whoami"}' % (b"9" * 5000),  # H006
        b'{"jsonrpc":"2.0","id":1,"method":"whoami","params":{"x":NaN}}',  # H007
        b'{"jsonrpc":"2.0","id":1,"id":2,"method":"whoami"}',  # H008
        rb'{"jsonrpc":"2.0","id":1,"method":"\ud800"}',  # H009
        b'[{"jsonrpc":"2.0","id":1,"method":"whoami"}]',
        b'{"jsonrpc":"2.0","method":"whoami"}',
        b'{"jsonrpc":"2.0","id":-1,"method":"whoami"}',
        b'{"jsonrpc":"2.0","id":"1","method":"whoami"}',
        b'{"\xff":1}',
    ],
    ids=lambda line: line[:24].decode("latin-1"),
)
async def test_H005_to_H009_ill_lines_are_refused_and_the_connection_stays(tmp_path: Path, line: bytes) -> None:
    async with serving(tmp_path) as connect:
        talk = await connect()
        assert code(await talk.say(line + b"\n")) == "BAD_FORMAT"
        assert await talk.is_alive()


async def test_H010_a_client_that_does_not_read_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "WRITE_S", 0.05)
    served = 0

    async def show(_params: dict[str, Any]) -> dict[str, object]:
        nonlocal served
        served += 1
        return {"id": "x" * 500_000}

    async with serving(tmp_path, contact_show=show) as connect:
        lazy, other = await connect(), await connect()
        request = b'{"jsonrpc":"2.0","id":%d,"method":"contact.show","params":{"peer":"b"}}\n'
        dropped = False
        for number in range(10_000):
            try:
                await lazy.stream.send_all(request % number)
            except trio.BrokenResourceError:
                dropped = True
                break
            assert await other.is_alive()
        assert dropped
        assert served < 10, "one answer at a time, however many were asked for"
        assert await other.is_alive()


async def test_H011_only_so_many_clients_are_served(tmp_path: Path) -> None:
    async with serving(tmp_path) as connect:
        talks = [await connect() for _ in range(RPC_CLIENTS)]
        for talk in talks:
            assert await talk.is_alive()
        late = await connect()
        assert code(await late.hear()) == "RATE_LIMITED"
        assert await late.hear() is None
        await talks[0].stream.aclose()
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert await (await connect()).is_alive()


async def test_H012_an_id_used_again_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path) as connect:
        talk = await connect()
        request = b'{"jsonrpc":"2.0","id":5,"method":"whoami"}\n'
        first = await talk.say(request)
        assert first is not None and "result" in first
        again = await talk.say(request)
        assert code(again) == "BAD_FORMAT" and again is not None and again["id"] == 5
        talk._id = 5
        assert await talk.is_alive()


def test_H013_no_method_takes_a_path() -> None:
    for method in METHODS.values():
        for field in method.params.fields:
            assert not {"file", "path", "dir", "folder", "out"} & set(field.name.split("_")), method.name
            assert "path" not in field.doc, method.name


async def test_H014_a_web_browsers_request_is_refused_and_cut(tmp_path: Path) -> None:
    ran = False

    async def stop(_params: dict[str, Any]) -> dict[str, object]:
        nonlocal ran
        ran = True
        return {"pid": 1}

    async with serving(tmp_path, daemon_stop=stop) as connect:
        talk = await connect()
        body = b'{"jsonrpc":"2.0","id":1,"method":"daemon.stop"}\n'
        answer = await talk.say(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 48\r\n\r\n" + body)
        assert code(answer) == "BAD_FORMAT"
        assert await talk.hear() is None
        assert not ran


async def test_a_program_that_calls_too_often_is_told_so_and_crowds_nobody_out(tmp_path: Path) -> None:
    async with serving(tmp_path, bound=60) as connect:
        busy, quiet = await connect(), await connect()
        answers = [await busy.call("whoami") for _ in range(70)]
        refused = [answer for answer in answers if "error" in answer]
        assert answers[59]["result"] == WHO
        assert len(refused) >= 5  # one comes back each second
        assert {code(answer) for answer in refused} == {"RATE_LIMITED"}
        assert await quiet.is_alive()
        await trio.sleep(1.1)
        assert await busy.is_alive()
