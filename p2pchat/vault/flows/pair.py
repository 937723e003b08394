"""How two people become contacts over a link: request, answer, tickets (protocol.md 8; table: contacts/state.py)."""

from dataclasses import dataclass
from typing import Final

from p2pchat.contacts.request import open_answer, open_request, seal_body
from p2pchat.contacts.state import Event, State, next_state
from p2pchat.contacts.ticket import friend_ticket, is_my_ticket
from p2pchat.ids import Incarnation, UserId
from p2pchat.keys.signed import verify_address_record
from p2pchat.store import contacts, events, meta, profile
from p2pchat.store.contacts import Contact, NewContact, Tickets
from p2pchat.store.tx import Tx
from p2pchat.vault.flows import channel, pins, records, succession, wishes
from p2pchat.vault.flows.link import Link, Nudge
from p2pchat.vault.node import Node
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import ContactAnswer, ContactRequest

OPEN_REQUESTS: Final = 256  # strangers' requests that may wait for the user; more are not kept
REJECTED_MS: Final = 30 * 24 * 3600 * 1000  # a rejected person is not shown again for so long


async def greet(node: Node, link: Link) -> None:
    """Say over a link what the contact's state asks for: a request, or an answer and the channel's HELLO."""
    contact = node.store.read(lambda reader: contacts.by_user(reader, link.user))
    if contact is None:
        return
    link.contact = contact.id
    if contact.state == "requested":
        _send_request(node, link, contact)
    elif contact.is_friend:
        if not channel.agreed_before(node, link):
            send_answer(node, link, reply=False)
        await channel.begin(node, link)


def _send_request(node: Node, link: Link, contact: Contact) -> None:
    body = ContactRequest(
        nickname=node.store.read(profile.get).nickname,
        note=contact.note or "",
        addresses=node.addresses,
        sent_ms=node.now_ms(),
        succession=succession.announcement(node, contact),
    )
    _send(node, link, FrameType.REQUEST, body)


def send_answer(node: Node, link: Link, *, reply: bool) -> None:
    """``reply``: the answer to an answer, which brings my ticket."""
    body = ContactAnswer(
        accepted=True,
        reply=reply,
        ticket=friend_ticket(node.identity.scalar, link.user),
        nickname=node.store.read(profile.get).nickname,
        addresses=node.addresses,
        held=node.store.read(lambda reader: contacts.tickets(reader, link.contact)).held,
    )
    _send(node, link, FrameType.ANSWER, body)


def _send(node: Node, link: Link, kind: FrameType, body: ContactRequest | ContactAnswer) -> None:
    sealed = seal_body(
        body,
        link.to_peer(node.identity.user),
        sender=node.identity.device,
        to=link.record,
        hpke_seal=node.env.crypto.hpke_seal,
    )
    link.send(node.port, kind, sealed)


@dataclass(frozen=True, slots=True)
class _Met:
    """What a request or an answer led to."""

    befriended: bool = False  # the friendship begins here
    friends: bool = False  # it stands, new or old


async def request_received(node: Node, link: Link, body: bytes) -> None:
    """Raises BadFormat, CryptoError, BadSignature: the link must then be cut."""
    request = open_request(body, link.from_peer(node.identity.user), recipient=node.identity.device, sender=link.record)
    _check_addresses(link, request.addresses)
    before = succession.claimed(node, link, request.succession)
    fresh = Incarnation(node.env.random.bytes(8))
    now_ms = node.now_ms()

    def job(tx: Tx) -> tuple[_Met, bool]:
        met = _take_request(tx, link, request, fresh, now_ms)
        listed = contacts.by_user(tx, link.user)
        known = before is not None and listed is not None and listed.state not in {"none", "blocked"}
        return met, known and before is not None and succession.take_claim(tx, node, before, link.user)

    met, claimed = await node.store.change(job)
    node.news.ring()
    if claimed and before is not None:
        succession.links_anew(node, before.old.user)
    if met.friends:
        send_answer(node, link, reply=False)
        await _friends(node, link, met)


async def answer_received(node: Node, link: Link, body: bytes) -> None:
    """Raises as ``request_received``."""
    answer = open_answer(body, link.from_peer(node.identity.user), recipient=node.identity.device, sender=link.record)
    _check_addresses(link, answer.addresses)
    given = friend_ticket(node.identity.scalar, link.user)
    known_again = answer.accepted and is_my_ticket(node.identity.scalar, link.user, answer.held)
    fresh = Incarnation(node.env.random.bytes(8))
    now_ms = node.now_ms()

    def job(tx: Tx) -> _Met:
        met = _list_again(tx, link, answer, fresh, now_ms) if known_again else None
        return met or _take_answer(tx, link, answer, given, now_ms)

    met = await node.store.change(job)
    node.news.ring()
    if met.friends and not answer.reply:
        send_answer(node, link, reply=True)
    if met.befriended:
        await _friends(node, link, met)


