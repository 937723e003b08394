"""Every way that two vaults' channel can go, in small: the real channel and queues, and a world that does its worst.

A ``World`` is a value. ``moves`` says what may happen next: a frame arrives, an RSA leg opens (as late as it likes), a
link is made, either end loses it or crashes (in memory nothing is left then; a crash between a commit and what follows
is a loss right after the move), a store is put back to an older commit, somebody writes or wants new keys. The link
keeps order and neither repeats nor invents; when an end loses it, what the other sent may still be on its way.

``channel_names.key`` is the same for worlds that differ only in their randomness, so a search meets each world once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import count
from typing import Final

from p2pchat.channel.agreement import Agreement
from p2pchat.channel.envelope import parse_header
from p2pchat.channel.epoch import FRESH_BYTES
from p2pchat.channel.parties import Parties
from p2pchat.channel.state import ChannelState
from p2pchat.channel.step import Became, Moment, OpenLeg, Step
from p2pchat.delivery.incoming import Action, InQueue, Seen, adopt, decide
from p2pchat.delivery.outgoing import OutQueue, acknowledged, resumed
from p2pchat.delivery.receipts import resume_of
from p2pchat.ids import Incarnation
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import CTL_RECEIPT, CTL_RESUME, Ctl, CtlItem, Hello, Receipt, Rekey, Resume
from tests.support.channel_pair import START_MS, FakeRsa, fake_open, sorted_parties

_LO, _HI = sorted_parties("anna", "bert")
PARTIES: Final = {"lo": Parties(own=_LO, peer=_HI), "hi": Parties(own=_HI, peer=_LO)}
OTHER: Final = {"lo": "hi", "hi": "lo"}
_draws = count()


def fresh(length: int) -> bytes:
    """Never the same twice."""
    return (sha256(b"draw %d" % next(_draws)).digest() * (length // 32 + 1))[:length]


@dataclass(frozen=True)
class Disk:
    """What a vault has committed."""

    channel: ChannelState = field(default_factory=ChannelState)
    out: OutQueue = field(default_factory=lambda: OutQueue(incarnation=Incarnation(fresh(8))))
    into: InQueue = field(default_factory=InQueue)
    ids: tuple[tuple[int, bytes], ...] = ()  # number -> message, in the present life of the queue
    last: bytes = b""  # the message at ``into.have``
    seen: frozenset[bytes] = frozenset()


@dataclass(frozen=True)
class Frame:
    kind: FrameType
    body: bytes
    about: tuple[object, ...]  # what ``channel_names.key`` may see of it


@dataclass(frozen=True)
class Live:
    """What a vault has in memory while it has the link."""

    agreement: Agreement
    work: OpenLeg | None = None
    next: int | None = None  # to be sealed next; None: the peer's Resume is awaited


@dataclass(frozen=True)
class End:
    disk: Disk
    live: Live | None = None
    flight: tuple[Frame, ...] = ()  # on its way to the other
    past: tuple[Disk, ...] = ()  # older commits


@dataclass(frozen=True)
class Left:
    """How often each thing may still happen."""

    links: int = 2
    messages: int = 2
    renewals: int = 2
    rollbacks: int = 0


@dataclass(frozen=True)
class World:
    lo: End
    hi: End
    left: Left = Left()
    link: int = 0
    set_back: bool = False  # a store was put back: then, and only then, what was sealed may not open

    def end(self, side: str) -> End:
        return self.lo if side == "lo" else self.hi

    def having(self, side: str, end: End) -> "World":
        return replace(self, lo=end) if side == "lo" else replace(self, hi=end)

    @property
    def quiet(self) -> bool:
        """Both have the link and nothing is on its way."""
        ends = (self.lo, self.hi)
        return all(end.live and not end.flight and end.live.work is None for end in ends)


# --- what may happen --------------------------------------------------------------------------------------------------

Move = tuple[str, Callable[[], World]]


def moves(world: World) -> Iterator[Move]:
    left = world.left
    if left.links and not (world.lo.live and world.hi.live):
        yield "connect", lambda: connect(replace(world, left=replace(left, links=left.links - 1)))
    for side in ("lo", "hi"):
        end, live = world.end(side), world.end(side).live
        if world.end(OTHER[side]).flight and live:
            yield f"{side} takes a frame", lambda side=side: take_frame(world, side)  # type: ignore[misc]
        if live and live.work:
            yield f"{side} opens a leg", lambda side=side: open_leg(world, side)  # type: ignore[misc]
        if live:
            yield f"{side} loses the link", lambda side=side: lose(world, side)  # type: ignore[misc]
        if left.messages:
            fewer = replace(world, left=replace(left, messages=left.messages - 1))
            yield f"{side} writes", lambda side=side, fewer=fewer: write(fewer, side)  # type: ignore[misc]
        if left.renewals and live and live.agreement.agreed:
            fewer = replace(world, left=replace(left, renewals=left.renewals - 1))
            for reset in (False, True):
                yield (
                    f"{side} wants {'a reset' if reset else 'new keys'}",
                    lambda side=side, reset=reset, fewer=fewer: renew(fewer, side, reset=reset),  # type: ignore[misc]
                )
        if left.rollbacks:
            fewer = replace(world, left=replace(left, rollbacks=left.rollbacks - 1), set_back=True)
            for old in end.past:
                yield (
                    f"{side} is put back",
                    lambda side=side, old=old, fewer=fewer: put_back(fewer, side, old),  # type: ignore[misc]
                )


def connect(world: World) -> World:
    """A new link; where one end still had the old one, that is over."""
    link = world.link + 1
    world = replace(world, link=link, lo=replace(world.lo, live=None), hi=replace(world.hi, live=None))
    for side in ("lo", "hi"):
        end = replace(world.end(side), flight=())
        step = Agreement.begin(
            PARTIES[side],
            link_hash=sha256(b"link %d" % link).digest(),
            state=end.disk.channel,
            local_secret=bytes(32),
            draws=FakeRsa(),
        )
        world = world.having(side, _applied(replace(end, live=Live(step.agreement)), step))
    return world


def take_frame(world: World, side: str) -> World:
    sender, end = world.end(OTHER[side]), world.end(side)
    frame = sender.flight[0]
    world = world.having(OTHER[side], replace(sender, flight=sender.flight[1:]))
    assert end.live is not None
    agreement, at = end.live.agreement, _moment(end)
    if frame.kind is FrameType.ENVELOPE:
        step = agreement.envelope_received(frame.body, at)
    elif frame.kind is FrameType.CTL:
        step = agreement.ctl_received(frame.body, at)
    else:
        step = agreement.frame_received(frame.kind, frame.body, at)
    return world.having(side, _committed(end, _applied(end, step)))


def open_leg(world: World, side: str) -> World:
    end = world.end(side)
    assert end.live is not None and end.live.work is not None
    leg = end.live.work.leg
    step = end.live.agreement.leg_opened(leg, fake_open(PARTIES[side].own.modulus, leg), _moment(end))
    end = replace(end, live=replace(end.live, work=None))
    return world.having(side, _committed(end, _applied(end, step)))


def lose(world: World, side: str) -> World:
    """The link is gone on this side, or the whole process: what is on its way here will not be read."""
    other = replace(world.end(OTHER[side]), flight=())
    return world.having(side, replace(world.end(side), live=None)).having(OTHER[side], other)


def write(world: World, side: str) -> World:
    end = world.end(side)
    number, out = end.disk.out.next_number()
    disk = replace(end.disk, out=out, ids=(*end.disk.ids, (number, fresh(16))))
    return world.having(side, _committed(end, _pumped(replace(end, disk=disk))))


def renew(world: World, side: str, *, reset: bool) -> World:
    end = world.end(side)
    assert end.live is not None
    return world.having(side, _committed(end, _applied(end, end.live.agreement.renew(_moment(end), reset=reset))))


def put_back(world: World, side: str, old: Disk) -> World:
    world = lose(world, side) if world.end(side).live else world
    past = tuple(disk for disk in world.end(side).past if disk != old)
    return world.having(side, replace(world.end(side), disk=old, past=past))


def settled(world: World, *, steps: int = 200) -> World:
    """Everything that is under way comes to its end. Raises AssertionError where that never happens."""
    for _ in range(steps):
        for side in ("lo", "hi"):
            end = world.end(side)
            if end.live and end.live.work:
                world = open_leg(world, side)
            elif end.live and world.end(OTHER[side]).flight:
                world = take_frame(world, side)
        if not any(e.flight or (e.live and e.live.work) for e in (world.lo, world.hi)):
            return world
    raise AssertionError("the two never come to rest")


# --- a vault, in small ------------------------------------------------------------------------------------------------


def _moment(end: End) -> Moment:
    return Moment(0.0, START_MS, fresh(FRESH_BYTES), awaited=end.disk.into.have + 1)


def _committed(before: End, after: End) -> End:
    if before.disk == after.disk or before.disk in after.past:
        return after
    return replace(after, past=(*after.past, before.disk))


def _applied(end: End, step: Step) -> End:
    """As ``vault.flows.channel`` applies a step, and then seals what may go."""
    assert end.live is not None
    live = replace(end.live, agreement=step.agreement, work=step.work or end.live.work)
    if Became.UNREADY in step.became:
        live = replace(live, next=None)
    disk = end.disk if step.store is None else replace(end.disk, channel=step.store)
    end = replace(end, live=live, disk=disk, flight=(*end.flight, *(_seen(*frame) for frame in step.frames)))
    if step.body is not None:
        end = _message(end, step.body)
    if step.ctl is not None:
        (said,) = step.ctl.items
        end = _resume(end, Resume.decode(said.body)) if said.kind == CTL_RESUME else _receipt(end, said.body)
    if step.became & {Became.READY, Became.RESEND}:
        end = _say_resume(end)
    return _pumped(end)


def _message(end: End, body: bytes) -> End:
    number, message, into = int.from_bytes(body[:8]), body[8:], end.disk.into
    action = decide(into, number, Seen.SAME if message in end.disk.seen else Seen.NEVER)
    if action is Action.ASK:
        return _say_resume(end)
    if action is Action.REPEAT:
        return _say_receipt(end)
    disk = replace(end.disk, into=into.advanced(), last=message, seen=end.disk.seen | {message})
    assert end.live is not None
    agreement = end.live.agreement.body_taken()
    live = replace(end.live, agreement=agreement)
    return _say_receipt(replace(end, live=live, disk=replace(disk, channel=agreement.state)))


def _receipt(end: End, body: bytes) -> End:
    queue = acknowledged(end.disk.out, Receipt.decode(body)).queue
    return replace(end, disk=replace(end.disk, out=queue))


def _resume(end: End, peer: Resume) -> End:
    disk = end.disk
    found = resumed(disk.out, peer, fresh=Incarnation(fresh(8)), mine_at_have=dict(disk.ids).get(peer.have, b""))
    ids = disk.ids
    if found.queue.incarnation != disk.out.incarnation:
        ids = tuple((n - found.renumber_by, m) for n, m in ids if n > found.renumber_by)
    into = adopt(disk.into, peer).queue
    last = disk.last if into == disk.into else b""
    end = replace(end, disk=replace(disk, out=found.queue, ids=ids, into=into, last=last))
    assert end.live is not None
    if found.reset:
        end = replace(end, live=replace(end.live, next=None))
        assert end.live is not None
        return _applied(end, end.live.agreement.renew(_moment(end), reset=True))
    return replace(end, live=replace(end.live, next=found.send_from))


def _say_resume(end: End) -> End:
    live = end.live
    if live is None or not live.agreement.agreed:
        return end
    return _say(end, live.agreement, CTL_RESUME, resume_of(end.disk.out, end.disk.into, end.disk.last))


def _say_receipt(end: End) -> End:
    assert end.live is not None
    into = end.disk.into
    return _say(
        end, end.live.agreement, CTL_RECEIPT, Receipt(incarnation=into.incarnation, delivered=into.have, read=0)
    )


def _say(end: End, agreement: Agreement, kind: int, said: Receipt | Resume) -> End:
    ctl = Ctl(items=(CtlItem(kind=kind, body=said.encode()),))
    about = (agreement.state.epoch_id, *said.as_list())
    return replace(end, flight=(*end.flight, Frame(FrameType.CTL, agreement.seal_ctl(ctl, fresh(24)), about)))


def _pumped(end: End) -> End:
    while end.live and end.live.next is not None and end.live.agreement.ready and end.live.next <= end.disk.out.tail:
        number = end.live.next
        body = number.to_bytes(8) + dict(end.disk.ids)[number]
        agreement, sealed = end.live.agreement.seal_body(body, fresh(24))
        end = replace(
            end,
            live=replace(end.live, agreement=agreement, next=number + 1),
            disk=replace(end.disk, channel=agreement.state),
            flight=(*end.flight, _seen(FrameType.ENVELOPE, sealed)),
        )
    return end


def _seen(kind: FrameType, body: bytes) -> Frame:
    if kind is FrameType.HELLO:
        hello = Hello.decode(body)
        return Frame(kind, body, (hello.epoch, hello.pending))
    if kind is FrameType.REKEY:
        return Frame(kind, body, (Rekey.decode(body).reason,))
    if kind is FrameType.ENVELOPE:
        header = parse_header(body)
        return Frame(kind, body, (header.epoch, header.index))
    return Frame(kind, body, (sha256(body).digest(),))
