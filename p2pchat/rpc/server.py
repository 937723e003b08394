"""Serves a method table on an inherited listener: the vault's ``rpc.sock`` and the gate's ``gate.sock``.

Only the user's own processes are served, 64 at a time, each one request after the other, so a client that asks and does
not read costs one line. Everything is bounded before it is parsed (walls 4.1). A handler's expected error goes to its
caller; any other exception is a bug: its traceback goes to the log, and the daemon goes on.
"""

import logging
import os
import socket
import struct
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import trio

from p2pchat.errors import BadFormat, Bug, P2PChatError, RateLimited, Usage
from p2pchat.limits import RPC_CLIENTS, RPC_LINE_BYTES
from p2pchat.rpc import answers
from p2pchat.rpc.jsonlines import decode
from p2pchat.rpc.methods import METHODS, checked_params
from p2pchat.token_bucket import TokenBucket, allowance

Handler = Callable[[dict[str, Any]], Awaitable[Mapping[str, object]]]
"""Takes the checked parameters of ``methods.py`` (base64 decoded, defaults filled in) and gives the result's fields."""

WRITE_S: Final = 10.0  # a client that does not read its answer for so long is dropped
_CHUNK_BYTES: Final = 64 * 1024
_log = logging.getLogger(__name__)


async def serve(
    listener: socket.socket,
    handlers: Mapping[str, Handler],
    *,
    log_file: str,
    calls_per_minute: int,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled. ``listener`` is bound and listening; ``log_file`` is named to whoever meets a bug.

    ``calls_per_minute`` bounds one connection, a minute's worth at once; 0: no bound.
    """
    assert handlers.keys() <= METHODS.keys()
    listener.setblocking(False)
    service = _Service(handlers, log_file, calls_per_minute)
    await trio.serve_listeners(
        service.serve_client,
        [trio.SocketListener(trio.socket.from_stdlib_socket(listener))],
        task_status=task_status,  # type: ignore[arg-type] # the listeners it reports are ours already
    )


@dataclass(slots=True)
class _Service:
    handlers: Mapping[str, Handler]
    log_file: str
    calls_per_minute: int
    clients: int = 0

    async def serve_client(self, stream: trio.SocketStream) -> None:
        """One client from its first to its last byte. Never raises for anything that the client does."""
        self.clients += 1
        try:
            async with stream:
                if _peer_uid(stream.socket) != os.geteuid():
                    return
                if self.clients > RPC_CLIENTS:
                    refusal = RateLimited(f"{RPC_CLIENTS} programs talk to the daemon already", hint="end one of them")
                    await _send(stream, answers.error_response(None, answers.APPLICATION_ERROR, refusal))
                    return
                bound = allowance(self.calls_per_minute, every_s=60, now_s=trio.current_time())
                await _Conversation(self, stream, bound).run()
        except (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError):
            return  # it went away, or does not read
        finally:
            self.clients -= 1

    async def answer(self, request: answers.Request) -> bytes:
        """The response line. Raises P2PChatError where the words are off."""
        if request.method not in self.handlers and request.method in METHODS:
            where = METHODS[request.method].socket
            raise Usage(f"{request.method} is answered on {where}.sock", hint="p2pchat rpc schema")
        params = checked_params(request.method, request.params)
        result = await self.handlers[request.method](params)
        try:
            return answers.response(request.id, result)
        except BadFormat as error:
            raise RuntimeError(f"the answer of {request.method} is no answer: {error}") from error


@dataclass(slots=True)
class _Conversation:
    service: _Service
    stream: trio.SocketStream
    bound: TokenBucket | None
    last_id: int = -1
    buffer: bytearray = field(default_factory=bytearray)

    async def run(self) -> None:
        while True:
            try:
                line = await self._receive_line()
            except BadFormat as error:
                await _send(self.stream, answers.error_response(None, answers.PARSE_ERROR, error))
                return
            if line is None:
                return
            await _send(self.stream, await self._answer_line(line))
            if not line.lstrip().startswith((b"{", b"[")):
                return  # another protocol, perhaps a web browser's: what follows is not for us

    async def _answer_line(self, line: bytes) -> bytes:
        number, id_ = answers.PARSE_ERROR, None
        try:
            value = decode(line)
            number, id_ = answers.INVALID_REQUEST, answers.request_id(value)
            request = self._fresh(answers.read_request(value))
            number = answers.APPLICATION_ERROR
            self._count()
            return await self.service.answer(request)
        except Exception as raised:  # noqa: BLE001 - a bug in one method ends neither the client nor the daemon
            error = _expected(raised)
            if error is None:
                _log.exception("bug while answering a request")
                number, error = answers.INTERNAL_ERROR, self._bug(raised)
            elif number == answers.APPLICATION_ERROR:
                number = _json_rpc_number(error)
            return answers.error_response(id_, number, error)

    def _fresh(self, request: answers.Request) -> answers.Request:
        if request.id <= self.last_id:
            raise BadFormat("a request's id is higher than the one before it", hint="p2pchat rpc schema")
        self.last_id = request.id
        return request

    def _count(self) -> None:
        if self.bound is not None and not self.bound.take(trio.current_time()):
            what = f"this program calls more than {self.service.calls_per_minute} times a minute"
            raise RateLimited(what, hint="p2pchat config set calls_per_minute 0, then start the daemon again")

    def _bug(self, raised: Exception) -> Bug:
        what = f"a bug in the daemon: {type(raised).__name__}; {self.service.log_file} has the traceback"
        return Bug(what, hint="send the last lines of that file to the developers")

    async def _receive_line(self) -> bytes | None:
        """The next line without its newline, or None at the end. Raises BadFormat for one too long or not ended."""
        searched = 0
        while (end := self.buffer.find(b"\n", searched)) < 0:
            searched = len(self.buffer)
            if searched > RPC_LINE_BYTES:
                raise BadFormat(f"a line is longer than {RPC_LINE_BYTES} bytes", hint="p2pchat rpc schema")
            chunk = await self.stream.receive_some(_CHUNK_BYTES)
            if not chunk:
                if self.buffer:
                    raise BadFormat("the last line has no newline", hint="p2pchat rpc schema")
                return None
            self.buffer += chunk
        line = bytes(self.buffer[:end])
        del self.buffer[: end + 1]
        return line


async def _send(stream: trio.SocketStream, line: bytes) -> None:
    with trio.fail_after(WRITE_S):
        await stream.send_all(line)


def _json_rpc_number(error: P2PChatError) -> int:
    if isinstance(error, Usage):
        return answers.METHOD_NOT_FOUND
    return answers.INVALID_PARAMS if isinstance(error, BadFormat) else answers.APPLICATION_ERROR


def _expected(raised: BaseException) -> P2PChatError | None:
    """The error to tell, also out of a nursery's group, unless something unexpected stands beside it."""
    if isinstance(raised, P2PChatError):
        return raised
    if not isinstance(raised, BaseExceptionGroup):
        return None
    inner = [_expected(error) for error in raised.exceptions]
    return inner[0] if all(error is not None for error in inner) else None


def _peer_uid(sock: trio.socket.SocketType) -> int:
    """User id of the process at the other end, told by the kernel."""
    if sys.platform == "darwin":
        sol_local, local_peercred, xucred = 0, 1, "=II"  # sys/un.h; struct xucred begins with version and uid
        return int(struct.unpack(xucred, sock.getsockopt(sol_local, local_peercred, struct.calcsize(xucred)))[1])
    ucred = struct.Struct("=iII")  # pid, uid, gid
    return int(ucred.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, ucred.size))[1])
