"""Cards and contact requests: how people come onto the list."""

from collections.abc import Callable
from functools import partial
from typing import Any

from p2pchat.contacts.card import ReadCard, check_expiry, read_card, write_card
from p2pchat.contacts.state import Event, State, next_state
from p2pchat.errors import Failed, Untrusted, Usage
from p2pchat.ids import Incarnation
from p2pchat.keys.standing import Standing
from p2pchat.store import contacts, events, profile, successions
from p2pchat.store.contacts import Contact, NewContact
from p2pchat.store.tx import Tx
from p2pchat.vault import own
from p2pchat.vault.flows import pair, pins, records, succession, wishes
from p2pchat.vault.flows.link import Nudge
from p2pchat.vault.methods import pages
from p2pchat.vault.methods.contact import Params, Result, named, viewed
from p2pchat.vault.node import Node
from p2pchat.wire import boundary
from p2pchat.wire.card_code import read_card_code
from p2pchat.wire.structs import CardCode


async def card(node: Node, params: Params) -> Result:
    now_ms = node.now_ms()
    addresses = tuple(params.get("addresses") or node.reachable)
    record = own.address_record(node.identity, addresses, node.carriers, node.sequence.next(now_ms), now_ms)
    nickname = node.store.read(profile.get).nickname
    file = write_card(node.identity, addresses=record, nickname=nickname, now_ms=now_ms)
    expires_ms = read_card(file, now_ms=now_ms).card.not_after_ms
    code = own.card_code(node.identity, record, expires_ms)
    return {
        "id": own.text(node.identity),
        "card": file,
        "code": code,
        "addresses": list(addresses),
        "expires_ms": expires_ms,
    }


async def add(node: Node, params: Params) -> Result:
    if ("card" in params) == ("code" in params):
        raise Usage("one of a card and its code says whom to add", hint="p2pchat rpc schema")
    now_ms = node.now_ms()
    if "card" in params:
        card = read_card(params["card"], now_ms=now_ms)
        user, nickname, take = card.user, card.nickname, partial(_take_card, card)
    else:
        code = read_card_code(params["code"])
        check_expiry(code.not_after_ms, now_ms)
        user, nickname, take = code.user, None, partial(_take_code, code)
    if user == node.identity.user:
        raise Failed("this is your own card", hint="give it to somebody else")
    fresh = Incarnation(node.env.random.bytes(8))
    new = NewContact(
        user=user,
        state="requested",
        direction="out",
        via="card",
        incarnation=fresh,
        alias=params.get("alias"),
        nickname=nickname,
        note=params.get("message"),
    )
    await node.store.change(lambda tx: _add(tx, node, new, take))
    wishes.tell(node, user)
    _nudge(node, user)
    return viewed(node, user)


def _add(tx: Tx, node: Node, new: NewContact, take: Callable[[Tx, Contact, int], None]) -> None:
    now_ms = node.now_ms()
    contact = contacts.by_user(tx, new.user)
    before = State(contact.state) if contact else State.NONE
    after = next_state(before, Event.ADD, contact.called if contact else "")
    if before is State.NONE:
        contact = contacts.add(tx, new, now_ms)
    assert contact is not None
    take(tx, contact, now_ms)
    contacts.set_lan(tx, contact.id, True, now_ms)  # the user imported these addresses himself
    if before is not State.NONE:
        if new.note and before is State.REQUESTED:
            contacts.set_note(tx, contact.id, new.note, now_ms)
        if new.alias:
            contacts.set_alias(tx, contact.id, new.alias, now_ms)
        if after is not before:
            _befriend(tx, node, contact)


