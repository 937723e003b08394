"""Lives of one whole vault on a recorded disk, and what it told the world when: the ground for judging power cuts."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import trio

from p2pchat.store.disk import SystemDisk
from p2pchat.vault.port import Port
from p2pchat.wire import boundary
from p2pchat.wire.shape import Struct
from tests.support.power.faults import Faults
from tests.support.power.friend import Friend, Memory
from tests.support.power.plain import PlainFiles
from tests.support.power.trace import Trace
from tests.support.power.vfs import RecordingVfs
from tests.support.sim_env import SimClock
from tests.support.vaults import Vault, running


@dataclass(frozen=True, slots=True)
class Told:
    """Something that the vault let go; nothing can take it back."""

    moment: int  # operations of the disk that had been asked for by then
    life: int
    failed: int  # so many calls of the disk had failed in this life
    what: str  # answer | took | sent
    value: Any  # (method, params, answer), (life, link, seq), the SEND


@dataclass(eq=False)
class Recorder:
    """``folder`` holds the home; it is read as it is now. Another ``name`` draws other random numbers."""

    folder: Path
    name: str = "first"
    faults: Faults = field(default_factory=Faults)
    told: list[Told] = field(default_factory=list)
    memories: list[tuple[int, Memory]] = field(default_factory=list)
    friends: list[Friend] = field(default_factory=list)  # one a life
    refused: int = 0  # answers that were DISK_FULL

    def __post_init__(self) -> None:
        self.trace = Trace(self.folder)
        self.trace.begin()
        self.plain = PlainFiles(self.trace)
        self._failed_before = 0
        self._left: dict[tuple[int, int, int], int] = {}  # (life, link, seq) of a SEND -> moment

    @asynccontextmanager
    async def life(self, memory: Memory, *, clock: SimClock | None = None) -> AsyncIterator[tuple[Vault, Friend]]:
        """One start to its end; what ends the vault is raised here."""
        life = len(self.friends)
        vfs = RecordingVfs(self.trace, self.faults)
        disk, seed = SystemDisk(vfs.name), f"{self.name} {life}"
        self.memories.append((len(self.trace), memory))
        with self.plain.installed(), self._listening(life), _killed(vfs):
            async with (
                running(disk=disk, folder=self.folder, seed=seed, clock=clock) as vault,
                trio.open_nursery() as nursery,
            ):
                friend = Friend(vault, memory=memory, memories=self.memories, now=lambda: len(self.trace))
                friend.moment_of = lambda sent: self._left[life, sent.link, sent.seq]
                self.friends.append(friend)
                nursery.start_soon(friend.serve)
                yield vault, friend
                nursery.cancel_scope.cancel()

    @property
    def memory(self) -> Memory:
        """What the friend knows now."""
        return self.memories[-1][1]

    async def ask(self, vault: Vault, method: str, **params: object) -> dict[str, Any]:
        """As ``Vault.call``; that there was an answer is on the record."""
        answer = await vault.call(method, **params)
        self._tell("answer", (method, params, answer))
        return answer

    def knew(self, moment: int) -> Memory:
        """The most that the friend may have known where nothing had left the vault but what had left by ``moment``."""
        return next(memory for left, memory in reversed(self.memories) if left <= moment)

    def number_of(self, taken: tuple[int, int, int]) -> int:
        """The highest number of the friend's messages that a TOOK, as (life, link, seq), speaks of."""
        life, link, seq = taken
        sent = self.friends[life].numbers
        return max((number for (on, at), number in sent.items() if on == link and at <= seq), default=0)

    @contextmanager
    def _listening(self, life: int) -> Iterator[None]:
        """What is in the port's queue is as good as gone, so it counts from there."""
        send, self._failed_before = Port.send, self.faults.failed

        def recorded(port: Port, message: Struct) -> None:
            if isinstance(message, boundary.Send):
                self._left[life, message.link, message.seq] = len(self.trace)
                self._tell("sent", message)
            elif isinstance(message, boundary.Took):
                self._tell("took", (life, message.link, message.seq))
            send(port, message)

        with patch.object(Port, "send", recorded):
            yield

    def _tell(self, what: str, value: Any) -> None:
        failed = self.faults.failed - self._failed_before
        self.told.append(Told(len(self.trace), len(self.friends), failed, what, value))


@contextmanager
def _killed(vfs: RecordingVfs) -> Iterator[None]:
    """A process that ends by an error does not tidy its database up."""
    try:
        yield
    except BaseException:
        vfs.dead = True
        raise
