"""The gate process, wired: every network socket, the link key, the address book. It never sees a text."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import trio
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from p2pchat.env import Env, StreamListener
from p2pchat.firewall import own_addresses
from p2pchat.firewall.book_file import BookFile
from p2pchat.firewall.dialer import Dialer
from p2pchat.firewall.inbox import Inbox, local_identity
from p2pchat.firewall.links import Links
from p2pchat.firewall.listener import Door
from p2pchat.firewall.methods import Methods
from p2pchat.firewall.peers import Peers
from p2pchat.firewall.permit import own_ranges
from p2pchat.firewall.policy import Policy
from p2pchat.firewall.port import Port
from p2pchat.firewall.status import Status
from p2pchat.firewall.strangers import Strangers
from p2pchat.firewall.watch import Surroundings
from p2pchat.keys.kdf import hkdf
from p2pchat.keys.succession import current
from p2pchat.link.carriers.decoy import draw
from p2pchat.link.credentials import Local
from p2pchat.rpc import server
from p2pchat.rpc.conversation import Handler
from p2pchat.wire import boundary
from p2pchat.wire.own_files import GateSecrets

DECOY_LABEL: Final = b"p2pchat/1/decoy"
WALL: Final = "none"  # the operating system holds vault and gate apart in no way yet


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """What the gate is told at its start."""

    build: bytes  # 32, build.build_hash()
    listen: tuple[str, ...]  # HOST:PORT, port 0 for the kept one
    advertise: tuple[str, ...]  # what a card says instead of the bound addresses
    carriers: tuple[str, ...]  # that it serves and dials, the preferred one first
    gate_db: Path
    port_file: Path
    log_file: Path
    strangers_per_hour: int
    calls_per_minute: int


async def main(
    env: Env,
    stream: trio.abc.Stream,
    rpc_listener: socket.socket | None,
    secrets: GateSecrets,
    settings: GateSettings,
    *,
    task_status: trio.TaskStatus[tuple[str, ...]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run until the vault's end of ``stream`` (the boundary) closes; ``started`` tells HOST:PORT as bound.

    ``rpc_listener`` is gate.sock, bound and listening; a simulated node has none. Raises Failed where an address is in
    use, Corrupt where vault and gate hold different identities.
    """
    assert env.net is not None
    listeners = await own_addresses.listen(env.net, settings.listen, env.disk, settings.port_file)
    try:
        book = await BookFile.open(env, settings.gate_db, secrets.book_key)
        try:
            task_status.started(own_addresses.bound(listeners))
            port = Port(stream)
            hello = await port.hello(settings.build)
            if hello is not None:
                secrets = current(secrets, hello.user)
                local = local_identity(hello, secrets)
                await _serve(env, port, rpc_listener, secrets, settings, listeners, local, book)
        finally:
            book.close()
    finally:
        with trio.CancelScope(shield=True):
            for listener in listeners:
                await listener.aclose()


async def _serve(
    env: Env,
    port: Port,
    rpc_listener: socket.socket | None,
    secrets: GateSecrets,
    settings: GateSettings,
    listeners: list[StreamListener],
    local: Local,
    book: BookFile,
) -> None:
    assert env.net is not None
    surroundings = Surroundings(env, listeners, settings.advertise)
    await surroundings.look()
    near = own_ranges([listener.address[0] for listener in listeners])
    peers = Peers()
    policy = Policy(local.user, peers, book.book, near=near, carriers=settings.carriers)
    async with trio.open_nursery() as nursery:
        strangers = Strangers(settings.strangers_per_hour)
        links = Links(nursery, port, local.user, peers, env.random, strangers)
        dialer = Dialer(env, nursery, port, local, peers, policy, book.book, links)
        links.on_up, links.on_gone = dialer.linked, dialer.ended
        door = Door(env, local, policy, links, book, draw(hkdf(secrets.book_key, DECOY_LABEL)))
        nursery.start_soon(port.write)
        port.send(_welcome(secrets, settings, listeners, surroundings.reachable))
        for listener in listeners:
            nursery.start_soon(door.serve, listener)
        nursery.start_soon(book.run)
        nursery.start_soon(surroundings.watch, port, links, dialer)
        if rpc_listener is not None:
            status = Status(env, listeners, links, dialer, door, surroundings)
            nursery.start_soon(status.delay.watch)
            methods = Methods(env.net, peers, policy, book, dialer).table() | status.table()
            nursery.start_soon(_serve_rpc, rpc_listener, methods, settings)
        await Inbox(secrets, port, peers, book.book, links, dialer, door).read()
        await book.try_to_save()
        await links.shut_down()
        nursery.cancel_scope.cancel()


async def _serve_rpc(listener: socket.socket, methods: Mapping[str, Handler], settings: GateSettings) -> None:
    log_file, per_minute = str(settings.log_file), settings.calls_per_minute
    await server.serve(listener, methods, log_file=log_file, calls_per_minute=per_minute)


def _welcome(
    secrets: GateSecrets,
    settings: GateSettings,
    listeners: list[StreamListener],
    reachable: tuple[str, ...],
) -> boundary.Welcome:
    public = X25519PrivateKey.from_private_bytes(secrets.link_x25519).public_key().public_bytes_raw()
    return boundary.Welcome(
        build=settings.build,
        share=secrets.store_share,
        link_x25519=public,
        listen=own_addresses.bound(listeners),
        reachable=reachable,
        carriers=settings.carriers,
        wall=WALL,
    )
