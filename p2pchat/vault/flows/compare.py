"""Live comparison of keys between two vaults: CTL statements in, pictures and verdicts out (contacts/compare.py)."""

from dataclasses import replace
from typing import Final

from p2pchat.contacts import compare
from p2pchat.contacts.compare import Comparison, End, Ends, Fault, Verdict
from p2pchat.store import comparisons, contacts, events
from p2pchat.store.contacts import Contact
from p2pchat.store.tx import Tx
from p2pchat.vault.comparing import Attempt, Comparing, Invitation
from p2pchat.vault.flows.link import Link
from p2pchat.vault.flows.turn import Turn
from p2pchat.vault.node import Node
from p2pchat.wire.structs import CTL_COMPARE, Compare

WAITING_S: Final = 90.0  # a program that has not asked for so long has gone; one call waits up to 30 s
SHOWN_S: Final = 600.0  # the same once there is something to look at
TOLD_MS: Final = 60_000  # an invitation makes one event a minute
_DIFFER: Final = (
    "{who} that the pictures of the live comparison differ: somebody may stand between you two. The contact counts as"
    " not verified; send nothing that others must not read"
)


# --- what the user's program asks ---------------------------------------------------------------------------------


def begin(tx: Tx, node: Node, contact: Contact, session: str) -> Turn | None:
    """Begin, in place of what was under way; ``depart`` is the effect."""
    desk = node.comparing(contact.id)
    desk.asked_s = node.env.clock.boot_s()
    turn = _ready_turn(tx, node, node.link_of(contact.user))
    before = desk.attempt.get(tx)
    if turn is not None and before is not None and before.link == turn.link.up.link and not before.ended:
        _say(turn, _broken_off(before).comparison)
    attempt = Attempt(session=session)
    desk.attempt.put(tx, _bound(turn, desk, attempt) if turn is not None else attempt)
    return turn.close() if turn is not None else None


def answer(tx: Tx, node: Node, contact: Contact, attempt: Attempt, verdict: Verdict) -> Turn | None:
    """The user's verdict on what is shown, or ENDED. ``attempt``: as this transaction sees it, and not ended."""
    desk = node.comparing(contact.id)
    now = replace(attempt, comparison=attempt.comparison.answered(verdict)) if attempt.comparison else attempt
    desk.attempt.put(tx, None if verdict is Verdict.ENDED else now)
    if verdict is Verdict.NO:
        _differ(tx, node, contact.id, "you said")
    elif verdict is Verdict.YES and now.comparison and now.comparison.peer_verdict is not Verdict.NO:
        mark_verified(tx, contact.id, node.now_ms())
    turn = _ready_turn(tx, node, node.link_of(contact.user))
    if turn is None:
        return None
    if turn.link.up.link == now.link:
        _say(turn, now.comparison)
    turn.news = True
    return turn.close()


def mark_verified(tx: Tx, contact: int, now_ms: int) -> None:
    """The user compared the keys and found them equal."""
    contacts.set_verified(tx, contact, True, now_ms)
    events.append(tx, "contact-verified", now_ms, contact=contact)


def expire(node: Node) -> None:
    """Break off what no program asks for any longer."""
    now_s = node.env.clock.boot_s()
    for number, desk in tuple(node.comparisons.items()):  # a job may add one meanwhile
        attempt = desk.attempt.value
        if attempt is None or attempt.ended:
            continue
        shown = attempt.comparison is not None and attempt.comparison.shown
        if now_s - desk.asked_s > (SHOWN_S if shown else WAITING_S):
            node.store.change_nowait(lambda tx, number=number: _forget(tx, node, number), after=_depart)  # type: ignore[misc]


# --- what links bring ---------------------------------------------------------------------------------------------


def resume(turn: Turn) -> None:
    """The epochs agree: say what the contact may not have heard."""
    desk = turn.node.comparing(turn.link.contact)
    attempt = desk.attempt.get(turn.tx)
    if attempt is None or attempt.over:
        return
    if attempt.comparison is not None and attempt.link == turn.link.up.link:
        _say(turn, attempt.comparison)
    elif attempt.exposed:
        desk.attempt.put(turn.tx, _lost(attempt))
        turn.news = True
    elif attempt.comparison is None or not attempt.comparison.shown:
        desk.attempt.put(turn.tx, _bound(turn, desk, attempt))


def take(turn: Turn, raw: bytes) -> None:
    """The contact's statement. Raises BadFormat: cut the link."""
    said = compare.read(raw)
    desk = turn.node.comparing(turn.link.contact)
    attempt = desk.attempt.get(turn.tx)
    comparison = attempt.comparison if attempt is not None and attempt.link == turn.link.up.link else None
    anew = comparison is not None and comparison.verdict is not Verdict.NONE and said.commitment != comparison.held
    if attempt is None or comparison is None or attempt.over or anew:
        _invited(turn, desk, said)
        return
    after = comparison.heard(said)
    if after is comparison or after == comparison:
        return
    desk.attempt.put(turn.tx, replace(attempt, comparison=after))
    turn.news = True
    _react(turn, comparison, after)


