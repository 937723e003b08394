"""The event log for readers: what is new, and what was dealt with."""

from dataclasses import dataclass, replace
from typing import Final

import trio

from p2pchat.ids import UserId, user_id_text
from p2pchat.limits import EXEC_RETRIES
from p2pchat.store import events, pruning, readers
from p2pchat.store.contacts import Contact
from p2pchat.store.events import Event
from p2pchat.store.readers import EventReader
from p2pchat.store.tx import Reader, Tx
from p2pchat.vault.flows.link import Nudge
from p2pchat.vault.methods import gaps, pages
from p2pchat.vault.methods.contact import Params, Result, named
from p2pchat.vault.node import Node
from p2pchat.wire.structs import BODY_TEXT

_CAUSED_BY_SELF: Final = {"delivery"}  # the contact is whom it went to


@dataclass(frozen=True, slots=True)
class _Question:
    start: int
    limit: int
    messages_only: bool
    contact: int | None

    def ask(self, reader: Reader) -> list[Event]:
        return events.after(
            reader, self.start, limit=self.limit, messages_only=self.messages_only, contact=self.contact
        )


async def next_events(node: Node, params: Params) -> Result:
    contact = node.store.read(lambda reader: named(node, reader, params["from"])) if "from" in params else None
    start = await _start(node, params, contact)
    question = _Question(start.cursor, params["limit"], not params["all"], contact.id if contact else None)
    if not question.limit:
        return {"events": [], "tries": start.tries}
    name = pruning.ANYBODY if "since" in params else _reader(params, contact)
    gap = gaps.event(node, name, start.cursor, every_type=params["all"])
    if gap is not None:
        return {"events": [gap], "tries": start.tries}
    found: list[Event] = []
    with trio.move_on_after(params["wait_ms"] / 1000):
        while True:
            ring = node.news.next_ring()
            found = node.store.read(question.ask)
            if found or not params["wait_ms"]:
                break
            await ring.wait()
    page, _ = pages.of_size(found, (len(event.text.encode()) for event in found))
    return {"events": [view(event) for event in page], "tries": start.tries}


async def failed(node: Node, params: Params) -> Result:
    contact = node.store.read(lambda reader: named(node, reader, params["from"])) if "from" in params else None
    name, cursor, tries = _reader(params, contact), params["cursor"], params["tries"]

    def job(tx: Tx) -> bool:
        if cursor <= readers.get(tx, name).cursor:
            return True  # it was given up before this call was sent again
        readers.failed(tx, name, tries, node.now_ms())
        if tries <= EXEC_RETRIES:
            return False
        _give_up(tx, name, cursor, node.now_ms())
        readers.confirm(tx, name, cursor, node.now_ms(), contact=contact.id if contact else None)
        return True

    given_up = await node.store.change(job)
    if given_up:
        node.news.ring()
    return {"given_up": given_up}


def _give_up(tx: Tx, name: str, cursor: int, now_ms: int) -> None:
    """Tell the user, and how to try again; of a warning nothing is told, or one would follow the other for ever."""
    found = events.after(tx, cursor - 1, limit=1, messages_only=False)
    if not found or found[0].cursor != cursor or found[0].type == "warning":
        return
    every = "" if found[0].type == "message" else " --all"
    again = f"p2pchat recv --since {cursor - 1}{every} --limit 1 --exec PROGRAM"
    text = f"the program of reader {name} failed {EXEC_RETRIES + 1} times at event {cursor}, and the reader went on"
    events.append(tx, "warning", now_ms, fields={"text": f"{text}; once more: {again}"})


def _reader(params: Params, contact: Contact | None) -> str:
    return params.get("reader") or (f"cli:{contact.user_text}" if contact else "cli")


async def _start(node: Node, params: Params, contact: Contact | None) -> EventReader:
    """Where to read from, after the reader was moved to what was dealt with."""
    if "since" in params:
        return EventReader("", int(params["since"]), 0)
    name = _reader(params, contact)
    after = params.get("after")
    if after is not None and not params["peek"]:
        only = contact.id if contact else None
        moved = await node.store.change(lambda tx: readers.confirm(tx, name, after, node.now_ms(), contact=only))
        if moved and node.config.receipts:
            _tell_read(node, moved)
    stands = node.store.read(lambda reader: readers.get(reader, name))
    return stands if after is None else replace(stands, cursor=max(stands.cursor, after))


def _tell_read(node: Node, contacts: list[int]) -> None:
    for link in node.links.values():
        if link.contact in contacts:
            link.post(Nudge())  # its turn says the receipt


def view(event: Event) -> dict[str, object]:
    """The documented fields of one event."""
    shape: dict[str, object] = {"cursor": event.cursor, "type": event.type}
    if event.user is not None:
        key = "to" if event.type in _CAUSED_BY_SELF else "from"
        shape[key] = user_id_text(UserId(event.user))
    if event.type in {"message", "contact-request", "contact-accepted", "contact-restored", "contact-verified"}:
        shape["nickname"] = event.nickname
    if event.message is not None:
        shape["message"] = event.message.hex()
    if event.type == "message":
        shape |= {"group": None, "sent_ms": event.sent_ms, "text": event.text, "files": []}
        if event.kind != BODY_TEXT:
            shape["needs_newer_version"] = True
    if event.type != "delivery":
        shape["received_ms"] = event.at_ms
    return shape | event.fields
