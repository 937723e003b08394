"""The pair channel over one link: begin it, feed it what arrives, and let out what it says (protocol.md 9.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from p2pchat.channel.agreement import Agreement
from p2pchat.channel.damage import Status
from p2pchat.channel.legs import FULL
from p2pchat.channel.state import ChannelState
from p2pchat.channel.step import Became, Step
from p2pchat.errors import BadFormat, P2PChatError
from p2pchat.store import channels, outbox
from p2pchat.store.tx import Tx
from p2pchat.vault import own
from p2pchat.vault.flows import health, intake, legs, signals, wishes
from p2pchat.vault.flows.link import KeyedEnvelope, LegOpened, Link, LinkEvent, Nudge, Session
from p2pchat.vault.flows.outflow import fill
from p2pchat.vault.flows.turn import Turn
from p2pchat.vault.node import Node
from p2pchat.wire import boundary
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import CAPABILITIES, CTL_ADDRESSES, CTL_COPIED


def agreed_before(node: Node, link: Link) -> bool:
    """Whether an epoch was ever agreed with the device at the other end."""
    found = node.store.read(lambda reader: channels.get(reader, link.contact, link.record.device))
    return found is not None and ChannelState.decode(found).current is not None


async def begin(node: Node, link: Link) -> None:
    """Say HELLO, unless that was done on this link. From now on this link is the contact's only channel."""
    if link.session.value is None:
        await node.store.change(lambda tx: _begin(tx, node, link), after=lambda frames: _send(node, link, frames))
        if link.early_hello:
            hello, link.early_hello = link.early_hello, b""
            await take(node, link, [boundary.Arrived(link=link.up.link, seq=0, kind=FrameType.HELLO, body=hello)])


def _begin(tx: Tx, node: Node, link: Link) -> tuple[tuple[FrameType, bytes], ...]:
    if link.down:  # it would take the channel from the link that came after it
        return ()
    stored = channels.get(tx, link.contact, link.record.device)
    step = Agreement.begin(
        link.parties(node.identity),
        link_hash=link.up.handshake_hash,
        state=ChannelState.decode(stored) if stored else ChannelState(),
        local_secret=node.local_secret,
        draws=node.env.crypto,
        legs=node.legs.get(link.user, FULL),
        capabilities=CAPABILITIES,
    )
    for other in tuple(node.serving.values()):  # the loop may add one meanwhile
        if other is not link and other.contact == link.contact:
            other.session.put(tx, None)  # two links must never move one ratchet
    link.session.put(tx, Session(step.agreement))
    return step.frames


def _send(node: Node, link: Link, frames: tuple[tuple[FrameType, bytes], ...]) -> None:
    for kind, body in frames:
        link.send(node.port, kind, body)


@dataclass(frozen=True, slots=True)
class _Taken:
    turn: Turn | None
    error: P2PChatError | None = None


async def take(node: Node, link: Link, batch: Sequence[LinkEvent]) -> None:
    """Work through what came, in one transaction, or in one each where messages bear an RSA key to be opened first."""
    run: list[LinkEvent] = []
    for event in batch:
        if legs.bears_leg(event):
            await _take_run(node, link, run)
            run = [await legs.open_for_message(node, link, event)]
        else:
            run.append(event)
    await _take_run(node, link, run)


async def _take_run(node: Node, link: Link, run: Sequence[LinkEvent]) -> None:
    """What cannot be cuts the link, after all before it was kept."""

    def after(taken: _Taken) -> None:
        if taken.turn is not None:
            taken.turn.depart()
            if taken.turn.peer_changed:
                wishes.tell(node, link.user)
            if taken.turn.copied:
                node.copied = True
                tell_addresses(node)
        if taken.error is not None:
            refuse(node, link)

    if run and not link.refused:
        await node.store.change(lambda tx: _take(tx, node, link, run), after=after)


def refuse(node: Node, link: Link) -> None:
    """The peer said what cannot be: cut the link and read nothing more from it."""
    link.refused = True
    node.port.send(boundary.Cut(link=link.up.link, reason=boundary.Reason.DAMAGED))


def tell_addresses(node: Node) -> None:
    """Sign the own addresses anew; contacts learn them at once, over the links that stand."""
    now_ms = node.now_ms()
    node.addresses = own.address_record(
        node.identity, node.reachable, node.carriers, node.sequence.next(now_ms), now_ms
    )
    for link in node.links.values():
        if link.ready:
            _say_addresses(node, link)


