"""What the vault tells the gate about people: whom it may link with, where they said they are, whom we want."""

from typing import Final

from p2pchat.ids import UserId
from p2pchat.store import contacts
from p2pchat.store.contacts import Contact, State
from p2pchat.vault.node import Node
from p2pchat.wire import boundary

LINKED_STATES: Final[tuple[State, ...]] = ("requested", *contacts.FRIENDS)


def tell_all(node: Node) -> None:
    """The whole wish list: after a start the gate knows nobody."""
    for contact in node.store.read(lambda reader: contacts.every(reader, *LINKED_STATES, "blocked")):
        tell(node, contact.user)


def tell(node: Node, user: UserId) -> None:
    """State one person anew, after the contact changed. Somebody who is no contact loses the link."""
    contact = node.store.read(lambda reader: contacts.by_user(reader, user))
    if contact is None or contact.state not in LINKED_STATES or node.replaced:
        unwanted = contact is not None and contact.state == "blocked"
        node.port.send(boundary.Want(user=user, until_ms=0))
        node.port.send(boundary.Peer(user=user, role=boundary.Role.GONE if unwanted else boundary.Role.STRANGER))
        return
    node.port.send(_peer(node, contact))
    node.port.send(boundary.Want(user=user, until_ms=boundary.FOREVER_MS))


def cut(node: Node, user: UserId, reason: boundary.Reason) -> None:
    """End every link to somebody."""
    for link in list(node.links.values()):
        if link.user == user:
            node.port.send(boundary.Cut(link=link.up.link, reason=reason))


def _peer(node: Node, contact: Contact) -> boundary.Peer:
    objects = node.store.read(lambda reader: contacts.objects(reader, contact.id))
    return boundary.Peer(
        user=contact.user,
        role=boundary.Role.CONTACT,
        key_log=objects.key_log,
        device_set=objects.device_set,
        records=(objects.addresses,) if objects.addresses else (),
        lan=contact.lan,
    )
