"""Sending: store first, answer, and let it go as far as it can at once."""

from functools import partial
from typing import Any

import trio

from p2pchat.delivery.lifecycle import State
from p2pchat.errors import Forbidden
from p2pchat.ids import MessageId, UserId
from p2pchat.store import messages, outbox
from p2pchat.store.contacts import Contact
from p2pchat.store.messages import Message
from p2pchat.store.outbox import Draft, Outgoing
from p2pchat.store.tx import Tx
from p2pchat.vault.flows import hybrid
from p2pchat.vault.flows.channel import depart, settled
from p2pchat.vault.flows.outflow import digest
from p2pchat.vault.methods.contact import Params, Result, named
from p2pchat.vault.methods.deliveries import RANK, own_rows, view
from p2pchat.vault.node import Node


async def send(node: Node, params: Params) -> Result:
    message = MessageId(node.env.random.bytes(16))

    def job(tx: Tx) -> list[Message]:
        key = params.get("idempotency_key")
        known = outbox.remembered(tx, key) if key else None
        if known is not None:
            return messages.by_id(tx, known)
        recipients = _recipients(tx, node, params["to"])
        queue(tx, node, recipients, _draft(tx, node, message, params))
        if key:
            outbox.remember(tx, key, message, node.now_ms())
        go(tx, node, recipients)
        return messages.by_id(tx, message)  # read here, where the pages are at hand

    return view(await node.store.change(job, after=lambda _: node.news.ring()))


async def wait(node: Node, params: Params) -> Result:
    wanted = RANK[State(params["state"])]
    message = MessageId(bytes.fromhex(params["message"]))
    result: Result = {}
    with trio.move_on_after(params["wait_ms"] / 1000):
        while True:
            ring = node.news.next_ring()
            result = view(own_rows(node, message))
            recipients: Any = result["recipients"]
            if all(r["state"] == State.FAILED or RANK[State(r["state"])] >= wanted for r in recipients):
                break
            await ring.wait()
    return result or view(own_rows(node, message))


def queue(tx: Tx, node: Node, recipients: list[Contact], draft: Draft) -> None:
    """Give ``draft`` a number in each recipient's queue."""
    users = {contact.id: contact.user for contact in recipients}
    outbox.enqueue(tx, draft, [contact.id for contact in recipients], lambda queued: _digest(node, queued, users))


def go(tx: Tx, node: Node, recipients: list[Contact]) -> None:
    """In the same transaction: what may go at once over the links that stand."""
    ids = {contact.id for contact in recipients}
    for link in tuple(node.links.values()):  # the loop may add one meanwhile
        if link.contact in ids:
            tx.at_end(link, partial(settled, node, link), depart)


def _draft(tx: Tx, node: Node, message: MessageId, params: Params) -> Draft:
    now_ms = node.now_ms()
    expires_s = params.get("expires_s")
    return Draft(
        message=message,
        device=node.identity.device.device,
        clock=hybrid.tick(tx, node),
        sent_ms=now_ms,
        content=params["text"].encode(),
        expires_at_ms=now_ms + expires_s * 1000 if expires_s else 0,
    )


def _digest(node: Node, queued: Outgoing, users: dict[int, UserId]) -> bytes:
    return digest(queued, node.identity.user, users[queued.contact])


def _recipients(tx: Tx, node: Node, words: list[str]) -> list[Contact]:
    """Raises NotFound, Ambiguous, Forbidden: then nothing is stored."""
    found = {contact.id: contact for contact in (named(node, tx, word) for word in words)}
    for contact in found.values():
        if contact.state == "blocked":
            raise Forbidden(f"{contact.called} is blocked", hint=f"p2pchat contact unblock {contact.called}")
    return list(found.values())