def _say_addresses(node: Node, link: Link) -> None:
    """Tell the contact that the own addresses changed."""

    def job(tx: Tx) -> Turn | None:
        turn = Turn.open(tx, node, link)
        if turn is None or not turn.agreement.agreed:
            return None
        turn.say((CTL_ADDRESSES, node.addresses))
        if node.copied:
            turn.say((CTL_COPIED, b""))
        return turn.close()

    node.store.change_nowait(job, after=lambda turn: turn.depart() if turn else None)


def _take(tx: Tx, node: Node, link: Link, batch: Sequence[LinkEvent]) -> _Taken:
    turn = Turn.open(tx, node, link)
    if turn is None:
        return _Taken(None)
    before, error = turn.agreement.state.health.status, None
    try:
        _work_through(turn, batch)
        if turn.renew_wanted:
            _apply(turn, turn.agreement.renew(turn.moment(), reset=True))
        _apply(turn, turn.agreement.tick(turn.moment()))
    except P2PChatError as raised:
        error = raised
    health.note(turn, before)
    settle(turn)
    return _Taken(turn.close(), error)


def settled(node: Node, link: Link, tx: Tx) -> Turn | None:
    """A turn for what is due on a link on which nothing came; ``depart`` is its effect."""
    turn = Turn.open(tx, node, link)
    if turn is None:
        return None
    settle(turn)
    return turn.close()


def depart(turn: Turn | None) -> None:
    if turn is not None:
        turn.depart()


def retry(tx: Tx, node: Node, link: Link) -> Turn | None:
    """The user wants another try of a channel that is ill; ``depart`` is its effect."""
    turn = Turn.open(tx, node, link)
    if turn is None:
        return None
    before = turn.agreement.state.health.status
    if before is not Status.OK:
        _apply(turn, turn.agreement.renew(turn.moment(), reset=True))
    health.note(turn, before)
    settle(turn)
    return turn.close()


def settle(turn: Turn) -> None:
    """What is due once everything that came was dealt with."""
    if turn.resume_wanted and turn.agreement.agreed:
        signals.say_resume(turn)
    signals.acknowledge(turn)
    fill(turn)


def _work_through(turn: Turn, batch: Sequence[LinkEvent]) -> None:
    """Messages come in runs: those in perfect order are opened together."""
    for are_envelopes, grouped in groupby(batch, key=_is_envelope):
        events = list(grouped)
        while events:
            if are_envelopes:
                del events[: _run(turn, events)]
            if events:
                _apply(turn, _step(turn, events.pop(0)))


def _run(turn: Turn, events: list[LinkEvent]) -> int:
    """How many of these envelopes were opened together, and what they say was taken."""
    frames = [event.body for event in events if isinstance(event, boundary.Arrived)]
    agreement, bodies = turn.agreement.envelopes_received(frames)
    if bodies:
        turn.become(agreement, store=True)
    for body in bodies:
        if not _body(turn, body):
            break  # those behind it come again after the Resume
    return len(bodies)


def _is_envelope(event: LinkEvent) -> bool:
    return isinstance(event, boundary.Arrived) and event.kind == FrameType.ENVELOPE


def _step(turn: Turn, event: LinkEvent) -> Step:
    agreement, at = turn.agreement, turn.moment()
    match event:
        case LegOpened(leg=leg, secret=secret):
            return agreement.leg_opened(leg, secret, at)
        case Nudge():
            return Step(agreement=agreement)
        case KeyedEnvelope(arrived=arrived, leg=leg):
            return agreement.envelope_received(arrived.body, at, leg)
        case boundary.Arrived(kind=FrameType.ENVELOPE, body=body):
            return agreement.envelope_received(body, at)
        case boundary.Arrived(kind=FrameType.CTL, body=body):
            return agreement.ctl_received(body, at)
        case boundary.Arrived(kind=kind, body=body):
            return agreement.frame_received(FrameType(kind), body, at)


def _apply(turn: Turn, step: Step) -> None:
    turn.become(step.agreement, store=step.store is not None)
    turn.frames += [(kind, body, None) for kind, body in step.frames]
    if step.work is not None:
        turn.work.append(step.work)
    if step.became & {Became.UNREADY, Became.ERROR}:
        turn.stop_flow()
    if step.body is not None:
        _body(turn, step.body)
    if step.ctl is not None:
        signals.take(turn, step.ctl)
    if Became.READY in step.became:
        outbox.set_reason(turn.tx, turn.link.contact, "")  # whatever held the queue before, it may go now
        signals.introduce(turn)
    if Became.RESEND in step.became:
        turn.node.repairs["resend"] += 1
        signals.want_resume(turn)


def _body(turn: Turn, body: bytes) -> bool:
    """Whether it was a message of this peer; else the damage rule was applied."""
    try:
        intake.take(turn, body)
    except BadFormat:
        _apply(turn, turn.agreement.body_refused(turn.moment()))
        return False
    return True
