"""A peer that shows no newest device set or key log: what it is told, and what one does who is told so (protocol.md 3).

Such a link carries nothing else. The one who holds the newer set sends it (STALE_SET); it is signed by the root of the
other, who therefore believes it, signs a successor (``vault/renewal.py``), and makes all links anew. Who shows an older
log (STALE_LOG) was put back from before a rotation, or is a thief, and has nothing to sign with any more. Who lost its
log asks for it (LOG_WANTED), and STALE_LOG is the answer.
"""

from datetime import date
from typing import Final

from p2pchat.errors import BadFormat, Untrusted
from p2pchat.keys.devices import VerifiedSet, verify_device_set
from p2pchat.keys.key_log import KeyChain, verify_key_log
from p2pchat.keys.own_log import standing
from p2pchat.keys.standing import Standing
from p2pchat.store import outbox
from p2pchat.store.tx import Tx
from p2pchat.vault.flows import alarms, replaced
from p2pchat.vault.flows.link import Link
from p2pchat.vault.node import Node
from p2pchat.wire.frames import FrameType

REASON: Final = "the contact shows old keys of its own; it renews them when its program hears of that"
_OLDER: Final = (
    "this contact shows older keys than before: it was restored from an old copy, or a"
    " copy of it is in use elsewhere. Ask the contact; messages wait until it has signed new keys"
)
_FORKED: Final = (
    "two sets of this contact's keys bear one number: two computers use its identity, one of them a copy. Ask"
    " the contact; messages wait until it has signed new keys"
)
_OWN_OLDER: Final = (
    "a contact holds newer keys of yours than this computer signed: this home is an older"
    " copy, or a copy of it is in use elsewhere. If you did not put back a copy, find that other one and stop it"
)
_OWN_FORKED: Final = (
    "another computer signed keys in your name: a copy of this home is in use elsewhere. Find it and stop it"
)


_OLDER_LOG: Final = (
    "somebody shows keys of this contact from before it replaced them: a backup that it should not use any more, or a"
    " thief. Nothing was sent there"
)
_ROTATED: Final = (
    "the key of this identity was replaced on {day}, and this home is a copy from before: contacts do not take it any"
    " more. Log in with a backup that was made since; if you did not replace the key, a thief did, and the recovery key"
    " undoes it (p2pchat key rotate --recovery-file FILE)"
)
_OWN_FORK: Final = (
    "a contact holds another successor of your key than this computer's: a thief may have replaced it. Tell your"
    " contacts over another channel; the recovery key undoes it (p2pchat key rotate --recovery-file FILE)"
)


def answer(node: Node, link: Link, shown: VerifiedSet) -> None:
    """Send the newest set that is held of the peer, and tell the user once a day why nothing else passes."""
    known = link.devices
    link.send(node.port, FrameType.STALE_SET, known.raw)
    forked = shown.standing(known) is Standing.FORKED
    text = _FORKED if forked else _OLDER

    def job(tx: Tx) -> None:
        alarms.distrust(tx, node, "stale set", link.contact, text)
        outbox.set_reason(tx, link.contact, REASON)

    node.store.change_nowait(job, after=lambda _: node.news.ring())


def received(node: Node, link: Link, body: bytes) -> None:
    """A peer holds another set of mine. Raises BadFormat, BadSignature, Untrusted: the link must then be cut."""
    if link.told_stale:
        raise BadFormat("STALE_SET came twice")
    link.told_stale = True
    identity = node.identity
    found = verify_device_set(body, identity.chain)
    if replaced.replaces(node, found):
        replaced.switch_off(node)
        return
    mine = identity.devices.standing(found)
    if mine in {Standing.NEWER, Standing.SAME} or not node.overtaken.show(found):
        return  # a word from before the last renewal, or known already
    text = _OWN_FORKED if mine is Standing.FORKED else _OWN_OLDER
    node.store.change_nowait(
        lambda tx: alarms.tell(tx, node, f"own set {found.sequence}", 0, text), after=lambda _: node.news.ring()
    )


def answer_log(node: Node, link: Link, newest: KeyChain) -> None:
    """Send the newest log that is held of the peer. What was compared still holds: it was of the newer keys."""
    link.send(node.port, FrameType.STALE_LOG, newest.raw)
    link.log_sent = True

    def job(tx: Tx) -> None:
        alarms.tell(tx, node, "stale log", link.contact, _OLDER_LOG)

    node.store.change_nowait(job, after=lambda _: node.news.ring())


def log_received(node: Node, link: Link, body: bytes) -> None:
    """A peer holds another key log of mine. Raises as ``received``."""
    if link.told_stale:
        raise BadFormat("STALE_LOG came twice")
    link.told_stale = True
    found, own = verify_key_log(body), node.identity.chain
    if found.user != own.user:
        raise Untrusted("the key log is of another identity")
    match standing(found, own):
        case Standing.NEWER:
            replaced.switch_off(node, _ROTATED.format(day=_day(found)))
        case Standing.FORKED:
            node.store.change_nowait(
                lambda tx: alarms.tell(tx, node, "own fork", 0, _OWN_FORK), after=lambda _: node.news.ring()
            )
        case Standing.SAME if not own.raw:
            assert link.nursery is not None  # this is its task
            link.nursery.start_soon(node.take_log, found)


def want_log(node: Node, link: Link) -> None:
    """Ask whoever is there for the own log, where it was lost."""
    if not node.identity.chain.raw:
        link.send(node.port, FrameType.LOG_WANTED, node.identity.chain.head)


def log_wanted(node: Node, link: Link, body: bytes) -> None:
    """A peer lost its log. Contacts get it back, once a link; it says nothing that the peer does not sign anyway."""
    if body != link.chain.head:
        raise BadFormat("LOG_WANTED names another head than the link")
    if link.contact and not link.log_sent:
        link.log_sent = True
        link.send(node.port, FrameType.STALE_LOG, link.chain.raw)


def _day(chain: KeyChain) -> str:
    try:
        return date.fromordinal(date(1970, 1, 1).toordinal() + chain.entries[-1].day).isoformat()
    except (ValueError, OverflowError):
        return "a day beyond all calendars"
