from dataclasses import replace
from hashlib import sha256

import pytest

from p2pchat.delivery.body import (
    FIRST,
    Slot,
    chain_hash,
    pair_conversation,
    read_body,
    text_body,
    text_of,
    void_body,
    withdraw_body,
    withdrawn_of,
)
from p2pchat.errors import BadFormat, Usage
from p2pchat.ids import DeviceId, MessageId, UserId
from p2pchat.limits import TEXT_BYTES
from p2pchat.wire.structs import BODY_TEXT, BODY_VOID, BODY_WITHDRAW

ANNA, BERT = UserId(b"a" * 32), UserId(b"b" * 32)
SLOT = Slot(
    message=MessageId(b"message id 16 by"),
    conversation=pair_conversation(ANNA, BERT),
    clock=5,
    sent_ms=6,
    device=DeviceId(b"device id 16 byt"),
    sequence=7,
    previous=FIRST,
)


def test_both_ends_name_their_conversation_alike() -> None:
    assert pair_conversation(ANNA, BERT) == pair_conversation(BERT, ANNA)
    assert pair_conversation(ANNA, BERT) == sha256(b"p2pchat/1/pair" + ANNA + BERT).digest()[:16]
    assert pair_conversation(ANNA, BERT) != pair_conversation(ANNA, UserId(b"c" * 32))


@pytest.mark.parametrize("text", ["x", "Grüße, 你好 🙂\nsecond line", "x" * TEXT_BYTES])
def test_a_text_comes_back(text: str) -> None:
    body = read_body(text_body(SLOT, text, expires_at_ms=9).encode())
    assert text_of(body) == text
    assert (body.message, body.sequence, body.device, body.expires_at_ms) == (SLOT.message, 7, SLOT.device, 9)


@pytest.mark.parametrize("text", ["", "x" * (TEXT_BYTES + 1), "ü" * (TEXT_BYTES // 2 + 1), "\ud800"])
def test_a_text_that_cannot_be_sent_is_a_usage_error(text: str) -> None:
    with pytest.raises(Usage):
        text_body(SLOT, text)


def test_a_void_keeps_the_number_and_the_id() -> None:
    body = read_body(void_body(SLOT).encode())
    assert (body.kind, body.message, body.sequence, body.content) == (BODY_VOID, SLOT.message, 7, b"")


def test_a_withdrawal_names_its_message() -> None:
    target = MessageId(b"another message.")
    body = read_body(withdraw_body(SLOT, target).encode())
    assert (body.kind, withdrawn_of(body)) == (BODY_WITHDRAW, target)


def test_an_unknown_kind_is_kept() -> None:
    body = replace(text_body(SLOT, "x"), kind=77, content=b"\xff")
    assert read_body(body.encode()) == body


@pytest.mark.parametrize(
    "changes",
    [
        {"content": b""},
        {"content": b"\xff\xfe"},
        {"content": b"\xed\xa0\x80"},  # a surrogate in disguise
        {"kind": BODY_VOID},
        {"kind": BODY_WITHDRAW, "content": b"short"},
        {"sequence": 0},
    ],
)
def test_content_that_does_not_fit_its_kind_is_refused(changes: dict[str, object]) -> None:
    body = replace(text_body(SLOT, "x"), **changes)  # type: ignore[arg-type]
    with pytest.raises(BadFormat):
        read_body(body.encode())


def test_a_body_names_the_one_before() -> None:
    first = text_body(SLOT, "x").encode()
    assert len(chain_hash(first)) == len(FIRST) == 16
    assert text_body(replace(SLOT, previous=chain_hash(first)), "y").previous == chain_hash(first)
    assert chain_hash(first) != chain_hash(text_body(SLOT, "y").encode())


def test_kinds_differ() -> None:
    assert len({BODY_TEXT, BODY_VOID, BODY_WITHDRAW}) == 3
