"""Comparing keys with a contact: the safety number, and the number that a user was told."""

from typing import Final

from p2pchat.errors import Failed, Untrusted
from p2pchat.keys.key_log import KeyChain, verify_key_log
from p2pchat.keys.safety_number import safety_number
from p2pchat.store import contacts
from p2pchat.store.contacts import Contact
from p2pchat.store.tx import Tx
from p2pchat.vault.flows import forks, wishes
from p2pchat.vault.flows.compare import mark_verified
from p2pchat.vault.methods.contact import Params, Result, named
from p2pchat.vault.node import Node
from p2pchat.wire import boundary

_GROUP: Final = 5  # digits


async def verify(node: Node, params: Params) -> Result:
    """Raises Untrusted where ``number`` is another one: then nothing is changed."""
    contact = node.store.read(lambda reader: named(node, reader, params["peer"]))
    held = node.store.read(lambda reader: contacts.objects(reader, contact.id)).key_log
    if not held:
        raise Failed("this contact's keys are not known yet: they come over the first link", hint="p2pchat net status")
    pinned = verify_key_log(held)
    other = node.store.read(lambda reader: forks.held(reader, contact.id))
    numbers = {_number(node, contact, chain): chain for chain in (pinned, other) if chain is not None}
    number, *others = numbers
    typed = params.get("number")
    if typed is not None:
        if typed not in numbers:
            raise _differs(typed, number, contact)

        def job(tx: Tx) -> None:
            if other is not None:
                chosen = numbers[typed]
                forks.choose(tx, contact.id, contact.user, chosen, pinned=chosen is pinned, now_ms=node.now_ms())
            mark_verified(tx, contact.id, node.now_ms())

        await node.store.change(job)
        node.news.ring()
        if other is not None:
            wishes.tell(node, contact.user)
            wishes.cut(node, contact.user, boundary.Reason.LOST)  # to be made anew, with whom the user meant
    shown = {"other_safety_number": others[0]} if others else {}
    return {
        "id": contact.user_text,
        "safety_number": number,
        "verified": contact.verified or typed is not None,
        **shown,
    }


def _number(node: Node, contact: Contact, chain: KeyChain) -> str:
    """60 digits."""
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
