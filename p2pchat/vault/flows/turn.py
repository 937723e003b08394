"""One link's turn in a transaction: what it finds, what it changes, and what may leave once that is committed.

A ``Turn`` lives inside one job of the store's writer. It works on the link's session as a value, which nobody outside
sees before the commit (``store.cell``); ``depart`` is the job's ``after``, on the event loop.
"""

from dataclasses import dataclass, field, replace
from typing import Final

import trio

from p2pchat.channel import epoch
from p2pchat.channel.agreement import Agreement
from p2pchat.channel.step import Moment, OpenLeg
from p2pchat.delivery import pace
from p2pchat.delivery.incoming import InQueue
from p2pchat.delivery.outgoing import OutQueue
from p2pchat.store import channels, inbox, outbox
from p2pchat.store.tx import Tx
from p2pchat.vault.flows import hybrid, legs
from p2pchat.vault.flows.link import Link, Nudge, Session
from p2pchat.vault.node import Node
from p2pchat.wire.frames import FrameType
from p2pchat.wire.shape import Struct
from p2pchat.wire.structs import Ctl, CtlItem

NONCE_BYTES: Final = 24


@dataclass(slots=True, kw_only=True)
class Turn:
    tx: Tx
    node: Node
    link: Link
    now_ms: int
    session: Session
    outgoing: OutQueue
    incoming: InQueue
    read: int  # highest incoming number that a reader has passed
    paid_ms: int  # how far the contact's pace is used up
    frames: list[tuple[FrameType, bytes, int | None]] = field(default_factory=list)  # the last: number of an envelope
    work: list[OpenLeg] = field(default_factory=list)
    clock_seen: int = 0
    received: bool = False  # the incoming cursor moved
    paid: bool = False  # ``paid_ms`` changed
    dirty: bool = False  # the channel's state is to be stored
    news: bool = False  # something happened that somebody may wait for
    renew_wanted: bool = False  # my store proved to be old: a reset is needed
    resume_wanted: bool = False  # a number was skipped: the peer must hear my cursor
    peer_changed: bool = False  # the gate must learn newer addresses
    copied: bool = False  # a copy of this node proved to be in use: all contacts are to be told
    sent: int = 0  # up to which number the store knows as sent
    again_s: float = 0.0  # > 0: something waits for its time, and nothing else may bring a turn by then

    @classmethod
    def open(cls, tx: Tx, node: Node, link: Link) -> "Turn | None":
        """None where the link has no channel (yet), or the contact is gone."""
        session = link.session.get(tx)
        sent, received = outbox.queue(tx, link.contact), inbox.queue(tx, link.contact)
        if session is None or sent is None or received is None:
            return None
        known_as_sent = sent.sent
        if link.sent_upto[0] == sent.incarnation and link.sent_upto[1] > sent.sent:
            known_as_sent = link.sent_upto[1]
            outbox.mark_sent(tx, link.contact, known_as_sent)
        now_ms = node.now_ms()
        return cls(
            tx=tx,
            node=node,
            link=link,
            now_ms=now_ms,
            session=session,
            outgoing=OutQueue(incarnation=sent.incarnation, tail=sent.tail, delivered=sent.delivered, read=sent.read),
            incoming=InQueue(incarnation=received.incarnation, have=received.have, previous=received.previous),
            read=received.read,
            sent=known_as_sent,
            paid_ms=pace.settled(received.paid_ms, now_ms, node.config.messages_per_minute),
        )

    @property
    def agreement(self) -> Agreement:
        return self.session.agreement

    def moment(self) -> Moment:
        fresh = self.node.env.random.bytes(epoch.FRESH_BYTES)
        return Moment(self.node.env.clock.boot_s(), self.now_ms, fresh, awaited=self.incoming.have + 1)

    def become(self, agreement: Agreement, *, store: bool) -> None:
        self.session = replace(self.session, agreement=agreement)
        self.dirty = self.dirty or store

    def heal(self) -> None:
        """The awaited message came over a channel that was ill."""
        self.become(self.agreement.body_taken(), store=True)

    def stop_flow(self) -> None:
        """Nothing more is sent before the peer's next Resume."""
        self.session = replace(self.session, flow=self.session.flow.stopped(self.outgoing))

    def count(self, units: int, written_ms: int) -> None:
        """What the contact sent is worth so many units of the pace."""
        per_minute = self.node.config.messages_per_minute
        self.paid_ms = pace.counted(
            self.paid_ms, written_ms=written_ms, now_ms=self.now_ms, count=units, per_minute=per_minute
        )
        self.paid = True

    def nonce(self) -> bytes:
        return self.node.env.random.bytes(NONCE_BYTES)

    def say(self, *statements: tuple[int, Struct | bytes]) -> None:
        """Queue one control frame of (kind, body) statements."""
        items = tuple(
            CtlItem(kind=kind, body=body if isinstance(body, bytes) else body.encode()) for kind, body in statements
        )
        self.frames.append((FrameType.CTL, self.agreement.seal_ctl(Ctl(items=items), self.nonce()), None))

    def close(self) -> "Turn":
        """Write what changed; the last act of the job."""
        if self.dirty:
            state = self.agreement.state.encode()
            channels.put(self.tx, self.link.contact, self.link.record.device, state, self.now_ms)
        if self.received:
            inbox.advance(self.tx, self.link.contact, self.incoming.have, self.incoming.previous)
        if self.paid:
            inbox.pay(self.tx, self.link.contact, self.paid_ms)
        if self.clock_seen:
            hybrid.observe(self.tx, self.node, self.clock_seen)
        self.link.session.put(self.tx, self.session)
        return self

    def depart(self) -> None:
        """After the commit: let frames go, start the RSA worker, wake who waits."""
        self.link.stored_upto = self.outgoing.incarnation, max(self.sent, self.outgoing.delivered)
        for kind, body, number in self.frames:
            place = None if number is None else (self.outgoing.incarnation, number)
            self.link.send(self.node.port, kind, body, place)
        if self.link.nursery is not None and not self.link.down:
            for work in self.work:
                self.link.nursery.start_soon(legs.open_for_epoch, self.node, self.link, work)
            if self.again_s and not self.link.looking:
                self.link.looking = True
                self.link.nursery.start_soon(_look_again, self.link, self.again_s)
        if self.news:
            self.node.news.ring()


async def _look_again(link: Link, after_s: float) -> None:
    await trio.sleep(after_s)
    link.looking = False
    link.post(Nudge())
