"""The method table: what it accepts, refuses and describes."""

import base64
import json
from typing import Any

import pytest

from p2pchat.errors import BadFormat, Usage
from p2pchat.rpc.jsonlines import SAFE_INTEGER, encode
from p2pchat.rpc.methods import METHODS, checked_params
from p2pchat.rpc.schema import OUTPUTS, schema
from p2pchat.rpc.shape import Base64, Boolean, Integer, ListOf, Nullable, OneOf, Text
from tests.support.fake_daemon import ALICE, MESSAGE


def test_defaults_are_filled_in_and_optional_fields_stay_out() -> None:
    assert checked_params("event.next", {}) == {"peek": False, "all": False, "limit": 64, "wait_ms": 0}
    assert checked_params("send", {"to": ["bob"], "text": "x"}) == {"to": ["bob"], "text": "x"}


def test_base64_becomes_bytes() -> None:
    card = base64.b64encode(b"\x00card").decode()
    assert checked_params("contact.add", {"card": card})["card"] == b"\x00card"


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("send", {}),
        ("send", {"to": [], "text": "x"}),
        ("send", {"to": ["bob"], "text": ""}),
        ("send", {"to": ["bob"], "text": "x" * 65_001}),
        ("send", {"to": ["bob"], "text": "é" * 32_501}),
        ("send", {"to": "bob", "text": "x"}),
        ("send", {"to": ["bob"] * 65, "text": "x"}),
        ("send", {"to": ["bob"], "text": "x", "expires_s": 59}),
        ("send", {"to": ["bob"], "text": "x", "expires_s": True}),
        ("send", {"to": ["bob"], "text": "x", "expires": 60}),
        ("message.wait", {"message": MESSAGE, "state": "failed"}),
        ("message.wait", {"message": MESSAGE.upper(), "state": "sent"}),
        ("message.wait", {"message": MESSAGE, "state": "sent", "wait_ms": 30_001}),
        ("event.next", {"limit": 65}),
        ("event.next", {"since": -1}),
        ("event.next", {"all": 1}),
        ("event.next", {"reader": None}),
        ("contact.add", {"card": "a"}),
        ("contact.add", {"card": "****"}),
        ("contact.add", {"card": "AAAA\n"}),
        ("contact.alias", {"peer": "x", "alias": "two words"}),
        ("contact.alias", {"peer": "x", "alias": "-rf"}),
        ("contact.alias", {"peer": "x", "alias": "@bob"}),
        ("contact.alias", {"peer": "x", "alias": "pc1bob"}),
        ("contact.alias", {"peer": "x", "alias": "b\x1bob"}),
        ("contact.alias", {"peer": "x", "alias": "bob\n"}),
        ("contact.address", {"id": ALICE[:-1], "addresses": ["h:1"]}),
        ("contact.address", {"id": ALICE, "addresses": []}),
        ("contact.address", {"id": ALICE, "addresses": ["h:1"] * 9}),
        ("whoami", {"verbose": True}),
    ],
)
def test_ill_parameters_are_refused(method: str, params: dict[str, Any]) -> None:
    with pytest.raises(BadFormat) as caught:
        checked_params(method, params)
    assert caught.value.message.startswith(method), "the sentence names the place"


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(Usage, match="nope"):
        checked_params("nope", {})


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Boolean(), [True, False], [0, "true", None]),
        (Integer(1, 3), [1, 3], [0, 4, True, "1", None]),
        (Integer(), [0, SAFE_INTEGER], [-1, SAFE_INTEGER + 1]),
        (Text(3), ["a", "abc", "é"], ["", "abcd", "éé", 1, None]),
        (Text(3, 0, "[0-9]*"), ["", "12"], ["a", "1\n"]),
        (OneOf(("a", "b")), ["a"], ["c", "", 1, None, ["a"]]),
        (Base64(3), ["", "AAAA"], ["AAAAAA==", "A", "A===", "é", 1]),
        (ListOf(Integer(0, 1), 2, 1), [[0], [1, 1]], [[], [2], [0, 0, 0], 0, {"0": 0}]),
        (Nullable(Boolean()), [None, True], [0]),
    ],
)
def test_kinds_take_what_they_describe(kind: Any, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        kind.check(value, "x")
    for value in bad:
        with pytest.raises(BadFormat):
            kind.check(value, "x")


def test_the_schema_is_json_and_names_everything() -> None:
    described = json.loads(encode(schema()))
    assert described["methods"].keys() == METHODS.keys()
    assert described["outputs"].keys() == OUTPUTS.keys()
    send = described["methods"]["send"]["params"]
    assert send["required"] == ["to", "text"] and send["additionalProperties"] is False
    assert send["properties"]["expires_s"] == {
        "type": "integer",
        "minimum": 60,
        "maximum": 366 * 86400,
        "description": "give up after so many seconds",
    }
    assert {"code": "NOT_FOUND", "exit": 5, "number": 1005} in described["errors"]
    assert len({error["code"] for error in described["errors"]}) == len(described["errors"])


def test_every_method_and_field_says_what_it_is() -> None:
    for method in METHODS.values():
        assert method.doc.endswith(".")
        for field in (*method.params.fields, *method.result.fields):
            assert field.doc, f"{method.name}: {field.name}"
