"""A network under virtual time for whole nodes: streams that are late, stall, break at any byte, go half-open, part.

A host that is frozen (a crash) stops at once: nothing it sends afterwards leaves, and its peers learn of it only by
silence, or by a reset once the machine is up again.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Final

import trio

from p2pchat.env import StreamListener
from p2pchat.errors import Unreachable
from tests.support.sim_pipe import PIPE_BYTES, Fate, Pipe, PipeStream, Trouble, stream_pair

PORT: Final = 4000  # where "any port" leads
NO_ANSWER_S: Final = 5.0
SimStream = PipeStream


@dataclass(eq=False)
class Host:
    """One machine; also the ``env.Net`` of the node that lives on it (one life: a restart makes a new Host)."""

    world: "World"
    name: str
    frozen: bool = False
    listeners: dict[int, "SimListener"] = field(default_factory=dict)
    ends: list[PipeStream] = field(default_factory=list)  # of this host, in the order in which they were made

    async def dial(self, host: str, port: int) -> PipeStream:
        await trio.sleep(self.world.latency_s())
        target = self.world.hosts.get(host)
        if target is None or target.frozen or self.frozen or self.world.parted(self.name, host):
            await trio.sleep(NO_ANSWER_S)
            raise Unreachable(f"{host}:{port} does not answer")
        if port not in target.listeners:
            raise Unreachable(f"{host}:{port} refuses")
        near, far = self.world.connect(self, target)
        target.listeners[port].arrive(far, self.name)
        return near

    async def listen(self, host: str, port: int) -> list[StreamListener]:
        await trio.lowlevel.checkpoint()
        listener = SimListener(self, port or PORT)
        self.listeners[listener.address[1]] = listener
        return [listener]

    async def resolve(self, host: str) -> list[str]:
        await trio.lowlevel.checkpoint()
        return [host]

    async def local_addresses(self) -> list[str]:
        await trio.lowlevel.checkpoint()
        return [self.name]

    def freeze(self) -> None:
        """The machine stops between two instructions."""
        self.frozen = True
        self.listeners.clear()
        for end in self.ends:
            end.freeze()

    def bury(self) -> None:
        """The machine, or only the process, is gone and the system knows nothing of its connections: resets."""
        for end in self.ends:
            end.out.reset(lossy=True)


class SimListener:
    def __init__(self, host: Host, port: int) -> None:
        self.host = host
        self.address = (host.name, port)
        self._send, self._receive = trio.open_memory_channel[tuple[PipeStream, str]](128)

    def arrive(self, stream: PipeStream, source: str) -> None:
        try:
            self._send.send_nowait((stream, source))
        except (trio.WouldBlock, trio.BrokenResourceError, trio.ClosedResourceError):
            stream.close()

    async def accept(self) -> tuple[PipeStream, str]:
        return await self._receive.receive()

    async def aclose(self) -> None:
        self.host.listeners.pop(self.address[1], None)
        self._receive.close()
        await trio.lowlevel.checkpoint()


@dataclass(eq=False)
class World:
    """All hosts, the faults between them, and the trace. One seeded generator draws everything."""

    random: Random
    faults: bool = True
    hosts: dict[str, Host] = field(default_factory=dict)
    walls: set[frozenset[str]] = field(default_factory=set)
    trace: list[tuple[float, str, str, str]] = field(default_factory=list)  # virtual seconds, who, what, detail
    calm: bool = False  # liveness mode: no new faults from now on

    def host(self, name: str) -> Host:
        """A new life of a machine."""
        old = self.hosts.get(name)
        if old is not None:
            old.bury()
        self.hosts[name] = Host(self, name)
        return self.hosts[name]

    def note(self, what: str, who: str, detail: str = "") -> None:
        self.trace.append((round(trio.current_time(), 6), who, what, detail))

    def latency_s(self) -> float:
        return self.random.uniform(0.001, 0.02 if self.calm else 0.15)

    def parted(self, one: str, other: str) -> bool:
        return frozenset((one, other)) in self.walls

    def connect(self, one: Host, other: Host) -> tuple[PipeStream, PipeStream]:
        self.note("connect", one.name, other.name)
        near, far = stream_pair(self._pipe(one, other), self._pipe(other, one))
        one.ends.append(near)
        other.ends.append(far)
        return near, far

    def _pipe(self, source: Host, target: Host) -> Pipe:
        pipe = Pipe(
            capacity=PIPE_BYTES,
            latency_s=self.latency_s,
            parted=lambda: self.parted(source.name, target.name),
            sent=lambda size: self.note("sends", source.name, f"{target.name} {size}"),
        )
        if self.faults and not self.calm:
            pipe.fate = self._fate()
        return pipe

    def _fate(self) -> Fate | None:
        """One direction in three suffers something, the sooner the likelier: the handshake has its share."""
        draw, at_byte = self.random.random(), int(self.random.expovariate(1 / 8_000)) + 1
        if draw < 0.12:
            return Fate(Trouble.CUT, at_byte)
        if draw < 0.20:
            return Fate(Trouble.LOSSY_CUT, at_byte)
        if draw < 0.28:
            return Fate(Trouble.STALL, at_byte, self.random.uniform(0.5, 60))
        if draw < 0.33:
            return Fate(Trouble.SILENCE, at_byte)
        return None

    def part(self, one: str, other: str) -> None:
        """Nothing arrives between two hosts; connections outlive it if it does not last."""
        self.walls.add(frozenset((one, other)))
        self.note("part", one, other)

    def heal(self, one: str, other: str) -> None:
        self.walls.discard(frozenset((one, other)))
        self.note("heal", one, other)
        self._ring(one, other)

    def cut(self, one: str, other: str) -> None:
        """Every connection between two hosts is reset."""
        self.note("cut", one, other)
        theirs = {id(end.into) for end in self.hosts[other].ends}
        for end in self.hosts[one].ends:
            if id(end.out) in theirs:
                end.out.reset(lossy=self.random.random() < 0.5)

    def settle(self) -> None:
        """Liveness mode: faults end, everything must arrive from now on."""
        self.calm = True
        self.walls.clear()
        self.note("calm", "world")
        for host in self.hosts.values():
            for end in host.ends:
                end.out.calm()

    def _ring(self, *names: str) -> None:
        for name in names:
            for end in self.hosts[name].ends if name in self.hosts else ():
                end.into.ring()