async def _friends(node: Node, link: Link, met: _Met) -> None:
    if met.befriended:
        wishes.tell(node, link.user)
    contact = node.store.read(lambda reader: contacts.by_user(reader, link.user))
    if contact is not None and contact.is_friend:
        link.contact = contact.id
        await channel.begin(node, link)
        live = node.link_of(link.user)
        if live is not None and live is not link:  # this one went while its last words were read
            live.post(Nudge())


def _take_request(tx: Tx, link: Link, request: ContactRequest, fresh: Incarnation, now_ms: int) -> _Met:
    contact = contacts.by_user(tx, link.user)
    before = State(contact.state) if contact else State.NONE
    after = next_state(before, Event.REQUEST_RECEIVED)
    if after is State.BLOCKED:
        return _Met()
    if before is State.NONE:
        contact = _list_stranger(tx, link.user, request, fresh, now_ms)
        if contact is None:
            return _Met()
    assert contact is not None
    contacts.set_nickname(tx, contact.id, request.nickname, now_ms)
    if contact.direction == "in":
        contacts.set_note(tx, contact.id, request.note, now_ms)
    _keep_objects(tx, link, contact.id, request.addresses, now_ms)
    if after is not before and before is not State.NONE:
        contacts.set_state(tx, contact.id, after.value, now_ms)
        events.append(tx, "contact-accepted", now_ms, contact=contact.id)
    return _Met(befriended=after is State.ACCEPTED and before is not after, friends=after.value in contacts.FRIENDS)


def _list_stranger(tx: Tx, user: UserId, request: ContactRequest, fresh: Incarnation, now_ms: int) -> Contact | None:
    """Keep a stranger's request for the user, unless he was just rejected or too many wait."""
    if now_ms - meta.integer(tx, _rejected(user)) < REJECTED_MS or contacts.count(tx, "incoming") >= OPEN_REQUESTS:
        return None
    new = NewContact(
        user=user,
        state="incoming",
        direction="in",
        via="link",
        incarnation=fresh,
        nickname=request.nickname,
        note=request.note,
    )
    contact = contacts.add(tx, new, now_ms)
    events.append(tx, "contact-request", now_ms, contact=contact.id, fields={"text": request.note})
    return contact


def _list_again(tx: Tx, link: Link, answer: ContactAnswer, fresh: Incarnation, now_ms: int) -> _Met | None:
    """A friend of whom this store knows nothing shows my ticket: my list was lost, and he comes back onto it.

    None for anybody listed, and for somebody who was removed: his ticket is as good as ever, and he is not wanted.
    """
    if contacts.by_user(tx, link.user) is not None:
        return None
    state = next_state(State.NONE, Event.TICKET_SHOWN)
    new = NewContact(
        user=link.user, state=state.value, direction="in", via="link", incarnation=fresh, nickname=answer.nickname
    )
    contact = contacts.add(tx, new, now_ms)
    contacts.set_tickets(tx, contact.id, Tickets(given=answer.held, held=answer.ticket), now_ms)
    _keep_objects(tx, link, contact.id, answer.addresses, now_ms)
    events.append(tx, "contact-restored", now_ms, contact=contact.id)
    return _Met(befriended=True, friends=True)


def _take_answer(tx: Tx, link: Link, answer: ContactAnswer, given: bytes, now_ms: int) -> _Met:
    contact = contacts.by_user(tx, link.user)
    if contact is None or contact.state in {"none", "blocked", "incoming"}:
        return _Met()
    before = State(contact.state)
    after = next_state(before, Event.ANSWER_ACCEPTED if answer.accepted else Event.ANSWER_REJECTED)
    if after.value not in contacts.FRIENDS:
        return _Met()
    contacts.set_nickname(tx, contact.id, answer.nickname, now_ms)
    contacts.set_tickets(tx, contact.id, Tickets(given=given, held=answer.ticket), now_ms)
    _keep_objects(tx, link, contact.id, answer.addresses, now_ms)
    if before is not after:
        contacts.set_state(tx, contact.id, after.value, now_ms)
        events.append(tx, "contact-accepted", now_ms, contact=contact.id)
    return _Met(befriended=before is not after, friends=True)


def _keep_objects(tx: Tx, link: Link, contact: int, addresses: bytes, now_ms: int) -> None:
    pins.keep(tx, contact, link.chain, link.devices, now_ms)
    records.keep_addresses(tx, contact, addresses, link.devices, now_ms)


def _check_addresses(link: Link, addresses: bytes) -> None:
    if addresses:
        verify_address_record(addresses, link.devices)


def _rejected(user: UserId) -> str:
    return f"rejected/{user.hex()}"


def rejected(tx: Tx, user: UserId, now_ms: int) -> None:
    """Remember that the user rejected this person."""
    meta.put(tx, _rejected(user), now_ms)
