"""Sending: store first, answer, and let it go as far as it can at once."""

from collections.abc import Iterable
from functools import partial
from typing import Any, Final

import trio

from p2pchat.delivery.lifecycle import State
from p2pchat.env import draws
from p2pchat.errors import Forbidden, P2PChatError
from p2pchat.ids import MESSAGE_ID_FRESH_BYTES, MessageId, new_message_id
from p2pchat.store import messages, outbox
from p2pchat.store.contacts import Contact
from p2pchat.store.outbox import Draft, Make
from p2pchat.store.tails import Tails, enqueue
from p2pchat.store.tx import Tx
from p2pchat.vault.flows import hybrid, replaced
from p2pchat.vault.flows.channel import depart, settled
from p2pchat.vault.flows.outflow import made
from p2pchat.vault.methods.contact import Params, Result, named
from p2pchat.vault.methods.deliveries import RANK, own_rows, queued_view, view
from p2pchat.vault.node import Node

_IDS: Final = 16  # drawn at a time


async def send(node: Node, many: list[Params]) -> list[Result | P2PChatError]:
    """All in one job: a message is refused before anything of it is stored, so it needs no undoing.

    Raises Forbidden on a device that was replaced.
    """
    replaced.refuse(node)

    def job(tx: Tx) -> list[Result | P2PChatError]:
        sending = _Sending(tx, node)
        answers = [sending.answer(params) for params in many]
        sending.close()
        return answers

    later: list[trio.Event] = []  # news that these answers do not know

    def committed(_: object) -> None:
        node.news.ring()
        later.append(node.news.next_ring())

    answers = await node.store.change(job, after=committed)
    began_s = trio.current_time()
    return [await _awaited(node, *one, later[0], began_s) for one in zip(many, answers, strict=True)]


async def wait(node: Node, params: Params) -> Result:
    return await _reached(node, params["message"], params["state"], trio.current_time() + params["wait_ms"] / 1000)


async def _awaited(
    node: Node, params: Params, answer: Result | P2PChatError, later: trio.Event, began_s: float
) -> Result | P2PChatError:
    """The answer once what the sender waits for has come to pass, or not in time."""
    if "wait" not in params or isinstance(answer, P2PChatError) or _stands(answer, params["wait"]):
        return answer
    until_s = began_s + params.get("wait_ms", 0) / 1000
    with trio.move_on_at(until_s):
        await later.wait()  # until then a look at the store would show nothing new
    return await _reached(node, str(answer["message"]), params["wait"], until_s)


async def _reached(node: Node, message_hex: str, state: str, until_s: float) -> Result:
    """How things stand once every recipient has ``state`` or failed, or the time is up. Raises NotFound."""
    message = MessageId(bytes.fromhex(message_hex))
    while True:
        ring = node.news.next_ring()
        result = view(own_rows(node, message))
        if _stands(result, state):
            return result
        with trio.move_on_at(until_s) as late:
            await ring.wait()
        if late.cancelled_caught:
            return result


def _stands(result: Result, state: str) -> bool:
    recipients: Any = result["recipients"]
    return all(r["state"] == State.FAILED or RANK[State(r["state"])] >= RANK[State(state)] for r in recipients)


def queue(tx: Tx, node: Node, recipients: list[Contact], draft: Draft) -> None:
    """Give ``draft`` a number in each recipient's queue, and let it go."""
    enqueue(tx, draft, [contact.id for contact in recipients], _maker(node, recipients))
    go(tx, node, recipients)


def go(tx: Tx, node: Node, recipients: Iterable[Contact]) -> None:
    """In the same transaction: what may go at once over the links that stand."""
    ids = {contact.id for contact in recipients}
    for link in tuple(node.links.values()):  # the loop may add one meanwhile
        if link.contact in ids:
            tx.at_end(link, partial(settled, node, link), depart)


class _Sending:
    """One job's messages: what they share is looked up once."""

    def __init__(self, tx: Tx, node: Node) -> None:
        self._tx = tx
        self._node = node
        self._fresh: list[bytes] = []
        self._named: dict[str, Contact] = {}
        self._contacts: dict[int, Contact] = {}
        self._tails = Tails(tx, lambda queued: made(queued, node.identity.user, self._contacts[queued.contact].user))

    def answer(self, params: Params) -> Result | P2PChatError:
        try:
            return self._send(params)
        except P2PChatError as error:
            return error

    def close(self) -> None:
        self._tails.close()
        go(self._tx, self._node, self._contacts.values())

    def _send(self, params: Params) -> Result:
        key = params.get("idempotency_key")
        known = outbox.remembered(self._tx, key) if key else None
        if known is not None:
            return view(messages.by_id(self._tx, known))
        recipients = self._recipients(params["to"])
        message = self._next_id()
        self._tails.enqueue(_draft(self._tx, self._node, message, params), [contact.id for contact in recipients])
        if key:
            outbox.remember(self._tx, key, message, self._node.now_ms())
        return queued_view(message, [(contact.user_text, self._tails.reason(contact.id)) for contact in recipients])

    def _next_id(self) -> MessageId:
        if not self._fresh:
            self._fresh = draws(self._node.env.random, _IDS, MESSAGE_ID_FRESH_BYTES)
        return new_message_id(self._fresh.pop(), self._node.now_ms())

    def _recipients(self, words: list[str]) -> list[Contact]:
        """Raises NotFound, Ambiguous, Forbidden: then nothing is stored."""
        found = {contact.id: contact for contact in map(self._recipient, words)}
        self._contacts |= found
        return list(found.values())

    def _recipient(self, word: str) -> Contact:
        contact = self._named.get(word) or named(self._node, self._tx, word)
        if contact.state == "blocked":
            raise Forbidden(f"{contact.called} is blocked", hint=f"p2pchat contact unblock {contact.called}")
        return self._named.setdefault(word, contact)


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


def _maker(node: Node, recipients: list[Contact]) -> Make:
    users = {contact.id: contact.user for contact in recipients}
    return lambda queued: made(queued, node.identity.user, users[queued.contact])
