"""Messages as the user looks them up: history, one message, withdrawal, the outbox."""

from collections.abc import Sequence

from p2pchat.delivery.lifecycle import State, withdrawal_needed
from p2pchat.errors import BadFormat, Forbidden
from p2pchat.ids import MESSAGE_ID_FRESH_BYTES, DeviceId, MessageId, new_message_id, user_id_text
from p2pchat.store import contacts, messages, names, outbox, search
from p2pchat.store.contacts import Contact
from p2pchat.store.messages import Message, Position
from p2pchat.store.outbox import Draft, Waiting
from p2pchat.store.tx import INTEGER_MAX, Reader, Tx
from p2pchat.vault.flows import hybrid, wishes
from p2pchat.vault.methods import pages
from p2pchat.vault.methods.contact import Params, Result
from p2pchat.vault.methods.deliveries import own_rows, recipients
from p2pchat.vault.methods.send import go, queue
from p2pchat.vault.node import Node
from p2pchat.vault.spare_time import learn_words
from p2pchat.wire.structs import BODY_TEXT, BODY_WITHDRAW


async def history(node: Node, params: Params) -> Result:
    contact = node.store.read(lambda reader: names.contact(reader, params["peer"]))
    query = params.get("search")

    def ask(reader: Reader) -> list[Message]:
        after = _position(params["page"]) if "page" in params else _begin(reader, contact, query, params.get("last"))
        if query is not None:
            return search.search(reader, contact.id, query, after=after, limit=pages.FETCH)
        return messages.history(reader, contact.id, after=after, limit=pages.FETCH)

    if query is not None:
        await learn_words(node.store)
    found = await node.store.read_slow(ask) if query is not None else node.store.read(ask)
    rows, more = pages.of_size(found, (row.size_bytes for row in found))
    return {"items": [_row(node, row) for row in rows], "next": _token(rows[-1].position) if more else None}


def _begin(reader: Reader, contact: Contact, query: str | None, last: int | None) -> Position | None:
    if last is None:
        return None
    if query is not None:
        return search.before_last(reader, contact.id, query, last)
    return messages.before_last(reader, contact.id, last)


async def show(node: Node, params: Params) -> Result:
    return _shown(node, node.store.read(lambda reader: names.message(reader, params["message"])))


async def withdraw(node: Node, params: Params) -> Result:
    message = node.store.read(lambda reader: names.message(reader, params["message"]))

    def job(tx: Tx) -> None:
        rows = messages.by_id(tx, message)
        if not all(row.outgoing for row in rows):
            raise Forbidden("only an own message can be withdrawn", hint=f"p2pchat message show {message.hex()}")
        told = [_contact(tx, row) for row in rows if withdrawal_needed(State(row.state)) and not row.withdrawn]
        outbox.cancel(tx, message, node.now_ms())
        for row in rows:
            messages.withdraw(tx, row.row)
        told = [contact for contact in told if contact.is_friend]
        if told:
            queue(tx, node, told, _withdrawal(tx, node, message))
        go(tx, node, [_contact(tx, row) for row in rows])

    await node.store.change(job, after=lambda _: node.news.ring())
    return _shown(node, message)


def _withdrawal(tx: Tx, node: Node, target: MessageId) -> Draft:
    return Draft(
        message=new_message_id(node.env.random.bytes(MESSAGE_ID_FRESH_BYTES), node.now_ms()),
        device=node.identity.device.device,
        clock=hybrid.tick(tx, node),
        sent_ms=node.now_ms(),
        kind=BODY_WITHDRAW,
        content_type="",
        content=target,
    )


async def outbox_list(node: Node, params: Params) -> Result:
    return _outbox(node, params, None)


async def outbox_show(node: Node, params: Params) -> Result:
    return _outbox(node, params, node.store.read(lambda reader: names.message(reader, params["message"])))


