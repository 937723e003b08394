"""The server's half of JSON-RPC 2.0: requests in, responses out. No I/O; no batches and no notifications."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from p2pchat.errors import BadFormat, P2PChatError
from p2pchat.rpc.jsonlines import SAFE_INTEGER, Json, encode

PARSE_ERROR: Final = -32700  # these five: JSON-RPC 2.0, section 5.1
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
APPLICATION_ERROR: Final = -32000  # an error of errors.py, told in ``data``


@dataclass(frozen=True, slots=True)
class Request:
    id: int
    method: str
    params: dict[str, Json]


def read_request(value: Json) -> Request:
    """Raises BadFormat for anything but one request with a whole, not negative id and named parameters."""
    if not isinstance(value, dict) or value.get("jsonrpc") != "2.0":
        raise _bad('a request is an object with "jsonrpc": "2.0"; batches are not served')
    if strange := set(value) - {"jsonrpc", "id", "method", "params"}:
        raise _bad(f"a request has no field {min(strange)[:64]!r}")
    method, params = value.get("method"), value.get("params", {})
    id_ = request_id(value)
    if id_ is None:
        raise _bad(f"a request's id is a whole number from 0 to {SAFE_INTEGER}")
    if not isinstance(method, str) or not isinstance(params, dict):
        raise _bad("a request has a method (text) and params (object)")
    return Request(id_, method, params)


def request_id(value: Json) -> int | None:
    """The id to answer under, as far as there is one."""
    id_ = value.get("id") if isinstance(value, dict) else None
    return id_ if isinstance(id_, int) and not isinstance(id_, bool) and id_ >= 0 else None


def response(id_: int, result: Mapping[str, object]) -> bytes:
    return encode({"jsonrpc": "2.0", "id": id_, "result": result})


def error_response(id_: int | None, number: int, error: P2PChatError) -> bytes:
    """``error.data`` is the error object of the command line."""
    shape = {"code": number, "message": error.message, "data": error.as_json()}
    return encode({"jsonrpc": "2.0", "id": id_, "error": shape})


def _bad(what: str) -> BadFormat:
    return BadFormat(what, hint="p2pchat rpc schema")
