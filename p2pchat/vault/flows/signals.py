"""Control statements between two vaults: cursors, receipts, addresses, profile (protocol.md 10.2)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from p2pchat.delivery import incoming, outgoing
from p2pchat.delivery.outgoing import OutQueue
from p2pchat.delivery.receipts import resume_of
from p2pchat.errors import BadFormat
from p2pchat.ids import Incarnation
from p2pchat.keys.signed import verify_address_record
from p2pchat.store import contacts, events, inbox, outbox, profile
from p2pchat.vault.flows import alarms, compare, copies, heads, records
from p2pchat.vault.flows.outflow import made
from p2pchat.vault.flows.turn import Turn
from p2pchat.wire.checksum import md5
from p2pchat.wire.structs import (
    CTL_ADDRESSES,
    CTL_COMPARE,
    CTL_COPIED,
    CTL_HEADS,
    CTL_HELD_ADDRESSES,
    CTL_PROFILE,
    CTL_RECEIPT,
    CTL_RESUME,
    Ctl,
    Profile,
    Receipt,
    Resume,
)

_AVATAR_IN_CTL: Final = 6144  # wire.structs.Profile
_FORGOTTEN: Final = (
    "delivered before, and perhaps missing there now: {messages} to this contact, who logged in on another machine,"
    " was put back from an older copy, or removed you and came back"
)


def say_resume(turn: Turn) -> None:
    """Where the queues stand: the peer goes on from there."""
    at_cursor = inbox.message_at(turn.tx, turn.link.contact, turn.incoming.have) or b""
    turn.say((CTL_RESUME, resume_of(turn.outgoing, turn.incoming, at_cursor)))


def want_resume(turn: Turn) -> None:
    """Damage: the peer shall send again from my cursor. Said once a turn; numbers that lie ahead ask for no other."""
    turn.resume_wanted = True
    _, receipts = turn.session.receipts.ask()
    turn.session = replace(turn.session, receipts=receipts)


def introduce(turn: Turn) -> None:
    """The epochs agree: say where the queues stand, then where I am and what I am called."""
    say_resume(turn)
    own = profile.get(turn.tx)
    fits = len(own.avatar) <= _AVATAR_IN_CTL
    about = Profile(
        nickname=own.nickname,
        avatar=own.avatar if fits else b"",
        avatar_md5=md5(own.avatar) if own.avatar else b"",
    )
    turn.say((CTL_ADDRESSES, turn.node.addresses), (CTL_PROFILE, about))
    if turn.node.copied:
        turn.say((CTL_COPIED, b""))
    heads.say(turn)
    compare.resume(turn)


def acknowledge(turn: Turn) -> None:
    """Say the receipt that is due, if any."""
    if not turn.agreement.agreed:
        return
    read = turn.read if turn.node.config.receipts else 0
    receipt, receipts = turn.session.receipts.due(turn.incoming, read)
    if receipt is not None:
        turn.say((CTL_RECEIPT, receipt))
    turn.session = replace(turn.session, receipts=receipts)


def take(turn: Turn, ctl: Ctl) -> None:
    """Raises BadFormat for a statement that cannot be: cut the link. Unknown kinds are ignored.

    Of a kind that stands there again and again only the last is taken: some cost signature checks and an answer.
    """
    for kind, body in {item.kind: item.body for item in ctl.items}.items():
        handler = _TAKERS.get(kind)
        if handler is not None:
            handler(turn, body)


def _resume(turn: Turn, raw: bytes) -> None:
    peer = Resume.decode(raw)
    adopted = incoming.adopt(turn.incoming, peer)
    # Of a contact who was removed and came back, the history still holds what the queue no longer counts.
    met_again = not turn.incoming.incarnation and inbox.heard_before(turn.tx, turn.link.contact)
    if adopted.queue != turn.incoming:
        turn.incoming = adopted.queue
        inbox.adopt(turn.tx, turn.link.contact, turn.incoming.incarnation, turn.incoming.have)
    if adopted.lost and not met_again:
        _gap(turn, f"lost: {_messages(adopted.lost)} from this contact, no longer held by the sender")
    before = turn.outgoing
    resumed = outgoing.resumed(
        before,
        peer,
        fresh=Incarnation(turn.node.env.random.bytes(8)),
        mine_at_have=outbox.message_at(turn.tx, turn.link.contact, peer.have) or b"",
    )
    if resumed.lost:
        _gap(turn, f"lost there after delivery: {_messages(resumed.lost)} to this contact")
    if resumed.forgotten:
        text = _FORGOTTEN.format(messages=_messages(resumed.forgotten))
        cause = f"forgotten {resumed.forgotten[1]}"
        turn.news |= alarms.tell(turn.tx, turn.node, cause, turn.link.contact, text)
    if resumed.queue.incarnation != before.incarnation:
        own, user = turn.node.identity.user, turn.link.user
        outbox.renumber(turn.tx, turn.link.contact, resumed.queue.incarnation, lambda held: made(held, own, user))
    elif resumed.delivered:
        _delivered(turn, resumed.delivered[1])
    turn.outgoing = resumed.queue
    if resumed.reset:
        turn.news |= alarms.tell(turn.tx, turn.node, "old store", turn.link.contact, _old_store(before, peer.have))
        turn.stop_flow()
        turn.renew_wanted = True
    else:
        turn.session = replace(turn.session, flow=turn.session.flow.resumed(resumed.send_from))


def _receipt(turn: Turn, raw: bytes) -> None:
    result = outgoing.acknowledged(turn.outgoing, Receipt.decode(raw))
    turn.outgoing = result.queue
    if result.delivered:
        _delivered(turn, result.delivered[1])
        turn.session = replace(turn.session, flow=turn.session.flow.acknowledged(result.count))
    if result.read:
        outbox.mark_read(turn.tx, turn.link.contact, result.read[1], turn.now_ms)
        turn.news = True


def _delivered(turn: Turn, upto: int) -> None:
    outbox.mark_delivered(turn.tx, turn.link.contact, upto, turn.now_ms)
    turn.news = True


def _addresses(turn: Turn, raw: bytes) -> None:
    turn.count(1, turn.now_ms)
    shown = verify_address_record(raw, turn.link.devices)
    newer = records.newer_held(turn.tx, turn.link.contact, shown, turn.link.devices)
    if newer:
        turn.say((CTL_HELD_ADDRESSES, newer))
    kept = records.keep_addresses(turn.tx, turn.link.contact, raw, turn.link.devices, turn.now_ms)
    turn.peer_changed = turn.peer_changed or kept


def _profile(turn: Turn, raw: bytes) -> None:
    turn.count(1, turn.now_ms)
    about = Profile.decode(raw)
    contact = contacts.get(turn.tx, turn.link.contact)
    if contact is not None and contact.nickname != about.nickname:
        contacts.set_nickname(turn.tx, contact.id, about.nickname, turn.now_ms)
    if about.avatar:
        if md5(about.avatar) != about.avatar_md5:
            raise BadFormat("an avatar does not have its checksum")
        contacts.set_avatar(turn.tx, turn.link.contact, about.avatar, turn.now_ms)


def _old_store(queue: OutQueue, have: int) -> str:
    """What the user of a home that was put back from a copy reads: the peer has what this store never gave out.

    What still waits may be what waited when the copy was made, and is known there, or was written since: then it has
    numbers that were given out before.
    """
    least, most = max(1, have - queue.tail), have - queue.delivered
    if least < most:
        count = f"{least} to {most} messages"
    else:
        count = f"the last {most} messages" if most > 1 else "the last message"
    return (
        f"this home is an older copy: its history lacks {count} that you sent to this contact and that arrived there;"
        " what still waits is sent under new numbers"
    )


def _gap(turn: Turn, text: str) -> None:
    events.append(turn.tx, "warning", turn.now_ms, contact=turn.link.contact, fields={"text": text})
    turn.news = True


def _messages(numbers: tuple[int, int]) -> str:
    first, last = numbers
    return f"messages {first}-{last}" if first != last else f"message {first}"


_TAKERS: Final[Mapping[int, Callable[[Turn, bytes], None]]] = {
    CTL_RESUME: _resume,
    CTL_RECEIPT: _receipt,
    CTL_ADDRESSES: _addresses,
    CTL_PROFILE: _profile,
    CTL_COMPARE: compare.take,
    CTL_HEADS: heads.take,
    CTL_HELD_ADDRESSES: copies.held_by_contact,
    CTL_COPIED: copies.said_by_contact,
}
