"""Contacts tell each other which keys they hold of people whom both know (protocol.md 10.2): a split view shows.

Nobody is named: a pair is a mark that only who knows the ID can make, under a key of this conversation, and the head of
a key log. Another head than one's own is no proof of anything, only a reason to compare.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from hmac import digest as hmac
from typing import Final

from p2pchat.ids import UserId
from p2pchat.store import contacts
from p2pchat.store.contacts import Contact
from p2pchat.vault.flows import alarms
from p2pchat.vault.flows.turn import Turn
from p2pchat.wire.structs import CTL_HEADS, Head, Heads, KeyLog, Signed

MOST: Final = 64
_DIFFERS: Final = (
    "{teller} holds another key of this contact than you do. Either it was replaced and you have not heard of it yet,"
    " or somebody shows the two of you different keys: compare in person, p2pchat contact verify {called}"
)


@dataclass(frozen=True, slots=True)
class _Known:
    contact: Contact
    heads: tuple[bytes, ...]  # of every entry of its log, in order


def say(turn: Turn) -> None:
    """Once a link, where the user did not switch it off: of as many contacts as one statement takes."""
    current = turn.agreement.state.current
    if not turn.node.config.share_heads or current is None:
        return
    known = list(_known(turn))
    start = int.from_bytes(turn.node.env.random.bytes(4)) % max(1, len(known))
    told = (known[start:] + known[:start])[:MOST]
    if told:
        pairs = tuple(Head(mark=_mark(current.ctl_send, one.contact.user), head=one.heads[-1]) for one in told)
        turn.say((CTL_HEADS, Heads(heads=pairs)))


def take(turn: Turn, raw: bytes) -> None:
    """Raises BadFormat. What was said under older keys than the present ones is passed over: no mark fits."""
    shown = {pair.mark: pair.head for pair in Heads.decode(raw).heads}
    current = turn.agreement.state.current
    if not turn.node.config.share_heads or current is None:
        return
    teller = contacts.get(turn.tx, turn.link.contact)
    assert teller is not None
    for one in _known(turn):
        head = shown.get(_mark(current.ctl_receive, one.contact.user))
        if head is not None and head not in one.heads:  # an older one: the other has not heard yet
            text = _DIFFERS.format(teller=teller.called, called=one.contact.called)
            turn.news |= alarms.tell(turn.tx, turn.node, f"heads {turn.link.contact}", one.contact.id, text)


def _known(turn: Turn) -> Iterator[_Known]:
    """Friends whose keys are pinned, but for the one at the other end."""
    for contact in contacts.every(turn.tx, *contacts.FRIENDS):
        log = contacts.objects(turn.tx, contact.id).key_log
        if log and contact.id != turn.link.contact:  # verified when it was pinned
            entries = [Signed.decode(entry).body for entry in KeyLog.decode(log).entries]
            yield _Known(contact, tuple(sha256(body).digest() for body in entries))


def _mark(key: bytes, user: UserId) -> bytes:
    return hmac(key, user, "sha256")[:16]
