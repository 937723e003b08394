"""One node: the vault's flows in small, over a ``Store`` and the world's frames.

Every change is a job; what it wants to happen outside happens after the commit, in job order. A crash keeps the disk's
last commit and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from p2pchat.channel.agreement import Agreement
from p2pchat.channel.epoch import FRESH_BYTES
from p2pchat.channel.exchange import Leg
from p2pchat.channel.legs import FULL, LegBucket
from p2pchat.channel.parties import Parties
from p2pchat.channel.state import ChannelState
from p2pchat.channel.step import Became, Moment, Step
from p2pchat.delivery import clock
from p2pchat.delivery.body import FIRST, Slot, chain_hash, pair_conversation, read_body, text_of
from p2pchat.delivery.incoming import Action, InQueue, Seen, adopt, decide
from p2pchat.delivery.lifecycle import Fact, State, after
from p2pchat.delivery.outgoing import OutQueue, acknowledged, resumed
from p2pchat.delivery.receipts import resume_of
from p2pchat.errors import P2PChatError
from p2pchat.ids import Incarnation, MessageId
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import BODY_TEXT, CTL_RECEIPT, CTL_RESUME, Ctl, CtlItem, MessageBody, Receipt, Resume
from tests.support.frame_sim.parts import LinkEnd, OutRow, Person
from tests.support.frame_sim.store import Store

if TYPE_CHECKING:
    from tests.support.frame_sim.world import World

Effect = Callable[[], None]


class Node:
    """A process that runs until the world crashes it."""

    def __init__(self, person: Person, people: dict[str, Person], store: Store, world: World) -> None:
        self.person, self.people, self.store, self.world = person, people, store, world
        self.links: dict[str, LinkEnd] = {}
        self.buckets: dict[str, LegBucket] = {}
        self._effects: list[Effect] = []
        self._witness: list[Effect] = []  # what the event log shows once the commit is on disk

    # --- jobs ---------------------------------------------------------------------------------------------------------

    def after(self, effect: Effect) -> None:
        """Let ``effect`` happen after the commit of what this job changes."""
        self._effects.append(effect)
        self.world.want_commit(self)

    def begin_life(self) -> None:
        """First start on an empty store: queues to everybody."""
        for peer in self.people:
            if peer != self.person.name:
                self.store.put(("out", peer), OutQueue(incarnation=Incarnation(self.world.random_bytes(8))))
        self.store.commit()

    def commit(self, *, die: bool = False) -> None:
        """``die``: the process ends between the commit and its effects."""
        self.store.commit()
        witness, self._witness = self._witness, []
        effects, self._effects = self._effects, []
        for saw in witness:
            saw()
        if not die:
            for effect in effects:
                effect()

    # --- the user -----------------------------------------------------------------------------------------------------

    def send(self, peer: str, text: str, told: Effect) -> None:
        queue, world = self._out(peer), self.world
        number, queue = queue.next_number()
        value = clock.tick(self.store.get("clock", 0), world.wall_ms(self.person.name))
        slot = Slot(
            message=MessageId(world.random_bytes(16)),
            conversation=pair_conversation(self.person.party.user, self.people[peer].party.user),
            clock=value,
            sent_ms=world.wall_ms(self.person.name),
            device=self.person.party.device,
            sequence=number,
            previous=self.store.get(("previous", peer), FIRST),
        )
        row = OutRow(slot, text, State.QUEUED)
        self.store.put("clock", value)
        self.store.put(("previous", peer), chain_hash(row.body(number).encode()))
        self.store.put(("row", peer, number), row)
        self.store.put(("out", peer), queue)
        self.after(told)
        self.after(lambda: self._pump(peer))

    def cancel(self, peer: str, text: str) -> bool:
        """Cancel a message that still waits; whether there was one."""
        queue = self._out(peer)
        for number in range(queue.first, queue.tail + 1):
            row = self.store.get(("row", peer, number))
            if row.text == text and after(row.state, Fact.CANCEL) is State.FAILED:
                self.store.put(("row", peer, number), replace(row, state=State.FAILED, void=True))
                self.after(lambda: None)
                return True
        return False

    def unfinished(self) -> list[tuple[str, int]]:
        """(peer, number) of everything that is not delivered yet."""
        return [
            (peer, number)
            for peer in self.people
            if peer != self.person.name
            for number in range(self._out(peer).first, self._out(peer).tail + 1)
        ]

    # --- links --------------------------------------------------------------------------------------------------------

    def link_up(self, link: int, peer: str, link_hash: bytes) -> None:
        parties = Parties(own=self.person.party, peer=self.people[peer].party)
        step = Agreement.begin(
            parties,
            link_hash=link_hash,
            state=self.store.get(("channel", peer), ChannelState()),
            local_secret=b"local secret of " + self.person.name.encode().ljust(16),
            draws=self.person.draws,
            legs=self.buckets.get(peer, FULL),
        )
        self.links[peer] = LinkEnd(link, peer, step.agreement)
        self._apply(self.links[peer], step)

    def link_down(self, link: int, peer: str) -> None:
        end = self.links.get(peer)
        if end is not None and end.link == link:
            self.buckets[peer] = end.agreement.legs
            del self.links[peer]

    def frame(self, link: int, peer: str, kind: FrameType, body: bytes) -> None:
        self._on(link, peer, lambda end: self._take(end, kind, body))

    def leg_opened(self, link: int, peer: str, leg: Leg, secret: bytes | None) -> None:
        self._on(link, peer, lambda end: self._apply(end, end.agreement.leg_opened(leg, secret, self._moment())))

    def tick(self) -> None:
        for end in list(self.links.values()):
            self._apply(end, end.agreement.tick(self._moment()))
            self._pump(end.peer)

    def renew(self) -> None:
        for end in list(self.links.values()):
            self._apply(end, end.agreement.renew(self._moment(), reset=False))

    def _on(self, link: int, peer: str, event: Callable[[LinkEnd], None]) -> None:
        """Something came over a link: nothing if that is gone, and a cut if it cannot be."""
        end = self.links.get(peer)
        if end is None or end.link != link:
            return
        try:
            event(end)
        except P2PChatError as error:
            self.world.trace(self.person.name, "cut", link, type(error).__name__)
            self.world.cut(link)

    # --- frames -------------------------------------------------------------------------------------------------------

    def _take(self, end: LinkEnd, kind: FrameType, body: bytes) -> None:
        at = replace(self._moment(), awaited=self._in(end.peer).have + 1)
        if kind is FrameType.ENVELOPE:
            step = end.agreement.envelope_received(body, at)
        elif kind is FrameType.CTL:
            step = end.agreement.ctl_received(body, at)
        else:
            step = end.agreement.frame_received(kind, body, at)
        self._apply(end, step)
        if step.body is not None:
            self._message(end, read_body(step.body))
        if step.ctl is not None:
            self._control(end, step.ctl)

    def _apply(self, end: LinkEnd, step: Step) -> None:
        end.agreement = step.agreement
        self.world.want_commit(self)
        if step.store is not None:
            self.store.put(("channel", end.peer), step.store)
        if Became.UNREADY in step.became:
            end.flow = end.flow.stopped(self._out(end.peer))
        for kind, body in step.frames:
            self.after(lambda kind=kind, body=body: self._write(end, kind, body))  # type: ignore[misc]
        if (work := step.work) is not None:
            self.after(lambda: self.world.open_leg(self, end.link, end.peer, work))
        if step.became & {Became.READY, Became.RESEND}:
            self.after(lambda: self._say_resume(end))
        if Became.CHANGED in step.became:
            self.after(lambda: self._pump(end.peer))

    def _control(self, end: LinkEnd, ctl: Ctl) -> None:
        for item in ctl.items:
            if item.kind == CTL_RESUME:
                self._resumed(end, Resume.decode(item.body))
            elif item.kind == CTL_RECEIPT:
                self._receipt(end, Receipt.decode(item.body))

    def _resumed(self, end: LinkEnd, peer: Resume) -> None:
        mine = self.store.get(("row", end.peer, peer.have))
        result = resumed(
            self._out(end.peer),
            peer,
            fresh=Incarnation(self.world.random_bytes(8)),
            mine_at_have=mine.slot.message if mine else b"",
        )
        if result.renumber_by or result.reset:
            self._renumber(end.peer, result.renumber_by)
        self.store.put(("out", end.peer), result.queue)
        self._mark(end.peer, result.delivered, Fact.RECEIPT)
        self.store.put(("in", end.peer), adopt(self._in(end.peer), peer).queue)
        if result.reset:
            self._apply(end, end.agreement.renew(self._moment(), reset=True))
        else:
            end.flow = end.flow.resumed(result.send_from)
            self.after(lambda: self._pump(end.peer))

    def _renumber(self, peer: str, by: int) -> None:
        queue = self._out(peer)
        held = [self.store.get(("row", peer, number)) for number in range(queue.first, queue.tail + 1)]
        for number in range(1, queue.tail + 1):
            self.store.drop(("row", peer, number))
        for number, row in enumerate(held, queue.first):
            self.store.put(("row", peer, number - by), row)

    def _receipt(self, end: LinkEnd, receipt: Receipt) -> None:
        result = acknowledged(self._out(end.peer), receipt)
        self.store.put(("out", end.peer), result.queue)
        if result.delivered:
            self._mark(end.peer, result.delivered, Fact.RECEIPT)
            end.flow = end.flow.acknowledged(result.count)
            self.after(lambda: self._pump(end.peer))

    def _mark(self, peer: str, span: tuple[int, int] | None, fact: Fact) -> None:
        for number in range(span[0], span[1] + 1) if span else ():
            row = self.store.get(("row", peer, number))
            self.store.put(("row", peer, number), replace(row, state=after(row.state, fact)))

    def _message(self, end: LinkEnd, body: MessageBody) -> None:
        peer, queue = end.peer, self._in(end.peer)
        action = decide(queue, body.sequence, self.seen(peer, body))
        if action is Action.ASK:
            say, end.receipts = end.receipts.ask()
            if say:
                self.after(lambda: self._say_resume(end))
            return
        if action is Action.REPEAT:
            end.receipts = end.receipts.wanted_again()
        else:
            self.store.put(("in", peer), queue.advanced())
            self.store.put(("last", peer), bytes(body.message) if body.kind == BODY_TEXT else b"")
            end.receipts = end.receipts.taken()
            if end.agreement.state.health.healing:
                end.agreement = end.agreement.body_taken()
                self.store.put(("channel", peer), end.agreement.state)
        if action is Action.SHOW and body.kind == BODY_TEXT:
            self.store.put(("seen", peer, body.device, body.message), text_of(body))
            self.store.put("clock", clock.observe(self.store.get("clock", 0), body.clock))
            self._witness.append(lambda: self.world.shown(self.person.name, peer, body))
        self.acknowledge(end)

    # --- what the planted bugs change (tests/simulation) --------------------------------------------------------------

    def seen(self, peer: str, body: MessageBody) -> Seen:
        known = self.store.get(("seen", peer, body.device, body.message))
        if known is None:
            return Seen.NEVER
        return Seen.SAME if body.kind != BODY_TEXT or known == text_of(body) else Seen.OTHER

    def acknowledge(self, end: LinkEnd) -> None:
        self.after(lambda: self._say_receipt(end))

    def resume(self, peer: str) -> Resume:
        return resume_of(self._out(peer), self._in(peer), self.store.get(("last", peer), b""))

    # --- sending ------------------------------------------------------------------------------------------------------

    def _say_receipt(self, end: LinkEnd) -> None:
        receipt, end.receipts = end.receipts.due(self._in(end.peer))
        if receipt is not None:
            self._say(end, CTL_RECEIPT, receipt.encode())

    def _say_resume(self, end: LinkEnd) -> None:
        self._say(end, CTL_RESUME, self.resume(end.peer).encode())

    def _say(self, end: LinkEnd, kind: int, body: bytes) -> None:
        if self._is_live(end) and end.agreement.ready:
            ctl = Ctl(items=(CtlItem(kind=kind, body=body),))
            self._write(end, FrameType.CTL, end.agreement.seal_ctl(ctl, self.world.random_bytes(24)))

    def _pump(self, peer: str) -> None:
        """Seal and send what the window allows; runs after commits, and is a job itself."""
        end = self.links.get(peer)
        if end is None or not end.agreement.ready:
            return
        numbers, end.flow = end.flow.take(self._out(peer))
        for number in numbers:
            row = self.store.get(("row", peer, number))
            body = row.body(number).encode()
            end.agreement, frame = end.agreement.seal_body(body, self.world.random_bytes(24))
            self.after(lambda frame=frame: self._write(end, FrameType.ENVELOPE, frame))  # type: ignore[misc]
            self.store.put(("row", peer, number), replace(row, state=after(row.state, Fact.WRITTEN)))
        if numbers:
            self.store.put(("channel", peer), end.agreement.state)

    def _write(self, end: LinkEnd, kind: FrameType, body: bytes) -> None:
        if self._is_live(end):
            self.world.transmit(self.person.name, end.link, kind, body)

    # --- small things -------------------------------------------------------------------------------------------------

    def _is_live(self, end: LinkEnd) -> bool:
        return self.links.get(end.peer) is end

    def _out(self, peer: str) -> OutQueue:
        queue: OutQueue = self.store.get(("out", peer))
        return queue

    def _in(self, peer: str) -> InQueue:
        queue: InQueue = self.store.get(("in", peer), InQueue())
        return queue

    def _moment(self) -> Moment:
        world = self.world
        return Moment(world.now_ms / 1000, world.wall_ms(self.person.name), world.random_bytes(FRESH_BYTES))
