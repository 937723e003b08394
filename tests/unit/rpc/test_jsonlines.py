"""Strict JSON lines, and JSON-RPC objects in them."""

import base64
import json

import pytest

from p2pchat.errors import AnswerNeeded, BadFormat, Bug, NotFound
from p2pchat.limits import RPC_DEPTH, RPC_LINE_BYTES
from p2pchat.rpc import answers
from p2pchat.rpc.calls import read_response, request
from p2pchat.rpc.jsonlines import ELEMENTS, SAFE_INTEGER, decode, encode


def test_what_is_encoded_is_decoded() -> None:
    value = {"a": [1, None, True, {"b": "Grüße 👋\n\x1b"}], "c": -SAFE_INTEGER}
    assert decode(encode(value)) == value
    assert encode(value).count(b"\n") == 1


def test_bytes_travel_as_base64() -> None:
    assert decode(encode({"card": b"\x00\xff"})) == {"card": base64.b64encode(b"\x00\xff").decode()}


@pytest.mark.parametrize(
    "line", [b"", b"{", b"{}{}", b"nope", b"\xff{}", b"{'a': 1}", b"[1,]", b'{"a": 1} x', b"\xef\xbb\xbf{}"]
)
def test_what_is_no_json_is_refused(line: bytes) -> None:
    with pytest.raises(BadFormat):
        decode(line)


@pytest.mark.parametrize("depth", [RPC_DEPTH + 1, 500, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_H005_deep_nesting_is_refused(depth: int, opening: str, closing: str) -> None:
    with pytest.raises(BadFormat, match=r"nested|more than 16384 values"):
        decode((opening * depth + "1" + closing * depth).encode())


def test_nesting_up_to_the_limit_passes() -> None:
    line = ("[" * RPC_DEPTH + "]" * RPC_DEPTH).encode()
    assert json.loads(line) == decode(line)


@pytest.mark.parametrize("digits", ["9" * 5000, "9" * 4000, str(2**53), "-" + str(2**53), "9" * 18])
def test_H006_huge_numbers_are_refused(digits: str) -> None:
    with pytest.raises(BadFormat, match="beyond"):
        decode(f'{{"n": {digits}}}'.encode())


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1.5", "1e3", "1e999"])
def test_H007_what_is_no_whole_number_is_refused(word: str) -> None:
    with pytest.raises(BadFormat, match="whole"):
        decode(f"[{word}]".encode())


@pytest.mark.parametrize("line", [b'{"a":1,"a":1}', b'{"x":{"a":1,"b":2,"a":3}}', b'{"a":1,"\\u0061":2}'])
def test_H008_duplicate_keys_are_refused(line: bytes) -> None:
    with pytest.raises(BadFormat, match="twice"):
        decode(line)


@pytest.mark.parametrize("line", [rb'"\ud800"', rb'["a", "\udfff"]', rb'{"\ud800": 1}', rb'{"a": {"b": "x\udc00y"}}'])
def test_H009_lone_surrogates_are_refused(line: bytes) -> None:
    with pytest.raises(BadFormat, match="surrogate"):
        decode(line)


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert decode(rb'"\ud83d\ude00"') == "😀"


def test_many_values_are_refused_within_the_line_limit() -> None:
    with pytest.raises(BadFormat, match="values"):
        decode(b"[" + b"0," * ELEMENTS + b"0]")


def test_a_line_beyond_the_limit_is_refused_before_parsing() -> None:
    with pytest.raises(BadFormat, match="longer"):
        decode(b" " * RPC_LINE_BYTES + b"{}")


def test_what_does_not_fit_or_is_no_text_is_not_encoded() -> None:
    with pytest.raises(BadFormat, match="fit"):
        encode({"a": "x" * RPC_LINE_BYTES})
    with pytest.raises(BadFormat, match="Unicode"):
        encode({"a": "\ud800"})
    with pytest.raises(TypeError):
        encode({"a": {1, 2}})


@pytest.mark.parametrize("id_", [-1, True, None, "7", 1.0, [1]])
def test_H012_an_id_that_is_no_whole_number_from_zero_is_refused(id_: object) -> None:
    with pytest.raises(BadFormat, match="id"):
        answers.read_request({"jsonrpc": "2.0", "id": id_, "method": "status"})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "value",
    [
        [],
        "status",
        None,
        [{"jsonrpc": "2.0", "id": 1, "method": "status"}],
        {"id": 1, "method": "status"},
        {"jsonrpc": "1.0", "id": 1, "method": "status"},
        {"jsonrpc": "2.0", "method": "status"},
        {"jsonrpc": "2.0", "id": 1},
        {"jsonrpc": "2.0", "id": 1, "method": 7},
        {"jsonrpc": "2.0", "id": 1, "method": "status", "params": []},
        {"jsonrpc": "2.0", "id": 1, "method": "status", "extra": 1},
    ],
)
def test_what_is_no_request_is_refused(value: object) -> None:
    with pytest.raises(BadFormat):
        answers.read_request(value)  # type: ignore[arg-type]


def test_a_request_is_read_as_it_was_written() -> None:
    read = answers.read_request(decode(request(7, "send", {"to": ["bob"], "text": "hi"})))
    assert (read.id, read.method, read.params) == (7, "send", {"to": ["bob"], "text": "hi"})


def test_a_result_is_read_as_it_was_written() -> None:
    assert read_response(decode(answers.response(7, {"a": 1})), 7) == {"a": 1}


def test_an_error_crosses_the_socket_whole() -> None:
    told = AnswerNeeded("a question", hint="answer it", question="where?")
    with pytest.raises(AnswerNeeded) as caught:
        read_response(decode(answers.error_response(7, answers.APPLICATION_ERROR, told)), 7)
    assert caught.value.as_json() == told.as_json()
    assert caught.value.exit_status == 6


def test_a_bug_and_an_error_without_an_id_cross_too() -> None:
    with pytest.raises(Bug, match="bug"):
        read_response(decode(answers.error_response(None, answers.INTERNAL_ERROR, Bug("a bug"))), 7)


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        {"jsonrpc": "2.0", "id": 8, "result": {}},
        {"jsonrpc": "2.0", "id": 7},
        {"jsonrpc": "2.0", "id": 7, "result": 1},
    ],
)
def test_an_answer_to_something_else_is_refused(value: object) -> None:
    with pytest.raises(BadFormat):
        read_response(value, 7)  # type: ignore[arg-type]


def test_the_number_of_an_error_is_its_wire_number() -> None:
    line = decode(answers.error_response(1, answers.APPLICATION_ERROR, NotFound("no", hint="look")))
    assert line == {
        "jsonrpc": "2.0",
        "id": 1,
        "error": {
            "code": -32000,
            "message": "no",
            "data": {"code": "NOT_FOUND", "number": 1005, "message": "no", "hint": "look"},
        },
    }
