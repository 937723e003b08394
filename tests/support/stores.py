"""A store's rows without a store: an open transaction on a memory disk, and short ways to fill it."""

from itertools import count
from pathlib import Path

from p2pchat.ids import DeviceId, Incarnation, MessageId, UserId
from p2pchat.store import contacts, tails
from p2pchat.store.contacts import Contact, NewContact
from p2pchat.store.inbox import Incoming
from p2pchat.store.migrate import migrate
from p2pchat.store.outbox import Draft, Outgoing
from p2pchat.store.tx import Tx
from tests.support.simdisk import SimDisk

ME = DeviceId(b"m" * 16)
THEM = DeviceId(b"t" * 16)
KEY = bytes(range(32))
_numbers = count(1)


def open_tx(disk: SimDisk) -> Tx:
    """A transaction on an empty store; it is never committed."""
    db = disk.open_db(Path("/vault.db"), KEY)
    migrate(db)
    db.execute("BEGIN")
    return Tx(db)


def message_id(number: int) -> MessageId:
    return MessageId(number.to_bytes(16))


def life(number: int) -> Incarnation:
    return Incarnation(number.to_bytes(8))


def new_contact(letter: str, *, alias: str | None = None, nickname: str | None = None) -> NewContact:
    return NewContact(
        user=UserId(letter.encode() * 32),
        state="accepted",
        direction="out",
        via="card",
        incarnation=life(1),
        alias=alias,
        nickname=nickname,
    )


def add_contact(tx: Tx, letter: str, *, alias: str | None = None, nickname: str | None = None) -> Contact:
    return contacts.add(tx, new_contact(letter, alias=alias, nickname=nickname), now_ms=1000)


def digest(queued: Outgoing) -> tuple[bytes, bytes]:
    """Stands for a body and its chain hash, which tells number and contact."""
    return queued.content, queued.number.to_bytes(8) + queued.contact.to_bytes(8)


def draft(text: str, *, number: int | None = None, clock: int | None = None, expires_at_ms: int = 0) -> Draft:
    number = next(_numbers) if number is None else number
    return Draft(
        message=message_id(number),
        device=ME,
        clock=number if clock is None else clock,
        sent_ms=number,
        content=text.encode(),
        expires_at_ms=expires_at_ms,
    )


def send(tx: Tx, text: str, *to: Contact, clock: int | None = None, expires_at_ms: int = 0) -> list[Outgoing]:
    one = draft(text, clock=clock, expires_at_ms=expires_at_ms)
    return tails.enqueue(tx, one, [contact.id for contact in to], digest)


def incoming(text: str, number: int, *, message: int | None = None, clock: int | None = None) -> Incoming:
    """``number``: in the sender's queue; the id follows from it unless told."""
    return Incoming(
        message=message_id(1000 + number if message is None else message),
        device=THEM,
        number=number,
        clock=number if clock is None else clock,
        sent_ms=number,
        kind=1,
        content_type="text/plain",
        content=text.encode(),
    )
