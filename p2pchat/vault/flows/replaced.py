"""This device was replaced: somebody logged in with a backup on another machine (protocol.md 3.2).

It learns so from a contact, who holds a newer set, signed by the own root, that does not list this device.
From then on it has no links, also after a restart; what it stores stays readable.
"""

from typing import Final

from p2pchat.errors import Forbidden
from p2pchat.keys.devices import VerifiedSet
from p2pchat.keys.standing import Standing
from p2pchat.store import channels, contacts, events, meta, outbox
from p2pchat.store.tx import Tx
from p2pchat.vault.flows import wishes
from p2pchat.vault.node import Node
from p2pchat.wire import boundary

TEXT: Final = (
    "this identity was logged in on another machine, which took this device's place: messages stay readable here, and"
    " none is sent or received any more"
)
REASON: Final = "this device was switched off: write from the machine that took its place"
_OFF: Final = (
    "this device was switched off: the identity was logged in on another machine, or its key was replaced. Messages"
    " stay readable here"
)


def replaces(node: Node, found: VerifiedSet) -> bool:
    """Whether ``found``, verified as one of this identity's sets, puts another device into this one's place.

    Not where this device never agreed keys with anybody: then it is the new one, after a login whose clock stood behind
    that of the login before, and has to sign a successor.
    """
    newer = found.standing(node.identity.devices) is Standing.NEWER
    unlisted = found.device(node.identity.device.device) is None
    return newer and unlisted and node.store.read(channels.any_agreed)


def switch_off(node: Node, why: str = TEXT) -> None:
    """For good. ``why`` is what the user reads."""
    if node.replaced:
        return
    node.replaced = True

    def job(tx: Tx) -> None:
        meta.put(tx, meta.SWITCHED_OFF, node.now_ms())
        events.append(tx, "warning", node.now_ms(), fields={"text": why})
        for contact in contacts.every(tx):
            outbox.set_reason(tx, contact.id, REASON)

    def let_go(_: None) -> None:
        for contact in node.store.read(lambda reader: contacts.every(reader, *wishes.LINKED_STATES)):
            wishes.tell(node, contact.user)
        for link in node.links.values():
            node.port.send(
                boundary.Cut(link=link.up.link, reason=boundary.Reason.CLOSED)
            )  # who dials again is looking for the new device
        node.news.ring()

    node.store.change_nowait(job, after=let_go)


def switch_on(tx: Tx) -> None:
    """From the next start: the recovery key settled whose the identity is."""
    meta.put(tx, meta.SWITCHED_OFF, 0)
    for contact in contacts.every(tx):
        outbox.set_reason(tx, contact.id, "")


def refuse(node: Node) -> None:
    """Raises Forbidden on a device that was replaced."""
    if node.replaced:
        raise Forbidden(_OFF, hint="write from the other machine, or log in here anew: p2pchat --home NEW login --help")
