"""What a message is made of: building and reading ``MessageBody`` (protocol.md 11)."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from p2pchat import limits
from p2pchat.errors import BadFormat, Usage
from p2pchat.ids import DeviceId, MessageId, UserId
from p2pchat.wire.structs import BODY_TEXT, BODY_VOID, BODY_WITHDRAW, MessageBody

PAIR_LABEL: Final = b"p2pchat/1/pair"
TEXT_TYPE: Final = "text/plain"
FIRST: Final = bytes(16)  # ``previous`` of a sender's first message in a conversation
ID_BYTES: Final = 16


@lru_cache(maxsize=4096)
def pair_conversation(one: UserId, other: UserId) -> bytes:
    """16 bytes that both ends of a pair compute alike."""
    lo, hi = sorted((one, other))
    return hashlib.sha256(PAIR_LABEL + lo + hi).digest()[:16]


def chain_hash(body: bytes) -> bytes:
    """What the sender's next message in this conversation names as ``previous``. ``body``: an encoded MessageBody."""
    return hashlib.sha256(body).digest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """Where a message stands: all that a body says beside its kind and content."""

    message: MessageId
    conversation: bytes
    clock: int  # clock.tick
    sent_ms: int
    device: DeviceId
    sequence: int  # number in the queue
    previous: bytes  # chain_hash of my last body here, or FIRST


def text_body(slot: Slot, text: str, *, expires_at_ms: int = 0) -> MessageBody:
    """A text of 1 to 65,000 UTF-8 bytes. Raises Usage."""
    content = text.encode("utf-8", errors="strict") if _encodable(text) else b""
    if not 1 <= len(content) <= limits.TEXT_BYTES:
        raise Usage(
            f"a message has 1 to {limits.TEXT_BYTES} bytes of UTF-8, this has {len(content)}",
            hint="split the text into several messages" if content else "give a text, or - to read it from stdin",
        )
    return _body(slot, BODY_TEXT, content, content_type=TEXT_TYPE, expires_at_ms=expires_at_ms)


def void_body(slot: Slot) -> MessageBody:
    """Fills the number of a message that was cancelled or expired, under its id; a tombstone where it had arrived."""
    return _body(slot, BODY_VOID, b"")


def withdraw_body(slot: Slot, target: MessageId) -> MessageBody:
    """Asks the recipient to forget my earlier message ``target``."""
    return _body(slot, BODY_WITHDRAW, bytes(target))


def read_body(raw: bytes) -> MessageBody:
    """Decode what an envelope held and check content against kind. Unknown kinds pass; raises BadFormat."""
    body = MessageBody.decode(raw)
    if body.kind == BODY_TEXT:
        text_of(body)
    if body.kind == BODY_VOID and body.content:
        raise BadFormat("a void message has content")
    if body.kind == BODY_WITHDRAW and len(body.content) != ID_BYTES:
        raise BadFormat("a withdrawal names no message")
    if body.sequence == 0:
        raise BadFormat("a message bears no number")
    return body


def text_of(body: MessageBody) -> str:
    """The text of a BODY_TEXT. Raises BadFormat if it is empty or no UTF-8."""
    if not body.content:
        raise BadFormat("a text message is empty")
    try:
        return body.content.decode()
    except UnicodeDecodeError as error:
        raise BadFormat("a text message is no UTF-8") from error


def withdrawn_of(body: MessageBody) -> MessageId:
    """The message that a BODY_WITHDRAW names."""
    return MessageId(body.content)


def _encodable(text: str) -> bool:
    """False for lone surrogates, which UTF-8 cannot carry."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _body(slot: Slot, kind: int, content: bytes, *, content_type: str = "", expires_at_ms: int = 0) -> MessageBody:
    return MessageBody(
        message=slot.message,
        conversation=slot.conversation,
        clock=slot.clock,
        sent_ms=slot.sent_ms,
        device=slot.device,
        sequence=slot.sequence,
        previous=slot.previous,
        kind=kind,
        content_type=content_type,
        content=content,
        reply_to=b"",
        thread_id=b"",
        expires_at_ms=expires_at_ms,
        attachments=(),
    )
