"""What the gate says: links that come and go, frames, addresses, warnings. One task a link keeps its order."""

import math
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from itertools import groupby
from typing import Final

import trio

from p2pchat.errors import BadFormat, CryptoError, DiskFull, P2PChatError, Untrusted
from p2pchat.limits import WINDOW_MESSAGES
from p2pchat.store import contacts, events
from p2pchat.store.tx import Tx
from p2pchat.vault.flows import arrival, channel, compare, forks, pacing, pair, stale
from p2pchat.vault.flows.link import Link, LinkEvent, Nudge
from p2pchat.vault.node import Node
from p2pchat.wire import boundary
from p2pchat.wire.frames import FrameType
from p2pchat.wire.shape import Struct

MARK_SENT_S: Final = 0.02  # ``sent`` is told so late at most: usually the receipt comes first and tells more
PAIRINGS: Final = 16  # requests and answers a link; each costs an HPKE opening, a signature check and a commit
# A peer that makes us answer and does not read fills our memory: messages wait for room, answers and receipts do not.
# An honest one has a window of messages under way and no more.
UNREAD_FRAMES: Final = 2 * WINDOW_MESSAGES[1]
_PAIRING: Final[Mapping[int, Callable[[Node, Link, bytes], Awaitable[None]]]] = {
    FrameType.REQUEST: pair.request_received,
    FrameType.ANSWER: pair.answer_received,
}
_STALE: Final[Mapping[int, Callable[[Node, Link, bytes], None]]] = {
    FrameType.STALE_SET: stale.received,
    FrameType.STALE_LOG: stale.log_received,
    FrameType.LOG_WANTED: stale.log_wanted,
}


async def listen(node: Node) -> None:
    """Run until the gate ends."""
    async with trio.open_nursery() as nursery:
        async for batch in node.port.messages():
            for message in batch:
                _hear(node, nursery, message)
        nursery.cancel_scope.cancel()


def _hear(node: Node, nursery: trio.Nursery, message: Struct) -> None:
    match message:
        case boundary.Up():
            _up(node, nursery, message)
        case boundary.Down(link=number):
            _down(node, number)
        case boundary.Arrived(link=number):
            if number in node.links:
                node.links[number].post(message)
        case boundary.Sent(link=number, seq=seq):
            if number in node.links:
                _sent(node.links[number], seq)
        case boundary.Cannot(user=user):
            node.unreachable[user] = message
        case boundary.Addrs(reachable=reachable):
            _moved(node, reachable)
        case boundary.Warn():
            _warn(node, message)


def _up(node: Node, nursery: trio.Nursery, up: boundary.Up) -> None:
    send, receive = trio.open_memory_channel[LinkEvent](math.inf)  # bounded by the boundary's window
    if node.replaced:
        node.port.send(boundary.Cut(link=up.link, reason=boundary.Reason.CLOSED))
        return
    try:
        link = arrival.check(node, up, send)
    except P2PChatError as error:
        node.port.send(boundary.Cut(link=up.link, reason=boundary.Reason.UNWANTED))
        arrival.warn(node, up, error)
        return
    node.links[up.link] = node.serving[up.link] = link
    node.unreachable.pop(up.user, None)
    nursery.start_soon(_serve, node, link, receive)


def _down(node: Node, number: int) -> None:
    link = node.links.pop(number, None)
    if link is None:
        return
    link.down = True
    link.gone.set()
    session = link.session.value
    if session is not None:
        node.legs[link.user] = session.agreement.legs
    link.events.close()
    compare.lost(node, link)
    node.news.ring()


def _sent(link: Link, seq: int) -> None:
    """The gate wrote it. Room for more matters at once; the state ``sent`` can wait a moment."""
    blocked = link.room_bytes <= 0
    link.written(seq)
    if blocked:
        link.post(Nudge())
    if link.nursery is not None and not link.marking and link.ready and not link.sent_is_stored:
        link.marking = True
        link.nursery.start_soon(_mark_sent, link)


async def _mark_sent(link: Link) -> None:
    await trio.sleep(MARK_SENT_S)
    link.marking = False
    if not link.sent_is_stored:  # usually the receipt came first
        link.post(Nudge())  # any turn stores ``sent_upto``


async def _serve(node: Node, link: Link, receive: trio.MemoryReceiveChannel[LinkEvent]) -> None:
    """One link from its first frame to its last, in order."""
    async with trio.open_nursery() as nursery:
        link.nursery = nursery
        try:
            await _or_cut(node, link, _greet(node, link))
            node.news.ring()
            async for event in receive:
                await _or_cut(node, link, _take(node, link, [event, *_waiting(receive)]))
        finally:
            link.nursery = None  # the last commits may still have effects after it was cancelled
            del node.serving[link.up.link]
        nursery.cancel_scope.cancel()


