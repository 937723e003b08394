"""Contacts as the user sees them: list, show, alias, block, remove, verify."""

from functools import partial
from typing import Any, Final

from p2pchat.channel.state import ChannelState
from p2pchat.config import join_address
from p2pchat.contacts.state import Event, State, next_state
from p2pchat.errors import NotFound
from p2pchat.ids import UserId, user_id_text
from p2pchat.keys.key_log import verify_key_log
from p2pchat.store import channels, contacts, names, successions
from p2pchat.store.contacts import Contact
from p2pchat.store.tx import Reader, Tx
from p2pchat.vault.flows import channel, forks, health, succession, wishes
from p2pchat.vault.flows.link import Link
from p2pchat.vault.flows.turn import Turn
from p2pchat.vault.methods import pages
from p2pchat.vault.node import Node
from p2pchat.wire import boundary
from p2pchat.wire.structs import AddressRecord, Signed

Params = dict[str, Any]
Result = dict[str, object]
_LIST: Final = "p2pchat contact list"


def named(node: Node, reader: Reader, word: str) -> Contact:
    """The listed contact that a user means. Raises NotFound, Ambiguous."""
    try:
        found = names.contact(reader, word)
    except NotFound:
        if _is_own(node, word):
            raise NotFound(f"{word} is your own ID, and nobody is their own contact", hint=_LIST) from None
        raise
    if found.state == "none":
        raise NotFound(f"{word} is no contact (any more)", hint=_LIST)
    return found


def _is_own(node: Node, word: str) -> bool:
    name = word.removeprefix("@").lower()
    return len(name) >= names.PREFIX_CHARS and user_id_text(node.identity.user).startswith(name)


async def listed(node: Node, params: Params) -> Result:
    rows, following = pages.by_offset(node.store.read(contacts.every), params.get("page"))
    return {"items": [view(node, contact) for contact in rows], "next": following}


async def show(node: Node, params: Params) -> Result:
    contact = node.store.read(lambda reader: named(node, reader, params["peer"]))
    other = node.store.read(lambda reader: forks.held(reader, contact.id))
    pinned = node.store.read(lambda reader: contacts.objects(reader, contact.id)).key_log
    fork = [] if other is None else [verify_key_log(pinned).root.fingerprint, other.root.fingerprint]
    successor = node.store.read(lambda reader: successions.successor(reader, contact.id))
    return {
        **view(node, contact),
        "epoch": _epoch(node, contact),
        "fork": fork,
        "successor": user_id_text(successor) if successor else None,
    }


async def retry(node: Node, params: Params) -> Result:
    contact = node.store.read(lambda reader: named(node, reader, params["peer"]))
    link = node.link_of(contact.user)
    turn = await node.store.change(partial(_retry, node, contact, link), after=channel.depart)
    if turn is None:
        wishes.tell(node, contact.user)  # no link: news for the dialler, which tries at once
    node.news.ring()
    return await show(node, {"peer": contact.user_text})


def _retry(node: Node, contact: Contact, link: Link | None, tx: Tx) -> Turn | None:
    turn = channel.retry(tx, node, link) if link is not None else None
    if turn is None:
        health.forgive(tx, contact.id, node.now_ms())
    return turn


def _epoch(node: Node, contact: Contact) -> int:
    """The highest among the contact's devices."""
    stored = node.store.read(lambda reader: channels.of_contact(reader, contact.id)).values()
    current = [ChannelState.decode(state).current for state in stored]
    return max((epoch.number for epoch in current if epoch), default=0)


async def alias(node: Node, params: Params) -> Result:
    contact = node.store.read(lambda reader: named(node, reader, params["peer"]))
    await node.store.change(lambda tx: contacts.set_alias(tx, contact.id, params["alias"], node.now_ms()))
    return viewed(node, contact.user)


async def block(node: Node, params: Params) -> Result:
    contact = await _move(node, params["peer"], Event.BLOCK)
    wishes.cut(node, contact.user, boundary.Reason.UNWANTED)
    return viewed(node, contact.user)


async def unblock(node: Node, params: Params) -> Result:
    contact = node.store.read(lambda reader: named(node, reader, params["peer"]))
    friend = contact.accepted_ms is not None
    await _move(node, params["peer"], Event.UNBLOCK_FRIEND if friend else Event.UNBLOCK_STRANGER)
    return viewed(node, contact.user)


async def remove(node: Node, params: Params) -> Result:
    contact = await _move(node, params["peer"], Event.REMOVE)
    wishes.cut(node, contact.user, boundary.Reason.UNWANTED)
    return {"id": contact.user_text, "removed": True}


async def _move(node: Node, word: str, event: Event) -> Contact:
    """Change a contact's state as the table says, and tell the gate. The contact as it was."""

    def job(tx: Tx) -> tuple[Contact, Contact | None]:
        contact = named(node, tx, word)
        after = next_state(State(contact.state), event, contact.called)
        if after is State.NONE:
            contacts.forget(tx, contact.id, node.now_ms())
        else:
            contacts.set_state(tx, contact.id, after.value, node.now_ms())
        thawed = succession.rejected(tx, contact.user) if after in {State.NONE, State.BLOCKED} else None
        return contact, thawed

    contact, thawed = await node.store.change(job)
    wishes.tell(node, contact.user)
    if thawed is not None:
        succession.links_anew(node, thawed.user)
    node.news.ring()
    return contact


def viewed(node: Node, user: UserId) -> Result:
    """The contact as it stands now."""
    contact = node.store.read(lambda reader: contacts.by_user(reader, user))
    assert contact is not None  # rows of removed contacts stay
    return view(node, contact)


def view(node: Node, contact: Contact) -> Result:
    link = None if contact.state == "blocked" else node.link_of(contact.user)  # a blocked one's is being cut
    return {
        "id": user_id_text(contact.user),
        "alias": contact.alias,
        "nickname": contact.nickname,
        "state": contact.state if contact.state != "none" else "requested",
        "verified": contact.verified,
        "channel": contact.channel,
        "presence": "online" if link is not None and contact.is_friend else "unknown",
        "path": link.up.path if link else "none",
        "carrier": link.up.carrier if link else "none",
        "addresses": _addresses(node.store.read(lambda reader: contacts.objects(reader, contact.id)).addresses),
    }


def _addresses(record: bytes) -> list[str]:
    """HOST:PORT of a record that was verified when it was stored."""
    if not record:
        return []
    found = AddressRecord.decode(Signed.decode(record).body)
    return [join_address(address.host, address.port) for address in found.addresses]
