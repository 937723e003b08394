"""The gate as a process: what the launcher starts with ``python -m p2pchat.firewall`` (p2pchat/lifeline.py)."""

import logging
import os
import signal
import socket
from functools import partial

import trio

from p2pchat import config
from p2pchat.build import build_hash
from p2pchat.env_system import system_env
from p2pchat.firewall import gate
from p2pchat.firewall.descriptors import make_room
from p2pchat.home import Home
from p2pchat.keys.vault_file import open_gate
from p2pchat.lifeline import Lifeline, Unlocked
from p2pchat.limits import KEY_FILE_BYTES
from p2pchat.link.carriers.net import TcpNet


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the launcher ends us, in order
    lifeline = Lifeline.inherit()
    with lifeline.reporting():
        home = Home.find(None, os.environ)
        make_room()
        build = build_hash()
        unlocked = lifeline.receive_key()
        trio.run(_run, lifeline, home, unlocked, build)


async def _run(lifeline: Lifeline, home: Home, unlocked: Unlocked, build: bytes) -> None:
    settings = config.load(home.config_file)
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s gate %(levelname)s %(message)s")
    env = system_env(net=TcpNet())
    secrets = open_gate(env.disk.read(home.gate_file, KEY_FILE_BYTES), unlocked.key)
    lifeline.boundary.setblocking(False)
    stream = trio.SocketStream(trio.socket.from_stdlib_socket(lifeline.boundary))
    own = gate.GateSettings(
        build=build,
        listen=unlocked.listen or (settings.listen,),
        advertise=settings.advertise,
        carriers=settings.carriers,
        gate_db=home.gate_db,
        port_file=home.port_file,
        log_file=home.log_file,
        strangers_per_hour=settings.strangers_per_hour,
        calls_per_minute=settings.calls_per_minute,
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_end_with_the_launcher, lifeline, stream)
        main_gate = partial(gate.main, env, stream, lifeline.listener, secrets, own)
        async with trio.open_nursery() as inner:
            listen: tuple[str, ...] = await inner.start(main_gate)
            lifeline.ready({"listen": list(listen)})
        lifeline.expire()
        nursery.cancel_scope.cancel()


async def _end_with_the_launcher(lifeline: Lifeline, boundary: trio.SocketStream) -> None:
    """Nothing arrives on the life pipe after the key but its end; then the gate ends as if the vault had."""
    await trio.lowlevel.wait_readable(lifeline.fileno())
    lifeline.expire()
    boundary.socket.shutdown(socket.SHUT_RD)


if __name__ == "__main__":
    main()
