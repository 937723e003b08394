"""From an opened envelope to the inbox: shown once, in order, and acknowledged only after the commit."""

from dataclasses import replace
from typing import Final

from p2pchat.delivery import body as bodies
from p2pchat.delivery import pace
from p2pchat.delivery.incoming import Action, Seen, decide
from p2pchat.errors import BadFormat
from p2pchat.ids import MessageId
from p2pchat.store import events, inbox
from p2pchat.store.inbox import Incoming
from p2pchat.vault.flows.turn import Turn
from p2pchat.wire.structs import BODY_VOID, BODY_WITHDRAW, MessageBody

_SEEN: Final = {seen: Seen(seen.value) for seen in inbox.Seen}  # the store's word and delivery's
FORKED: Final = "does not follow the one that came before it: this contact may run on an old copy, or on two at once"


def take(turn: Turn, raw: bytes) -> None:
    """One encoded MessageBody of the peer at the link's other end. Raises BadFormat, and has changed nothing."""
    body = bodies.read_body(raw)
    if body.device != turn.link.record.device:
        raise BadFormat("a message names another device than the one that sealed it")
    if body.conversation != bodies.pair_conversation(turn.node.identity.user, turn.link.user):
        raise BadFormat("a message belongs to another conversation")
    turn.count(pace.units(len(raw)), body.sent_ms)
    told = _incoming(body)
    action = decide(turn.incoming, body.sequence, _seen(turn, told))
    receipts = turn.session.receipts
    if action is Action.ASK:
        say, receipts = receipts.ask()
        turn.resume_wanted = turn.resume_wanted or say
    elif action is Action.REPEAT:
        receipts = receipts.wanted_again()
    else:
        receipts = receipts.taken()
        _advance(turn, body, b"" if body.kind == BODY_VOID else bodies.chain_hash(raw))
        if action is Action.REFUSE:
            _warn(turn, f"the id of message {body.message.hex()} was used before for another text; the first is kept")
        elif action is Action.SHOW:
            _show(turn, told)
    if receipts is not turn.session.receipts:
        turn.session = replace(turn.session, receipts=receipts)


def _seen(turn: Turn, told: Incoming) -> Seen:
    """A void or a withdrawal speaks of another message; only what is itself shown can have been seen."""
    if told.kind in {BODY_VOID, BODY_WITHDRAW}:
        return Seen.NEVER
    return _SEEN[inbox.seen(turn.tx, turn.link.contact, told)]


def _advance(turn: Turn, body: MessageBody, chain: bytes) -> None:
    if not turn.incoming.followed_by(body.previous):
        _warn(turn, f"message {body.message.hex()} {FORKED}")
    turn.incoming = turn.incoming.advanced(chain)
    turn.received = True
    if turn.agreement.state.health.healing:
        turn.heal()
    turn.clock_seen = max(turn.clock_seen, body.clock)
    turn.news = True


def _warn(turn: Turn, text: str) -> None:
    events.append(turn.tx, "warning", turn.now_ms, contact=turn.link.contact, fields={"text": text})


def _show(turn: Turn, told: Incoming) -> None:
    if told.kind == BODY_VOID:
        inbox.withdraw(turn.tx, turn.link.contact, told.device, told.message, turn.now_ms)
    elif told.kind == BODY_WITHDRAW:
        inbox.withdraw(turn.tx, turn.link.contact, told.device, MessageId(told.content), turn.now_ms)
    else:
        inbox.add(turn.tx, turn.link.contact, told, turn.now_ms)


def _incoming(body: MessageBody) -> Incoming:
    return Incoming(
        message=body.message,
        device=body.device,
        number=body.sequence,
        clock=body.clock,
        sent_ms=body.sent_ms,
        kind=body.kind,
        content_type=body.content_type,
        content=body.content,
        expires_at_ms=body.expires_at_ms,
    )
