"""Comparing keys with a contact: the safety number, and the number that a user was told."""

from typing import Final

from p2pchat.errors import Untrusted
from p2pchat.keys.key_log import verify_key_log
from p2pchat.keys.safety_number import safety_number
from p2pchat.store import contacts
from p2pchat.store.contacts import Contact
from p2pchat.vault.flows.compare import mark_verified
from p2pchat.vault.methods.contact import Params, Result, named
from p2pchat.vault.node import Node

_GROUP: Final = 5  # digits


async def verify(node: Node, params: Params) -> Result:
    """Raises Untrusted where ``number`` is another one: then nothing is changed."""
    contact = node.store.read(lambda reader: named(node, reader, params["peer"]))
    number = _number(node, contact)
    typed = params.get("number")
    if typed is not None:
        if typed != number:
            raise _differs(typed, number, contact)
        await node.store.change(lambda tx: mark_verified(tx, contact.id, node.now_ms()))
        node.news.ring()
    return {
        "id": contact.user_text,
        "safety_number": number,
        "verified": contact.verified or typed is not None,
    }


def _number(node: Node, contact: Contact) -> str:
    """60 digits."""
    chain = verify_key_log(node.store.read(lambda reader: contacts.objects(reader, contact.id)).key_log)
    own = node.identity
    number = safety_number((own.user, own.chain.root.spki_hash), (contact.user, chain.root.spki_hash))
    return number.replace(" ", "")


def _differs(typed: str, number: str, contact: Contact) -> Untrusted:
    """Which groups differ tells a slip of the keyboard from other keys."""
    starts = range(0, len(number), _GROUP)
    wrong = [str(at // _GROUP + 1) for at in starts if typed[at : at + _GROUP] != number[at : at + _GROUP]]
    if len(wrong) <= 2:
        where = f"in group {' and '.join(wrong)} of 12: mistyped, perhaps"
    else:
        where = f"in {len(wrong)} of 12 groups: it is of another pair of keys, so somebody may stand between the two"
    return Untrusted(
        f"the safety number differs {where}. Nothing was changed; trust this contact only once both see the same",
        hint=f"p2pchat contact verify {contact.called}",
    )
