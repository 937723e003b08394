"""A network under virtual time for whole nodes: byte streams that are late, stall, break at any byte, or go half-open.

Pipes are our own and bounded: trio's memory streams hide back-pressure bugs. A host that is frozen (a crash) stops at
once: nothing it sends afterwards leaves, and its peers learn of it only by silence or a later reset.
"""

from collections import deque
from dataclasses import dataclass, field
from random import Random

import trio

from p2pchat.errors import Unreachable

PIPE_BYTES = 64 * 1024
FAR_FUTURE = float("inf")


@dataclass(eq=False)
class Pipe:
    """One direction of a stream. Bytes arrive in order, each piece not before its time."""

    world: "World"
    src: "Host"
    dst: "Host"
    pieces: deque[tuple[float, bytes]] = field(default_factory=deque)
    held: int = 0
    passed: int = 0
    breaks_at: int | None = None  # after so many bytes the whole connection is reset
    silent_at: int | None = None  # half-open after so many bytes: the sender succeeds, nothing more arrives
    ended: bool = False  # the sender closed in order
    broken: bool = False
    stalled_until: float = 0.0
    changed: trio.Event = field(default_factory=trio.Event)
    twin: "Pipe | None" = None

    def ring(self) -> None:
        self.changed.set()
        self.changed = trio.Event()

    def break_both(self) -> None:
        for pipe in (self, self.twin):
            if pipe is not None and not pipe.broken:
                pipe.broken = True
                pipe.ring()

    @property
    def silent(self) -> bool:
        return self.silent_at is not None and self.passed >= self.silent_at

    async def send(self, data: bytes) -> None:
        while data:
            if self.src.frozen:
                await trio.sleep_forever()
            if self.broken:
                raise trio.BrokenResourceError("the connection was reset")
            if self.ended:
                raise trio.ClosedResourceError("closed")
            room = PIPE_BYTES - self.held
            if room <= 0:
                await self.changed.wait()
                continue
            piece, data = data[:room], data[room:]
            if self.breaks_at is not None and self.passed + len(piece) >= self.breaks_at:
                piece = piece[: self.breaks_at - self.passed]
                self._put(piece)
                self.world.note("reset", self.src.name, self.dst.name)
                self.break_both()
                raise trio.BrokenResourceError("the connection was reset")
            self._put(piece)

    def _put(self, piece: bytes) -> None:
        self.passed += len(piece)
        if not piece or self.silent:
            return
        due = trio.current_time() + self.world.latency()
        if self.pieces:
            due = max(due, self.pieces[-1][0])
        self.pieces.append((due, piece))
        self.held += len(piece)
        self.ring()

    async def receive(self, most: int) -> bytes:
        while True:
            now = trio.current_time()
            ready = self.pieces and self.pieces[0][0] <= now and self.stalled_until <= now
            if ready and not self.world.parted(self.src, self.dst):
                due, piece = self.pieces.popleft()
                taken, rest = piece[:most], piece[most:]
                if rest:
                    self.pieces.appendleft((due, rest))
                self.held -= len(taken)
                self.ring()
                return taken
            if self.broken and not self.dst.frozen:
                raise trio.BrokenResourceError("the connection was reset")
            if self.ended and not self.pieces:
                return b""
            await self._until_something(now)

    async def _until_something(self, now: float) -> None:
        wait = FAR_FUTURE
        if self.pieces:
            wait = max(self.pieces[0][0], self.stalled_until) - now
        if self.world.parted(self.src, self.dst):
            wait = min(wait, 0.25) if self.pieces else 0.25
        with trio.move_on_after(max(wait, 0.0005)):
            await self.changed.wait()


class SimStream(trio.abc.HalfCloseableStream):
    def __init__(self, out: Pipe, into: Pipe) -> None:
        self.out, self.into = out, into

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await trio.lowlevel.checkpoint()
        await self.out.send(bytes(data))

    async def wait_send_all_might_not_block(self) -> None:
        while self.out.held >= PIPE_BYTES:
            await self.out.changed.wait()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        await trio.lowlevel.checkpoint()
        return await self.into.receive(max_bytes or 65536)

    async def send_eof(self) -> None:
        await trio.lowlevel.checkpoint()
        self.out.ended = True
        self.out.ring()

    async def aclose(self) -> None:
        if not self.out.src.frozen:
            self.out.ended = True
            self.out.ring()
            self.into.broken = True
            self.into.ring()
        await trio.lowlevel.checkpoint()


