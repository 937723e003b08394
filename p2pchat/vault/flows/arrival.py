"""Who is at the other end of a new link: checked by the vault, never believed from the gate (protocol.md 5.3)."""

import trio

from p2pchat.errors import P2PChatError, Untrusted
from p2pchat.keys.devices import verify_device_set
from p2pchat.keys.key_log import verify_key_log
from p2pchat.keys.standing import Standing
from p2pchat.store import contacts, events, successions
from p2pchat.store.contacts import Contact
from p2pchat.store.tx import Tx
from p2pchat.vault.flows import forks, pins, wishes
from p2pchat.vault.flows.link import Link, LinkEvent
from p2pchat.vault.flows.pins import Pin
from p2pchat.vault.node import Node
from p2pchat.wire import boundary


def check(node: Node, up: boundary.Up, events_to: trio.MemorySendChannel[LinkEvent]) -> Link:
    """The link's peer, verified against what is pinned. Raises P2PChatError: the link is not wanted."""
    contact = node.store.read(lambda reader: contacts.by_user(reader, up.user))
    listed = contact if contact is not None and contact.state != "none" else None
    if listed is not None and listed.state == "blocked":
        raise Untrusted("the contact is blocked")
    pin = node.store.read(lambda reader: pins.held(reader, listed.id)) if listed else None
    chain = verify_key_log(up.key_log) if up.key_log or pin is None else pin.chain
    shown = verify_device_set(up.device_set, chain) if up.device_set or pin is None else pin.devices
    if chain.user != up.user:
        raise Untrusted("the key log belongs to another ID than the link")
    record = shown.device(up.device)
    if record is None:
        raise Untrusted("the link's device is not listed by its ID")
    link = Link(up=up, chain=chain, devices=shown, record=record, events=events_to, contact=listed.id if listed else 0)
    if listed is None or pin is None:
        if shown.expired(node.now_ms()):
            raise Untrusted("the peer's device set has expired, or this clock is wrong", hint="date")
        if listed is not None and listed.state in wishes.LINKED_STATES:
            node.store.read(lambda reader: pins.check_code(reader, listed.id, chain, shown))
            _pin(node, listed, link)
    else:
        link.given_up = node.store.read(lambda reader: successions.successor(reader, listed.id)) is not None
        _compare(node, listed, link, pin)
    return link


def _compare(node: Node, contact: Contact, link: Link, pin: Pin) -> None:
    """A newer log, or of the same log a newer set, is pinned; what is not the newest silences the link."""
    chain, shown = link.chain, link.devices
    log, other = chain.standing(pin.chain), node.store.read(lambda reader: forks.held(reader, contact.id))
    if log is Standing.FORKED:
        forks.found(node, contact, pin.chain, chain)
    link.forked = log is Standing.FORKED or (other is not None and chain.standing(other) is not Standing.NEWER)
    if link.forked:
        return
    if log is Standing.OLDER:
        link.newer_log = pin.chain
        return
    standing = shown.standing(pin.devices) if log is Standing.SAME else log
    if standing in {Standing.OLDER, Standing.FORKED}:
        link.shown, link.devices = shown, pin.devices
    elif standing is Standing.NEWER:
        _pin(node, contact, link)


def _pin(node: Node, contact: Contact, link: Link) -> None:
    """Keep what was shown. Another link of the same peer may have shown a fork of it a moment ago: then look again."""
    chain, shown = link.chain, link.devices

    def job(tx: Tx) -> Standing:
        try:
            return pins.keep(tx, contact.id, chain, shown, node.now_ms())
        except Untrusted:
            return Standing.FORKED

    def kept(standing: Standing) -> None:
        if standing is Standing.FORKED:
            node.port.send(boundary.Cut(link=link.up.link, reason=boundary.Reason.LOST))
        wishes.tell(node, contact.user)  # else the gate would call the older set "as pinned"
        node.news.ring()

    node.store.change_nowait(job, after=kept)


def warn(node: Node, up: boundary.Up, error: P2PChatError) -> None:
    """Tell the user why a contact's link was refused; strangers and blocked people make no noise."""

    def job(tx: Tx) -> None:
        contact = contacts.by_user(tx, up.user)
        if contact is not None and contact.state in {"requested", "accepted", "restored"}:
            fields = {"text": f"a link was refused: {error.message}"}
            events.append(tx, "warning", node.now_ms(), contact=contact.id, fields=fields)

    node.store.change_nowait(job, after=lambda _: node.news.ring())
