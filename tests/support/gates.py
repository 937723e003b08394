"""Whole gates under virtual time, each with a vault that only speaks the boundary."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import trio

from p2pchat.firewall import gate
from p2pchat.firewall.gate import GateSettings
from p2pchat.ids import UserId
from p2pchat.keys.signed import sign
from p2pchat.wire import boundary
from p2pchat.wire.boundary import Role
from p2pchat.wire.shape import Struct
from p2pchat.wire.structs import Address, AddressRecord
from tests.support.identities import NOW_MS, stored_identity, stored_secrets
from tests.support.sim_env import SimClock, sim_env
from tests.support.sim_net import Host, World
from tests.support.simdisk import SimDisk

BUILD = b"b" * 32
T = TypeVar("T", bound=Struct)


def still_world() -> World:
    """A network without faults."""
    return World(Random(1), faults=False)


def address_record(index: int, *addresses: tuple[str, int], sequence: int = NOW_MS, carrier: str = "ws") -> bytes:
    identity = stored_identity(index)
    record = AddressRecord(
        user=identity.user,
        device=identity.device.device,
        sequence=sequence,
        not_after_ms=NOW_MS + 10**9,
        addresses=tuple(Address(host=host, port=port, carrier=carrier) for host, port in addresses),
    )
    return sign(record, identity.device)


def peer(
    index: int,
    *addresses: tuple[str, int],
    role: Role = Role.CONTACT,
    lan: bool = False,
    pinned: bool = True,
    carrier: str = "ws",
) -> boundary.Peer:
    """The vault's word on a stored identity."""
    vault, _ = stored_secrets(index)
    return boundary.Peer(
        user=user(index),
        role=role,
        key_log=vault.key_log if pinned else b"",
        device_set=vault.device_set if pinned else b"",
        records=(address_record(index, *addresses, carrier=carrier),) if addresses else (),
        lan=lan,
    )


def want(index: int, until_ms: int = boundary.FOREVER_MS) -> boundary.Want:
    return boundary.Want(user=user(index), until_ms=until_ms)


def user(index: int) -> UserId:
    return stored_identity(index).user


@dataclass(eq=False)
class FakeVault:
    """Keeps what the gate says in ``heard``; takes every frame at once unless ``lazy``."""

    index: int
    stream: trio.abc.Stream
    lazy: bool = False
    heard: list[Struct] = field(default_factory=list)
    _news: trio.Event = field(default_factory=trio.Event)
    _seqs: dict[int, int] = field(default_factory=dict)

    async def run(self) -> None:
        reader = boundary.BoundaryReader()
        while data := await self._receive():
            for message in reader.feed(data):
                self.heard.append(message)
                if isinstance(message, boundary.Arrived) and not self.lazy:
                    await self.say(boundary.Took(link=message.link, seq=message.seq))
            self._news.set()
            self._news = trio.Event()

    async def _receive(self) -> bytes:
        try:
            return bytes(await self.stream.receive_some(65536))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return b""

    async def say(self, *messages: Struct) -> None:
        await self.stream.send_all(b"".join(boundary.encode(message) for message in messages))

    async def hello(self) -> None:
        vault, _ = stored_secrets(self.index)
        await self.say(
            boundary.VaultHello(
                build=BUILD,
                user=user(self.index),
                device=vault.device,
                key_log=vault.key_log,
                device_set=vault.device_set,
            )
        )

    def all(self, kind: type[T]) -> list[T]:
        return [message for message in self.heard if isinstance(message, kind)]

    async def wait(self, kind: type[T], such_that: Callable[[T], bool] = lambda _: True, *, within_s: float = 60) -> T:
        """The first message of that kind that fits, heard already or not."""
        with trio.fail_after(within_s):
            while True:
                for message in self.all(kind):
                    if such_that(message):
                        return message
                await self._news.wait()

    async def send(self, link: int, kind: int, body: bytes) -> int:
        """SEND on a link; its sequence number."""
        self._seqs[link] = self._seqs.get(link, 0) + 1
        await self.say(boundary.Send(link=link, seq=self._seqs[link], kind=kind, body=body))
        return self._seqs[link]


@dataclass(eq=False)
class Node:
    """A gate on ``host`` and its vault."""

    vault: FakeVault
    host: Host
    clock: SimClock
    scope: trio.CancelScope
    listen: tuple[str, ...]


class GateHost(Host):
    """A host with a resolver of its own."""

    names: dict[str, list[str]] = {}  # noqa: RUF012 - set on the instance by a test

    async def resolve(self, host: str) -> list[str]:
        await trio.lowlevel.checkpoint()
        return self.names.get(host, [])


@asynccontextmanager
async def running(
    world: World,
    index: int,
    host: str,
    *,
    disk: SimDisk | None = None,
    rpc: Any = None,
    lazy: bool = False,
    **settings: Any,
) -> AsyncIterator[Node]:
    """A gate with stored identity ``index`` that listens on ``host`` port 4000."""
    near, far = trio.testing.memory_stream_pair()
    net = GateHost(world, host)
    world.hosts[host] = net
    clock = SimClock()
    env = sim_env(f"{index} on {host}", clock=clock, disk=disk or SimDisk(), net=net)
    own = GateSettings(
        build=BUILD,
        listen=(f"{host}:4000",),
        advertise=(),
        carriers=("ws",),
        gate_db=Path(f"/{host}/gate.db"),
        port_file=Path(f"/{host}/port"),
        log_file=Path("log"),
        strangers_per_hour=60,
        calls_per_minute=0,
    )
    own = GateSettings(**{name: settings.get(name, getattr(own, name)) for name in GateSettings.__slots__})
    vault = FakeVault(index, near, lazy=lazy)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(vault.run)
        _, secrets = stored_secrets(index)

        async def run(task_status: Any) -> None:
            await gate.main(env, far, rpc, secrets, own, task_status=task_status)

        listen = await nursery.start(run)
        await vault.hello()
        await vault.wait(boundary.Welcome)
        yield Node(vault, net, clock, nursery.cancel_scope, listen)
        await near.aclose()
        nursery.cancel_scope.deadline = trio.current_time() + 5
