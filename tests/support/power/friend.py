"""A contact of a vault under test, who keeps a whole conversation: numbers, cursors and receipts of both directions.

What this friend knows is a frozen ``Memory``, and each is kept with the moment at which the vault had let go the last
frame that it rests on. So one can ask what the friend may have known when the vault's power went.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

import trio

from p2pchat.channel.state import ChannelState
from p2pchat.channel.step import Became, Step
from p2pchat.delivery import body as bodies
from p2pchat.delivery.body import Slot, read_body
from p2pchat.delivery.incoming import UNKNOWN
from p2pchat.ids import Incarnation, MessageId
from p2pchat.wire import boundary
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import CTL_RECEIPT, CTL_RESUME, Ctl, CtlItem, Receipt, Resume
from tests.support.vaults import Peer

LIFE: Final = Incarnation(b"friends!")  # of this friend's own queue


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What the friend has on a disk of its own, which loses nothing."""

    channel: ChannelState = field(default_factory=ChannelState)
    theirs: Incarnation = UNKNOWN  # the vault's queue
    received: tuple[str, ...] = ()  # message ids in hex; the n-th bears number n
    written: tuple[str, ...] = ()  # own texts; the n-th bears number n
    receipt: int = 0  # the vault says that it has so many of them
    again: int = 0  # messages that came with an id received before


@dataclass(eq=False)
class Friend(Peer):
    memory: Memory = field(default_factory=Memory)
    moment_of: Callable[[boundary.Send], int] = lambda _sent: 0  # when the vault let a frame go
    now: Callable[[], int] = lambda: 0
    memories: list[tuple[int, Memory]] = field(default_factory=list)
    numbers: dict[tuple[int, int], int] = field(default_factory=dict)  # (link, seq) of an own envelope -> its number
    resets: int = 0
    _linked: bool = False  # both Resumes were said on this link

    async def link_up(self) -> None:
        """A new link; ``serve`` goes on with it."""
        self.state, self._linked = self.memory.channel, False
        await self.up()
        await self.begin()

    async def serve(self) -> None:
        """Answer whatever the vault says, for ever."""
        while True:
            while len(self.sends()) == self._heard:
                await self.vault.gate._news.wait()
            sent = self.sends()[self._heard]
            step = await self.hear()
            if step is not None:
                await self._follow(step)
            self._remember(self.moment_of(sent))

    async def cut_of_link(self) -> None:
        """Wait until the vault gives the present link up, for however long."""
        while all(cut.link != self.link for cut in self.vault.gate.all(boundary.Cut)):
            await self.vault.gate._news.wait()

    async def write(self, text: str) -> None:
        self.memory = replace(self.memory, written=(*self.memory.written, text))
        if self._linked:
            await self._seal(len(self.memory.written))
        self._remember(self.now())

    def _remember(self, moment: int) -> None:
        if self._agreement is not None:
            self.memory = replace(self.memory, channel=self.agreement.state)
        last = self.memories[-1][0] if self.memories else 0
        self.memories.append((max(moment, last), self.memory))

    async def _follow(self, step: Step) -> None:
        if Became.UNREADY in step.became:
            self.resets += 1
        if Became.READY in step.became:
            await self._say_resume()
        if step.body is not None:
            await self._receive(step.body)
        if step.ctl is not None:
            for item in step.ctl.items:
                if item.kind == CTL_RESUME:
                    await self._resume(Resume.decode(item.body))
                elif item.kind == CTL_RECEIPT:
                    self._acknowledged(Receipt.decode(item.body).delivered)

    async def _receive(self, raw: bytes) -> None:
        body = read_body(raw)
        message, memory = body.message.hex(), self.memory
        if body.sequence == len(memory.received) + 1:
            again = memory.again + (message in memory.received)
            self.memory = replace(memory, received=(*memory.received, message), again=again)
        receipt = Receipt(incarnation=memory.theirs, delivered=len(self.memory.received), read=0)
        await self.say(Ctl(items=(CtlItem(kind=CTL_RECEIPT, body=receipt.encode()),)))

    async def _say_resume(self) -> None:
        memory = self.memory
        resume = Resume(
            incarnation=LIFE,
            first=1,
            tail=len(memory.written),
            have_incarnation=memory.theirs,
            have=len(memory.received),
            have_message=bytes.fromhex(memory.received[-1]) if memory.received else b"",
        )
        await self.say(Ctl(items=(CtlItem(kind=CTL_RESUME, body=resume.encode()),)))

    async def _resume(self, theirs: Resume) -> None:
        if theirs.incarnation != self.memory.theirs:
            self.resets += bool(self.memory.theirs)
            self.memory = replace(self.memory, theirs=theirs.incarnation)
        have = theirs.have if theirs.have_incarnation == LIFE else 0
        self._acknowledged(have)
        for number in range(have + 1, len(self.memory.written) + 1):
            await self._seal(number)
        self._linked = True

    def _acknowledged(self, number: int) -> None:
        self.memory = replace(self.memory, receipt=max(number, self.memory.receipt))

    async def _seal(self, number: int) -> None:
        self.agreement, sealed = self.agreement.seal_body(self._bodies()[number - 1], bytes(24))
        frame = self.frame(FrameType.ENVELOPE, sealed)
        self.numbers[frame.link, frame.seq] = number
        await self.vault.gate.say(frame)

    def _bodies(self) -> list[bytes]:
        """Of all that was written, each naming the one before it."""
        made: list[bytes] = []
        for number, text in enumerate(self.memory.written, 1):
            slot = Slot(
                message=MessageId(number.to_bytes(16)),
                conversation=bodies.pair_conversation(self.own.user, self.identity.user),
                clock=number,
                sent_ms=number,
                device=self.identity.device.device,
                sequence=number,
                previous=bodies.chain_hash(made[-1]) if made else bodies.FIRST,
            )
            made.append(bodies.text_body(slot, text).encode())
        return made


async def until(condition: Callable[[], bool], *, within_s: float = 120) -> None:
    """Under virtual time. Raises trio.TooSlowError."""
    with trio.fail_after(within_s):
        while not condition():  # noqa: ASYNC110 - a condition of several things; nobody tells of all
            await trio.sleep(0.02)