@dataclass(eq=False)
class Host:
    """One machine; also the ``env.Net`` of the node that lives on it (one life: a restart makes a new Host)."""

    world: "World"
    name: str
    frozen: bool = False
    listeners: dict[int, "SimListener"] = field(default_factory=dict)
    pipes: list[Pipe] = field(default_factory=list)

    async def dial(self, host: str, port: int) -> SimStream:
        await trio.sleep(self.world.latency())
        target = self.world.hosts.get(host)
        if target is None or target.frozen or self.frozen or self.world.parted(self, target):
            await trio.sleep(5)
            raise Unreachable(f"{host}:{port} does not answer")
        if port not in target.listeners:
            raise Unreachable(f"{host}:{port} refuses")
        near, far = self.world.connect(self, target)
        target.listeners[port].arrive(far, self.name)
        return near

    async def listen(self, host: str, port: int) -> list["SimListener"]:
        await trio.lowlevel.checkpoint()
        listener = SimListener(self, port or 4000)
        self.listeners[listener.address[1]] = listener
        return [listener]

    def local_addresses(self) -> list[str]:
        return [self.name]

    def freeze(self) -> None:
        """The machine stops between two instructions."""
        self.frozen = True
        self.listeners.clear()

    def bury(self) -> None:
        """The machine is up again under a new Host: old connections are reset as soon as a peer speaks on them."""
        for pipe in self.pipes:
            pipe.break_both()


class SimListener:
    def __init__(self, host: Host, port: int) -> None:
        self.host = host
        self.address = (host.name, port)
        self._send, self._receive = trio.open_memory_channel[tuple[SimStream, str]](128)

    def arrive(self, stream: SimStream, source: str) -> None:
        try:
            self._send.send_nowait((stream, source))
        except (trio.WouldBlock, trio.BrokenResourceError, trio.ClosedResourceError):
            stream.out.break_both()

    async def accept(self) -> tuple[trio.abc.HalfCloseableStream, str]:
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
    trace: list[tuple[float, str, str, str]] = field(default_factory=list)
    calm: bool = False  # liveness mode: no new faults from now on

    def host(self, name: str) -> Host:
        old = self.hosts.get(name)
        if old is not None:
            old.bury()
        self.hosts[name] = Host(self, name)
        return self.hosts[name]

    def note(self, what: str, who: str, detail: str = "") -> None:
        self.trace.append((round(trio.current_time(), 6), who, what, detail))

    def latency(self) -> float:
        return self.random.uniform(0.001, 0.15 if not self.calm else 0.02)

    def parted(self, one: Host, other: Host) -> bool:
        return frozenset((one.name, other.name)) in self.walls

    def connect(self, one: Host, other: Host) -> tuple[SimStream, SimStream]:
        there, back = Pipe(self, one, other), Pipe(self, other, one)
        there.twin, back.twin = back, there
        for pipe in (there, back):
            pipe.src.pipes.append(pipe)
            pipe.dst.pipes.append(pipe)
            if self.faults and not self.calm:
                self._curse(pipe)
        return SimStream(there, back), SimStream(back, there)

    def _curse(self, pipe: Pipe) -> None:
        draw = self.random.random()
        if draw < 0.25:
            pipe.breaks_at = int(self.random.expovariate(1 / 20_000)) + 1
        elif draw < 0.30:
            pipe.stalled_until = trio.current_time() + self.random.uniform(1, 90)
        elif draw < 0.35:
            pipe.silent_at = int(self.random.expovariate(1 / 20_000))

    def part(self, one: str, other: str) -> None:
        self.walls.add(frozenset((one, other)))
        self.note("part", one, other)

    def heal(self, one: str, other: str) -> None:
        self.walls.discard(frozenset((one, other)))
        self.note("heal", one, other)

    def settle(self) -> None:
        """Liveness mode: faults end, everything must arrive from now on."""
        self.calm = True
        self.walls.clear()
        for host in self.hosts.values():
            for pipe in host.pipes:
                pipe.breaks_at = None
                pipe.stalled_until = 0
                if pipe.silent:
                    pipe.break_both()
                pipe.ring()
