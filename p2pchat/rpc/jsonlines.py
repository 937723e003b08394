"""Strict JSON lines, and the JSON-RPC 2.0 objects in them. No I/O.

One object a line of at most 1 MiB, UTF-8, no batches, no notifications. The standard library's parser lets through what
makes two readers disagree (duplicate keys, NaN, lone surrogates, numbers beyond 2^53) or one reader fall over (depth):
all of it is refused here. Numbers are whole: nothing on this socket is a fraction.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NoReturn, TypeAlias

from p2pchat.errors import BadFormat, P2PChatError, from_json
from p2pchat.limits import RPC_DEPTH, RPC_LINE_BYTES

SAFE_INTEGER: Final = 2**53 - 1  # what every JSON reader holds exactly (RFC 8259, section 6)
ELEMENTS: Final = 16_384  # values in one line; a full page has a tenth of that

PARSE_ERROR: Final = -32700  # these five: JSON-RPC 2.0, section 5.1
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
APPLICATION_ERROR: Final = -32000  # an error of errors.py, told in ``data``

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"


@dataclass(frozen=True, slots=True)
class Request:
    id: int
    method: str
    params: dict[str, Json]


def decode(line: bytes) -> Json:
    """The value of one line, with or without its newline. Raises BadFormat."""
    if len(line) > RPC_LINE_BYTES:
        raise _bad(f"a line is longer than {RPC_LINE_BYTES} bytes")
    try:
        value: Json = json.loads(
            line.decode(),
            object_pairs_hook=_object,
            parse_int=_whole,
            parse_float=_fraction,
            parse_constant=_fraction,
        )
    except UnicodeDecodeError:
        raise _bad("a line is not UTF-8") from None
    except RecursionError:
        raise _bad(f"values are nested more than {RPC_DEPTH} deep") from None
    except json.JSONDecodeError as error:
        raise _bad(f"a line is not JSON: {error.msg} at character {error.pos}") from None
    _check_size(value)
    return value


def encode(value: object) -> bytes:
    """One line with its newline; bytes become base64. Raises BadFormat where it would be too long or is no text."""
    try:
        line = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_base64).encode()
    except UnicodeEncodeError:
        raise _bad("a text is not valid Unicode") from None
    if len(line) >= RPC_LINE_BYTES:
        raise _bad(f"this does not fit into a line of {RPC_LINE_BYTES} bytes")
    return line + b"\n"


def request(id_: int, method: str, params: Mapping[str, object]) -> bytes:
    return encode({"jsonrpc": "2.0", "id": id_, "method": method, "params": params})


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


def read_response(value: Json, id_: int) -> dict[str, Json]:
    """The result. Raises the error that the other side told, or BadFormat for an answer to something else."""
    if not isinstance(value, dict) or value.get("jsonrpc") != "2.0":
        raise _bad("the daemon's answer is no JSON-RPC 2.0 response")
    error, result = value.get("error"), value.get("result")
    if isinstance(error, dict):
        data = error.get("data")
        raise from_json(data if isinstance(data, dict) else {"message": error.get("message")})
    if value.get("id") != id_ or not isinstance(result, dict):
        raise _bad("the daemon answered another request")
    return result


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    shape = dict(pairs)
    if len(shape) != len(pairs):
        raise _bad("an object names a field twice")
    return shape


def _whole(digits: str) -> int:
    value = int(digits) if len(digits) <= 17 else SAFE_INTEGER + 1
    if abs(value) > SAFE_INTEGER:
        raise _bad("a number is beyond 2^53")
    return value


def _fraction(text: str) -> NoReturn:
    raise _bad(f"numbers are whole, {text[:32]} is none")


def _base64(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def _check_size(value: Json) -> None:
    """Bound depth and count, and refuse half characters, which no encoder could write again."""
    level, count = [value], 1
    for _ in range(RPC_DEPTH + 1):
        below: list[Json] = []
        for item in level:
            if isinstance(item, str):
                _check_text(item)
            elif isinstance(item, list):
                below += item
            elif isinstance(item, dict):
                below += item.keys()
                below += item.values()
        count += len(below)
        if not below:
            return
        if count > ELEMENTS:
            raise _bad(f"a line holds more than {ELEMENTS} values")
        level = below
    raise _bad(f"values are nested more than {RPC_DEPTH} deep")


def _check_text(text: str) -> None:
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _bad("a text holds half a character (a lone surrogate)") from None


def _bad(what: str) -> BadFormat:
    return BadFormat(what, hint="p2pchat rpc schema")
