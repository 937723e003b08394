"""Two key logs of one contact, neither going on from the other: one is a thief's (protocol.md 3.3).

Nothing passes to either side until the user has compared a safety number in person, and said which one it was; or until
the contact's recovery key has settled it.
"""

from typing import Final

from p2pchat.ids import UserId
from p2pchat.keys.key_log import KeyChain, verify_key_log
from p2pchat.keys.standing import Standing
from p2pchat.store import contacts, outbox
from p2pchat.store.contacts import Contact
from p2pchat.store.tx import Reader, Tx
from p2pchat.vault.flows import alarms, wishes
from p2pchat.vault.flows.link import Link
from p2pchat.vault.node import Node
from p2pchat.wire import boundary
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import CardCode

REASON: Final = "two keys of this contact are about, and one is a thief's: compare, and say which (contact verify)"
_FOUND: Final = (
    "two keys of this contact are about, and one is a thief's: {pinned} is pinned here, {other} was shown now. Nothing"
    " is sent until you have compared in person and said which it is: p2pchat contact verify {called}"
)


def held(reader: Reader, contact: int) -> KeyChain | None:
    """The other log, while the user has not decided."""
    raw = contacts.fork(reader, contact)
    return verify_key_log(raw) if raw else None


def found(node: Node, contact: Contact, pinned: KeyChain, other: KeyChain) -> None:
    """A forked log was shown: keep it, stop sending, tell the user."""
    text = _FOUND.format(pinned=pinned.root.fingerprint[:16], other=other.root.fingerprint[:16], called=contact.called)

    def job(tx: Tx) -> bool:
        new = held(tx, contact.id) is None
        if new:
            contacts.set_fork(tx, contact.id, other.raw, node.now_ms())
        alarms.distrust(tx, node, "fork", contact.id, text)
        outbox.set_reason(tx, contact.id, REASON)
        return new

    def stop(new: bool) -> None:
        node.news.ring()
        if new:  # links that stand fall silent, too
            wishes.cut(node, contact.user, boundary.Reason.LOST)

    node.store.change_nowait(job, after=stop)


def tell(node: Node, link: Link) -> None:
    """The peer hears that another log of its own is about: it may hold the recovery key."""
    pinned, other = node.store.read(
        lambda reader: (contacts.objects(reader, link.contact).key_log, contacts.fork(reader, link.contact))
    )
    for log in filter(None, (pinned, other)):
        if log != link.chain.raw:
            link.send(node.port, FrameType.STALE_LOG, log)
            link.log_sent = True
            return


def settled_by(tx: Tx, contact: int, shown: KeyChain, now_ms: int) -> None:
    """A log that is newer than both sides of a fork settles it: the contact's recovery key signed it."""
    other = held(tx, contact)
    if other is not None and shown.standing(other) is Standing.NEWER:
        contacts.set_fork(tx, contact, b"", now_ms)


def choose(tx: Tx, contact: int, user: UserId, chosen: KeyChain, *, pinned: bool, now_ms: int) -> None:
    """The user's word. The other side's devices are not known here: its next link must show that log."""
    if not pinned:
        contacts.set_chain(tx, contact, b"", b"", 0, now_ms)
        code = CardCode(
            user=user, head16=chosen.head[:16], set_sequence=0, set_hash16=bytes(16), not_after_ms=0, addresses=()
        )
        contacts.set_expected(tx, contact, code.encode(), now_ms)
    contacts.set_fork(tx, contact, b"", now_ms)
    outbox.set_reason(tx, contact, "")
