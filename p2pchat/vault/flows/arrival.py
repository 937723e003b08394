"""Who is at the other end of a new link: checked by the vault itself, never believed from the gate (PROTOCOL 1)."""

import trio

from p2pchat.errors import P2PChatError, Untrusted
from p2pchat.keys.devices import VerifiedSet, verify_device_set
from p2pchat.keys.key_log import KeyChain, verify_key_log
from p2pchat.store import contacts, events
from p2pchat.store.contacts import Contact
from p2pchat.store.tx import Tx
from p2pchat.vault.flows import wishes
from p2pchat.vault.flows.link import Link, LinkEvent
from p2pchat.vault.node import Node
from p2pchat.wire import boundary


def check(node: Node, up: boundary.Up, events_to: trio.MemorySendChannel[LinkEvent]) -> Link:
    """The link's peer, verified against what is pinned. Raises P2PChatError: the link is not wanted."""
    contact = node.store.read(lambda reader: contacts.by_user(reader, up.user))
    listed = contact if contact is not None and contact.state != "none" else None
    if listed is not None and listed.state == "blocked":
        raise Untrusted("the contact is blocked")
    held = node.store.read(lambda reader: contacts.objects(reader, listed.id)) if listed else None
    chain = verify_key_log(up.key_log or (held.key_log if held else b""))
    devices = verify_device_set(up.device_set or (held.device_set if held else b""), chain)
    if chain.user != up.user:
        raise Untrusted("the key log belongs to another ID than the link")
    record = devices.device(up.device)
    if record is None:
        raise Untrusted("the link's device is not listed by its ID")
    if listed is None or not (held and held.key_log):
        if devices.expired(node.now_ms()):
            raise Untrusted("the peer's device set has expired, or this clock is wrong", hint="date")
    else:
        _pinned(node, listed, chain, devices)
    return Link(
        up=up, chain=chain, devices=devices, record=record, events=events_to, contact=listed.id if listed else 0
    )


def _pinned(node: Node, contact: Contact, chain: KeyChain, devices: VerifiedSet) -> None:
    """Freshness is a rising sequence. A newer set is kept; trust does not outlive another set of devices."""
    held = node.store.read(lambda reader: contacts.objects(reader, contact.id))
    pinned = verify_key_log(held.key_log)
    if chain.head != pinned.head:
        raise Untrusted("the contact shows another key log than the one pinned")
    known = verify_device_set(held.device_set, pinned)
    if devices.sequence < known.sequence:
        raise Untrusted("the contact shows an older device set than the one pinned")
    if devices.sequence == known.sequence:
        if devices.set_hash != known.set_hash:
            raise Untrusted("two device sets bear the same number: somebody runs a copy of the contact's identity")
        return
    same_devices = {r.encode() for r in devices.records} == {r.encode() for r in known.records}

    def job(tx: Tx) -> None:
        now_ms = node.now_ms()
        contacts.set_chain(tx, contact.id, chain.raw, devices.raw, devices.sequence, now_ms)
        if not same_devices:
            contacts.set_verified(tx, contact.id, False, now_ms)
            fields = {"fingerprint": chain.root.fingerprint}
            events.append(tx, "key-changed", now_ms, contact=contact.id, fields=fields)

    def kept(_: None) -> None:
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
