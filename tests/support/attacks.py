"""Node 1 of a small world, and somebody who attacks it over a link or at its door."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import trio

from p2pchat.errors import ConnectionLost
from p2pchat.link.carriers.raw import RawCarrier
from p2pchat.link.establish import Established, initiate
from p2pchat.wire import boundary
from p2pchat.wire.boundary import Reason, Role
from p2pchat.wire.frames import Frame
from tests.support.gates import Node, peer, running, still_world
from tests.support.identities import NOW_MS
from tests.support.links import credentials, initiator, local
from tests.support.sim_net import Host, SimStream, World

HOME = "10.0.0.2"
WORST_LATENCY_S = 2.0


@dataclass(eq=False)
class Scene:
    """Node 1 under attack from ``host`` by somebody who holds identity 0, one of its contacts."""

    world: World
    node: Node
    host: Host

    async def knock(self) -> SimStream:
        return await self.host.dial(HOME, 4000)

    async def link(self, name: str = "attack") -> "Attack":
        carrier = RawCarrier(await self.knock())
        core = initiator(0, 1, credentials(1), name=name)
        established = await initiate(carrier, local(0), core, trio.Lock(), now_ms=lambda: NOW_MS)
        return Attack(established, await self.node.vault.wait(boundary.Up))


@dataclass(eq=False)
class Attack:
    """An authenticated link whose other end does what it likes."""

    established: Established
    up: boundary.Up

    async def frames(self, *frames: Frame) -> None:
        await self.raw(self.established.sealer.seal(frames, now_s=trio.current_time()))

    async def raw(self, data: bytes) -> None:
        await self.established.carrier.send(data)

    async def until_closed(self) -> bytes:
        """All that still comes, to the end."""
        got = b""
        try:
            while data := await self.established.carrier.receive(65536):
                got += data
        except ConnectionLost:
            return got
        return got


@asynccontextmanager
async def scene(role: Role = Role.CONTACT) -> AsyncIterator[Scene]:
    world = still_world()
    async with running(world, 1, HOME, carriers=("raw",)) as node:
        await node.vault.say(peer(0, role=role))
        yield Scene(world, node, world.host("10.6.6.6"))


async def down(node: Node, *, within_s: float = 5.0) -> Reason:
    return Reason((await node.vault.wait(boundary.Down, within_s=within_s)).reason)


def unsealed(attack: Attack, plaintext: bytes) -> bytes:
    """A record with a good tag around any plaintext."""
    keys = attack.established.sealer._keys
    masked = keys.mask((len(plaintext) + 18).to_bytes(2))
    return masked + keys.aead.encrypt(keys.next_nonce(), plaintext, masked)
