"""A channel's health as its user sees it: ``ok``, ``healing``, ``error``, and what the outbox says meanwhile."""

from p2pchat.channel.damage import REASON, Status
from p2pchat.channel.state import ChannelState
from p2pchat.store import channels, contacts, events, outbox
from p2pchat.store.tx import Tx
from p2pchat.vault.flows.turn import Turn


def note(turn: Turn, before: Status) -> None:
    """Tell the user what the turn made of it, if that is another than ``before``."""
    now = turn.agreement.state.health.status
    if now is not before:
        if now is not Status.OK:
            turn.node.repairs[now.value] += 1
        _set(turn.tx, turn.link.contact, now, turn.now_ms)
        turn.news = True


def forgive(tx: Tx, contact: int, now_ms: int) -> None:
    """The user wants another try of a channel without a link: the next link makes it."""
    for device, stored in channels.of_contact(tx, contact).items():
        state = ChannelState.decode(stored)
        if state.health.status is Status.ERROR:
            channels.put(tx, contact, device, state.forgiven().encode(), now_ms)
            _set(tx, contact, Status.HEALING, now_ms)


def _set(tx: Tx, contact: int, now: Status, now_ms: int) -> None:
    contacts.set_channel(tx, contact, now.value, now_ms)
    outbox.set_reason(tx, contact, REASON if now is Status.ERROR else "")
    if now is Status.ERROR:
        outbox.mark_unsent(tx, contact)
        events.append(tx, "warning", now_ms, contact=contact, fields={"text": REASON})