def _take_card(found: ReadCard, tx: Tx, contact: Contact, now_ms: int) -> None:
    """The newer of card and pin. Raises Untrusted where the card does not extend the pin."""
    pin = pins.held(tx, contact.id)
    standing = pins.keep(tx, contact.id, found.chain, found.devices, now_ms)
    if pin is not None and found.chain.standing(pin.chain) is Standing.OLDER:
        raise Untrusted(
            "the card is from before this contact replaced its key, or a thief made it; nothing of it was taken",
            hint="ask the contact for a new card",
        )
    if standing is Standing.FORKED:
        raise Untrusted(
            "the card shows other keys of the same number than those pinned: two computers use this contact's identity",
            hint="ask the contact in person",
        )
    if standing is not Standing.OLDER:  # else nothing in the card is news
        records.keep_addresses(tx, contact.id, found.card.addresses, found.devices, now_ms)


def _take_code(code: CardCode, tx: Tx, contact: Contact, now_ms: int) -> None:
    """It holds no keys: the first link must show those that it names. Raises Untrusted where others are pinned."""
    pin = pins.held(tx, contact.id)
    if pin is None:
        contacts.set_expected(tx, contact.id, code.encode(), now_ms)
    elif code.head16 not in {entry.hash[:16] for entry in pin.chain.entries}:
        raise Untrusted(
            "the code names other keys than those pinned for this contact: either it replaced its key and has not been"
            " reached since, or somebody else showed the pinned ones",
            hint="ask the contact in person; p2pchat contact remove forgets what is pinned",
        )


def _befriend(tx: Tx, node: Node, contact: Contact) -> None:
    contact = succession.accepted(tx, node, contact)
    contacts.set_state(tx, contact.id, "accepted", node.now_ms())
    events.append(tx, "contact-accepted", node.now_ms(), contact=contact.id)


async def listed(node: Node, params: Params) -> Result:
    waiting = node.store.read(lambda reader: contacts.every(reader, "incoming", "requested", "restored"))
    rows, following = pages.by_offset(waiting, params.get("page"))
    return {"items": [_view(node, contact) for contact in rows], "next": following}


def _view(node: Node, contact: Contact) -> dict[str, Any]:
    old = node.store.read(lambda reader: successions.predecessor(reader, contact.user))
    return {
        "id": contact.user_text,
        "nickname": contact.nickname,
        "message": contact.note,
        "direction": contact.direction,
        "via": contact.via,
        "predecessor": old.user_text if old else None,
    }


async def accept(node: Node, params: Params) -> Result:
    def job(tx: Tx) -> tuple[Contact, Contact | None]:
        contact = named(node, tx, params["id"])
        after = next_state(State(contact.state), Event.ACCEPT, contact.called)
        old = successions.predecessor(tx, contact.user)
        if after.value != contact.state or old is not None:
            _befriend(tx, node, contact)
        return contact, old

    contact, old = await node.store.change(job)
    node.news.ring()
    wishes.tell(node, contact.user)
    _nudge(node, contact.user)
    if old is not None:
        succession.links_anew(node, old.user)
        if contact.is_friend:  # a channel stood, of a row that is gone
            wishes.cut(node, contact.user, boundary.Reason.LOST)
    return viewed(node, contact.user)


async def reject(node: Node, params: Params) -> Result:
    def job(tx: Tx) -> tuple[Contact, Contact | None]:
        contact = named(node, tx, params["id"])
        next_state(State(contact.state), Event.REJECT, contact.called)
        contacts.forget(tx, contact.id, node.now_ms())
        pair.rejected(tx, contact.user, node.now_ms())
        return contact, succession.rejected(tx, contact.user)

    contact, old = await node.store.change(job)
    node.news.ring()
    if old is not None:
        succession.links_anew(node, old.user)
    if contact.is_friend:  # restored: a link stands
        wishes.tell(node, contact.user)
        wishes.cut(node, contact.user, boundary.Reason.UNWANTED)
    return {"id": contact.user_text, "rejected": True}


def _nudge(node: Node, user: bytes) -> None:
    """A link that stands already says now what the new state asks for."""
    for link in node.links.values():
        if link.user == user:
            link.post(Nudge())