async def outbox_retry(node: Node, params: Params) -> Result:
    message = None
    if "message" in params:
        message = node.store.read(lambda reader: names.message(reader, params["message"]))
    waiting = node.store.read(lambda reader: outbox.waiting(reader, limit=10_000, message=message))
    for user in {row.user for row in waiting}:
        wishes.tell(node, user)  # news for the dialler: it tries at once
    return _outbox(node, params, message)


async def outbox_cancel(node: Node, params: Params) -> Result:
    message = node.store.read(lambda reader: names.message(reader, params["message"]))
    before = own_rows(node, message)

    def job(tx: Tx) -> None:
        outbox.cancel(tx, message, node.now_ms())
        go(tx, node, [_contact(tx, row) for row in before])

    await node.store.change(job, after=lambda _: node.news.ring())
    after = {row.row: row for row in own_rows(node, message)}
    given_up = [row for row in before if row.state in {"queued", "sent"} and after[row.row].state == "failed"]
    return {"items": [_cancelled(after[row.row]) for row in given_up][: pages.FETCH - 1], "next": None}


def _cancelled(row: Message) -> Result:
    return {
        "message": row.message.hex(),
        "to": user_id_text(row.user),
        "state": row.state,
        "reason": row.reason,
        "next_try_ms": None,
        "queued_ms": row.received_ms,
        "size_bytes": row.size_bytes,
    }


def _outbox(node: Node, params: Params, message: MessageId | None) -> Result:
    after = pages.integer(params.get("page"), 0)
    found = node.store.read(lambda reader: outbox.waiting(reader, after_row=after, limit=pages.FETCH, message=message))
    rows, more = pages.of_size(found, (0 for _ in found))
    return {"items": [_waiting(node, row) for row in rows], "next": str(rows[-1].row) if more else None}


def _waiting(node: Node, row: Waiting) -> Result:
    failed = node.unreachable.get(row.user)
    linked = node.link_of(row.user) is not None
    return {
        "message": row.message.hex(),
        "to": user_id_text(row.user),
        "state": row.state,
        "reason": row.reason or (failed.reason if failed and not linked else ""),
        "next_try_ms": failed.retry_ms or None if failed and not linked else None,
        "queued_ms": row.queued_ms,
        "size_bytes": row.size_bytes,
    }


def _shown(node: Node, message: MessageId) -> Result:
    rows = node.store.read(lambda reader: messages.by_id(reader, message))
    first = rows[0]
    return {
        **_row(node, first),
        "received_ms": None if first.outgoing else first.received_ms,
        "expires_ms": first.expires_at_ms or None,
        "recipients": recipients(rows) if first.outgoing else [],
    }


def _row(node: Node, row: Message) -> Result:
    shape: Result = {
        "message": row.message.hex(),
        "direction": "out" if row.outgoing else "in",
        "state": row.state,
        "from": user_id_text(node.identity.user if row.outgoing else row.user),
        "sent_ms": row.sent_ms,
        "text": row.text,
    }
    if row.withdrawn:
        shape["withdrawn"] = True
    if row.kind != BODY_TEXT:
        shape["needs_newer_version"] = True
    return shape


def _contact(tx: Tx, row: Message) -> Contact:
    contact = contacts.get(tx, row.contact)
    assert contact is not None
    return contact


def _token(position: Position) -> str:
    return f"{position.clock}-{position.sent_ms}-{position.device.hex()}-{position.message.hex()}"


def _position(page: str) -> Position:
    words: Sequence[str] = page.split("-")
    try:
        clock, sent_ms, device, message = words
        return Position(
            _whole(clock), _whole(sent_ms), DeviceId(bytes.fromhex(device)), MessageId(bytes.fromhex(message))
        )
    except ValueError as error:
        raise BadFormat("this is no page of that list", hint="leave `page` out to begin") from error


def _whole(word: str) -> int:
    number = int(word)
    if number > INTEGER_MAX:
        raise ValueError("SQLite holds no such number")
    return number