def lost(node: Node, link: Link) -> None:
    """A link has gone, and with it what was said on it."""
    if link.contact not in node.comparisons:
        return
    desk = node.comparing(link.contact)

    def job(tx: Tx) -> None:
        invitation, attempt = desk.invitation.get(tx), desk.attempt.get(tx)
        if invitation is not None and invitation.link == link.up.link:
            desk.invitation.put(tx, None)
        if attempt is None or attempt.over or attempt.link != link.up.link:
            return
        if attempt.exposed:
            desk.attempt.put(tx, _lost(attempt))
        elif attempt.comparison is not None and not attempt.comparison.shown:
            desk.attempt.put(tx, Attempt(session=attempt.session))

    node.store.change_nowait(job, after=lambda _: node.news.ring())


# --- between ------------------------------------------------------------------------------------------------------


def _ready_turn(tx: Tx, node: Node, link: Link | None) -> Turn | None:
    turn = Turn.open(tx, node, link) if link is not None else None
    return turn if turn is not None and turn.agreement.ready else None


def _bound(turn: Turn, desk: Comparing, attempt: Attempt) -> Attempt:
    """The attempt with a commitment on this link, which is said; an invitation is taken up."""
    own, peer = turn.node.identity, turn.link
    ends = Ends(
        End(own.user, own.chain.root.spki_hash), End(peer.user, peer.chain.root.spki_hash), peer.up.handshake_hash
    )
    comparison = Comparison(ends=ends, value=turn.node.env.random.bytes(compare.VALUE_BYTES))
    invitation = desk.invitation.get(turn.tx)
    desk.invitation.put(turn.tx, None)
    before = comparison
    if invitation is not None and invitation.link == turn.link.up.link:
        comparison = comparison.heard(Compare(commitment=invitation.commitment, seen=b"", value=b"", verdict=0))
    _say(turn, comparison)
    _count(turn, before, comparison)
    return replace(attempt, link=turn.link.up.link, comparison=comparison)


def _invited(turn: Turn, desk: Comparing, said: Compare) -> None:
    """The contact began. What answers a comparison of ours that is no more tells nothing."""
    invitation = desk.invitation.get(turn.tx)
    if said.verdict == Verdict.ENDED and invitation is not None and invitation.commitment == said.commitment:
        desk.invitation.put(turn.tx, None)
    if said.seen or said.verdict != Verdict.NONE:
        return
    if invitation == Invitation(turn.link.up.link, said.commitment):
        return
    desk.invitation.put(turn.tx, Invitation(turn.link.up.link, said.commitment))
    contact = contacts.get(turn.tx, turn.link.contact)
    if contact is None or abs(turn.now_ms - desk.told_ms) < TOLD_MS:
        return
    desk.told_ms = turn.now_ms
    text = f"{contact.called} wants to compare keys now; to do so type: p2pchat contact verify {contact.called} --live"
    events.append(turn.tx, "warning", turn.now_ms, contact=contact.id, fields={"text": text})
    turn.news = True


def _react(turn: Turn, before: Comparison, after: Comparison) -> None:
    if (after.held and not before.held) or after.fault is not before.fault:
        _say(turn, after)
        _count(turn, before, after)
    if after.fault is not None and after.fault is not Fault.ENDED:
        text = f"a live comparison of keys failed: {after.fault.value}"
        events.append(turn.tx, "warning", turn.now_ms, contact=turn.link.contact, fields={"text": text})
    if after.peer_verdict is Verdict.NO and before.peer_verdict is not Verdict.NO:
        _differ(turn.tx, turn.node, turn.link.contact, "the contact says")


def _differ(tx: Tx, node: Node, contact: int, who: str) -> None:
    contacts.set_verified(tx, contact, False, node.now_ms())
    fields = {"text": _DIFFER.format(who=who)}
    events.append(tx, "warning", node.now_ms(), contact=contact, fields=fields)


def _count(turn: Turn, before: Comparison, after: Comparison) -> None:
    """A value that was said is a guess, whatever comes of it."""
    if after.statement().value and not before.statement().value:
        comparisons.add(turn.tx, turn.link.contact, turn.now_ms)


def _say(turn: Turn, comparison: Comparison | None) -> None:
    if comparison is not None:
        turn.say((CTL_COMPARE, comparison.statement()))


def _broken_off(attempt: Attempt) -> Attempt:
    return replace(attempt, comparison=attempt.comparison and attempt.comparison.answered(Verdict.ENDED))


def _lost(attempt: Attempt) -> Attempt:
    return replace(attempt, failure="the connection broke off")


def _forget(tx: Tx, node: Node, number: int) -> Turn | None:
    contact = contacts.get(tx, number)
    attempt = node.comparing(number).attempt.get(tx)
    if contact is None or attempt is None or attempt.ended:
        return None
    return answer(tx, node, contact, attempt, Verdict.ENDED)


def _depart(turn: Turn | None) -> None:
    if turn is not None:
        turn.depart()
