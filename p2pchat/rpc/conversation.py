"""One client of a control socket: its lines in, one answer each, in order.

Requests are served one after the other, so a client that asks and does not read costs one line. What a client has
written ahead for one ``Pipelined`` method is handed over together and answered in one write.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

import trio

from p2pchat.errors import BadFormat, Bug, P2PChatError, RateLimited, Usage
from p2pchat.limits import RPC_LINE_BYTES
from p2pchat.rpc import answers
from p2pchat.rpc.answers import Request
from p2pchat.rpc.jsonlines import decode
from p2pchat.rpc.methods import METHODS, checked_params
from p2pchat.token_bucket import TokenBucket

Result = Mapping[str, object]
Handler = Callable[[dict[str, Any]], Awaitable[Result]]
"""Takes the checked parameters of ``methods.py`` (base64 decoded, defaults filled in) and gives the result's fields."""

WRITE_S: Final = 10.0  # a client that does not read its answer for so long is dropped
_CHUNK_BYTES: Final = 64 * 1024
_SCHEMA: Final = "p2pchat rpc schema"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pipelined:
    """A handler of many requests at once: each gets its result or its error, in their order.

    A request with a parameter of ``alone`` waits for something, and those before it must not wait with it.
    """

    answer: Callable[[list[dict[str, Any]]], Awaitable[Sequence[Result | P2PChatError]]]
    alone: frozenset[str] = frozenset()

    async def __call__(self, params: dict[str, Any]) -> Result:
        (result,) = await self.answer([params])
        if isinstance(result, P2PChatError):
            raise result
        return result


@dataclass(slots=True)
class Conversation:
    """``bound``: how often it may ask. ``log_file`` is named to whoever meets a bug."""

    stream: trio.SocketStream
    handlers: Mapping[str, Handler]
    bound: TokenBucket | None
    log_file: str
    _last_id: int = -1
    _buffer: bytearray = field(default_factory=bytearray)
    _ended: bool = False

    async def run(self) -> None:
        """From the first to the last byte. Raises what a broken stream raises, and nothing for what the client says."""
        while not self._ended:
            try:
                lines = await self._receive_lines()
            except BadFormat as error:
                await self._send(answers.error_response(None, answers.PARSE_ERROR, error))
                return
            for pipelined, run in groupby(map(self._read, lines), self._pipelined):
                if pipelined is not None:
                    requests = [one for one in run if isinstance(one, Request)]
                    await self._send(b"".join(await self._answer_all(pipelined, requests)))
                    continue
                for one in run:
                    await self._send(one if isinstance(one, bytes) else await self._answer(one))

    async def _send(self, lines: bytes) -> None:
        with trio.fail_after(WRITE_S):
            await self.stream.send_all(lines)

    # --- reading ------------------------------------------------------------------------------------------------------

    async def _receive_lines(self) -> list[bytes]:
        """All whole lines that have come, one at least, or none at the end. Raises BadFormat for one that is too long
        or not ended."""
        searched = 0
        while (end := self._buffer.rfind(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > RPC_LINE_BYTES:
                raise BadFormat(f"a line is longer than {RPC_LINE_BYTES} bytes", hint=_SCHEMA)
            chunk = await self.stream.receive_some(_CHUNK_BYTES)
            if not chunk:
                if self._buffer:
                    raise BadFormat("the last line has no newline", hint=_SCHEMA)
                self._ended = True
                return []
            self._buffer += chunk
        lines = bytes(self._buffer[:end]).split(b"\n")
        del self._buffer[: end + 1]
        for n, line in enumerate(lines):
            if not line.lstrip().startswith((b"{", b"[")):  # another protocol, perhaps a web browser's
                self._ended = True  # it gets one error; what follows is not for us
                return lines[: n + 1]
        return lines

    def _read(self, line: bytes) -> Request | bytes:
        """The request, or the answer to what is none."""
        number, id_ = answers.PARSE_ERROR, None
        try:
            value = decode(line)
            number, id_ = answers.INVALID_REQUEST, answers.request_id(value)
            return self._fresh(answers.read_request(value))
        except BadFormat as error:
            return answers.error_response(id_, number, error)

    def _fresh(self, request: Request) -> Request:
        if request.id <= self._last_id:
            raise BadFormat("a request's id is higher than the one before it", hint=_SCHEMA)
        self._last_id = request.id
        return request

    def _pipelined(self, asked: Request | bytes) -> Pipelined | None:
        handler = self.handlers.get(asked.method) if isinstance(asked, Request) else None
        if not isinstance(handler, Pipelined) or not isinstance(asked, Request):
            return None
        return None if handler.alone & asked.params.keys() else handler

    # --- answering ----------------------------------------------------------------------------------------------------

    async def _answer(self, request: Request) -> bytes:
        try:
            params = self._params(request)
            return _response(request, await self.handlers[request.method](params))
        except Exception as raised:  # noqa: BLE001 - a bug in one method ends neither the client nor the daemon
            return self._refusal(request, raised)

    async def _answer_all(self, handler: Pipelined, requests: list[Request]) -> list[bytes]:
        given = {request.id: self._params_or_refusal(request) for request in requests}
        good = [params for params in given.values() if not isinstance(params, bytes)]
        try:
            results = iter(await handler.answer(good) if good else ())
            return [
                params if isinstance(params := given[request.id], bytes) else self._outcome(request, next(results))
                for request in requests
            ]
        except Exception as raised:  # noqa: BLE001 - as above
            return [self._refusal(request, raised) for request in requests]

    def _outcome(self, request: Request, result: Result | P2PChatError) -> bytes:
        return self._refusal(request, result) if isinstance(result, P2PChatError) else _response(request, result)

    def _params_or_refusal(self, request: Request) -> dict[str, Any] | bytes:
        try:
            return self._params(request)
        except P2PChatError as error:
            return self._refusal(request, error)

    def _params(self, request: Request) -> dict[str, Any]:
        """Raises P2PChatError where the words are off, or come too often."""
        if self.bound is not None and not self.bound.take(trio.current_time()):
            hint = "p2pchat config set calls_per_minute 0; p2pchat daemon stop; p2pchat daemon start"
            raise RateLimited("this program calls more often than calls_per_minute allows", hint=hint)
        if request.method not in self.handlers and request.method in METHODS:
            raise Usage(f"{request.method} is answered on {METHODS[request.method].socket}.sock", hint=_SCHEMA)
        return checked_params(request.method, request.params)

    def _refusal(self, request: Request, raised: Exception) -> bytes:
        error = _expected(raised)
        if error is not None:
            return answers.error_response(request.id, _json_rpc_number(error), error)
        _log.error("bug while answering a request", exc_info=raised)
        what = f"a bug in the daemon: {type(raised).__name__}; {self.log_file} has the traceback"
        bug = Bug(what, hint="send the last lines of that file to the developers")
        return answers.error_response(request.id, answers.INTERNAL_ERROR, bug)


def _response(request: Request, result: Result) -> bytes:
    try:
        return answers.response(request.id, result)
    except BadFormat as error:
        raise RuntimeError(f"the answer of {request.method} is no answer: {error}") from error


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