async def _greet(node: Node, link: Link) -> None:
    stale.want_log(node, link)
    if link.newer_log is not None:
        stale.answer_log(node, link, link.newer_log)
    elif link.shown is not None:
        stale.answer(node, link, link.shown)
    elif link.forked:
        forks.tell(node, link)
    elif not link.given_up:
        await pair.greet(node, link)


def _waiting(receive: trio.MemoryReceiveChannel[LinkEvent]) -> Iterator[LinkEvent]:
    """What has come already."""
    with suppress(trio.WouldBlock, trio.EndOfChannel):
        while True:
            yield receive.receive_nowait()


async def _or_cut(node: Node, link: Link, work: Awaitable[None]) -> None:
    """Do some of a link's work. What one peer makes impossible, or a full disk, ends that link and nothing else."""
    try:
        await work
    except DiskFull:  # nothing of it was kept, so it must come again, over another link
        link.refused = True
        node.port.send(boundary.Cut(link=link.up.link, reason=boundary.Reason.LOST))
    except CryptoError as error:  # nothing can be sealed to the box keys in the peer's device set
        channel.refuse(node, link)
        arrival.warn(node, link.up, error)


async def _take(node: Node, link: Link, batch: list[LinkEvent]) -> None:
    for kind, grouped in groupby(batch, key=_alone):
        run = list(grouped)
        if link.refused:
            break
        if kind in _STALE:
            _stale(node, link, run)
        elif not link.silenced:
            await (_pair(node, link, run) if kind else _converse(node, link, run))
    _took(node, link, batch)


def _alone(event: LinkEvent) -> int | None:
    """The frame type of what is no part of the channel."""
    outside = isinstance(event, boundary.Arrived) and event.kind in {*_PAIRING, *_STALE}
    return event.kind if outside and isinstance(event, boundary.Arrived) else None


def _stale(node: Node, link: Link, run: list[LinkEvent]) -> None:
    for event in run:
        assert isinstance(event, boundary.Arrived)
        try:
            _STALE[event.kind](node, link, event.body)
        except (BadFormat, CryptoError, Untrusted):
            channel.refuse(node, link)
            return


async def _pair(node: Node, link: Link, run: list[LinkEvent]) -> None:
    for event in run:
        assert isinstance(event, boundary.Arrived)
        link.pairings += 1
        if event.kind == FrameType.REQUEST and link.up.role == boundary.Role.STRANGER and not _may_ask(node):
            link.refused = True
            node.port.send(boundary.Cut(link=link.up.link, reason=boundary.Reason.RATE_LIMITED))
            return
        if link.pairings > PAIRINGS:
            channel.refuse(node, link)
            return
        try:
            await _PAIRING[event.kind](node, link, event.body)
        except (BadFormat, CryptoError, Untrusted):
            channel.refuse(node, link)
            return


def _may_ask(node: Node) -> bool:
    return node.requests is None or node.requests.take(trio.current_time())


async def _converse(node: Node, link: Link, run: list[LinkEvent]) -> None:
    if link.session.value is None and any(isinstance(event, Nudge) for event in run):
        await pair.greet(node, link)  # the contact's state changed
    if link.session.value is None:
        hellos = [e for e in run if isinstance(e, boundary.Arrived) and e.kind == FrameType.HELLO]
        if hellos:
            link.early_hello = hellos[-1].body
        return
    await pacing.take(node, link, run)


def _took(node: Node, link: Link, batch: list[LinkEvent]) -> None:
    seqs = [event.seq for event in batch if isinstance(event, boundary.Arrived)]
    if not seqs or link.down or link.refused:
        return
    if len(link.unsent) > UNREAD_FRAMES:
        channel.refuse(node, link)
    else:
        node.port.send_soon(boundary.Took(link=link.up.link, seq=seqs[-1]))


def _moved(node: Node, reachable: tuple[str, ...]) -> None:
    node.reachable = reachable
    channel.tell_addresses(node)


def _warn(node: Node, warning: boundary.Warn) -> None:
    def job(tx: Tx) -> None:
        contact = contacts.by_user(tx, warning.user) if warning.user else None  # type: ignore[arg-type] # 32 or 0
        events.append(
            tx, "warning", node.now_ms(), contact=contact.id if contact else None, fields={"text": warning.text}
        )

    node.store.change_nowait(job, after=lambda _: node.news.ring())
