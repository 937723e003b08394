"""An ID whose key was stolen gives way to another: the own one, and contacts' (protocol.md 3.5).

A thief can claim so, too. A claim therefore stops what passes between the user and the old ID, and changes nothing
else, until the user accepts the new one or rejects it.
"""

from functools import partial
from typing import Final, NamedTuple

from p2pchat.errors import Untrusted
from p2pchat.ids import Incarnation, UserId, user_id_text
from p2pchat.keys import succession
from p2pchat.keys.key_log import KeyChain
from p2pchat.store import contacts, events, meta, outbox, successions
from p2pchat.store.contacts import Contact
from p2pchat.store.outbox import Make
from p2pchat.store.tx import Reader, Tx
from p2pchat.vault.flows import alarms, pins, wishes
from p2pchat.vault.flows.link import Link
from p2pchat.vault.flows.outflow import made
from p2pchat.vault.node import Node
from p2pchat.wire import boundary

REASON: Final = "the contact says that its key was stolen and that it has another ID: accept or reject that first"
_OTHER_ID: Final = "the contact gave up this ID and has another one"
_CLAIMED: Final = (
    "{new} says that it is this contact, whose key was stolen, under another ID. The thief could say so, too: ask the"
    " contact over another channel. Nothing is sent to the old ID until you reject {new}, or accept it:"
    " p2pchat contact accept {new}"
)


async def settle(node: Node, announcement: bytes) -> None:
    """Make the store that of the present ID. ``announcement``: the encoded Succession that it came with, if any."""
    user = node.identity.user
    known = node.store.read(lambda reader: meta.blob(reader, meta.OWN_USER))
    if known == user:
        return

    def job(tx: Tx) -> None:
        meta.put(tx, meta.OWN_USER, user)
        if known is not None or announcement:
            device = node.identity.device.device
            successions.take_over(tx, device, partial(_fresh, node), partial(_maker, node), node.now_ms())
            for name in (meta.SWITCHED_OFF, meta.REPLACED, meta.BACKUP_VERIFIED):
                meta.put(tx, name, 0)

    await node.store.change(job)
    node.replaced = False


def announcement(node: Node, contact: Contact) -> bytes:
    """What a request to ``contact`` says of the ID before: an encoded Succession, or nothing."""
    told = node.store.read(lambda reader: successions.to_be_announced(reader, contact.id))
    return node.announcement if told else b""


class Claim(NamedTuple):
    """A friend whose place somebody says to take, and IDs that the friend had in between."""

    old: Contact
    between: tuple[UserId, ...]


def claimed(node: Node, link: Link, raw: bytes) -> Claim | None:
    """None where the peer of a link says to be nobody who is known. Raises BadFormat, BadSignature, Untrusted."""
    found = succession.steps(raw)
    if found and found[0].said.successor != link.user:
        raise Untrusted("the statement names another successor")
    for at, step in enumerate(found):
        friend = node.store.read(partial(_friend, user=step.said.user))
        if friend is not None:
            old, pinned = friend
            succession.verify(found[:at], step, pinned)
            return Claim(old, tuple(step.said.user for step in found[:at]))
    return None


def _friend(reader: Reader, user: UserId) -> tuple[Contact, KeyChain] | None:
    """A friend of that ID, and the log that is pinned."""
    contact = contacts.by_user(reader, user)
    pin = pins.held(reader, contact.id) if contact is not None and contact.is_friend else None
    return (contact, pin.chain) if contact is not None and pin is not None else None


def take_claim(tx: Tx, node: Node, claim: Claim, user: UserId) -> bool:
    """Stop sending to the old ID and tell the user; whether it counts.

    The first claim does while he has not decided, unless a later one proves to be the same person's.
    """
    old, before = claim.old, successions.successor(tx, claim.old.id)
    if before is not None and before not in claim.between:
        return False
    successions.claim(tx, old.id, user, node.now_ms())
    outbox.set_reason(tx, old.id, REASON)
    alarms.distrust(tx, node, f"successor {user_id_text(user)}", old.id, _CLAIMED.format(new=user_id_text(user)[:11]))
    return True


def accepted(tx: Tx, node: Node, contact: Contact) -> Contact:
    """The user takes ``contact``. Where it says to be somebody known, both become one; who it then is.

    A friend whom one has written to under both IDs keeps two histories; the ID that was given up is blocked.
    """
    old = successions.predecessor(tx, contact.user)
    if old is None:
        return contact
    if contact.is_friend and successions.has_written(tx, contact.id):
        successions.drop_claim(tx, contact.user)
        outbox.abandon(tx, old.id, _OTHER_ID, node.now_ms())
        contacts.set_state(tx, old.id, "blocked", node.now_ms())
        return contact
    successions.become(tx, old, contact, _fresh(node), _maker(node, contact.user), node.now_ms())
    merged = contacts.get(tx, old.id)
    assert merged is not None
    pin = pins.held(tx, old.id)
    assert pin is not None  # a request brings its keys
    events.append(
        tx,
        "key-changed",
        node.now_ms(),
        contact=old.id,
        fields={"fingerprint": pin.chain.root.fingerprint, "login": False},
    )
    return merged


def rejected(tx: Tx, user: UserId) -> Contact | None:
    """The user does not take the person of that ID: whom it said to be is written to again."""
    old = successions.predecessor(tx, user)
    if old is not None:
        successions.drop_claim(tx, user)
        outbox.set_reason(tx, old.id, "")
    return old


def links_anew(node: Node, user: UserId) -> None:
    """What a link may carry has changed: make it again."""
    wishes.tell(node, user)
    wishes.cut(node, user, boundary.Reason.LOST)


def _fresh(node: Node) -> Incarnation:
    return Incarnation(node.env.random.bytes(8))


def _maker(node: Node, peer: UserId) -> Make:
    own = node.identity.user
    return lambda held: made(held, own, peer)
