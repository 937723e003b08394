"""The vault as a process: what the launcher starts with ``python -m p2pchat.vault`` (p2pchat/lifeline.py)."""

import logging
import os
import signal
import socket
import sys
from collections.abc import Mapping
from functools import partial
from typing import Final

import trio

from p2pchat import config, hardening
from p2pchat.build import build_hash
from p2pchat.env import Env
from p2pchat.env_system import system_env
from p2pchat.errors import Failed
from p2pchat.home import Home
from p2pchat.keys.key_file import NONCE_BYTES
from p2pchat.keys.vault_file import open_vault, seal_vault
from p2pchat.lifeline import Lifeline, Unlocked
from p2pchat.limits import KEY_FILE_BYTES
from p2pchat.rpc import server
from p2pchat.rpc.conversation import Handler
from p2pchat.vault import app
from p2pchat.wire.own_files import VaultSecrets

# The store's thread lets the interpreter go at every statement. By default it would wait 5 ms to get it back from a
# busy event loop, ten times a message (the convoy effect). 1000 messages at once: 1,900 -> 2,500 a second.
SWITCH_S: Final = 0.0002
_log = logging.getLogger(__name__)


def main() -> None:
    hardening.refuse_dumps()
    sys.setswitchinterval(SWITCH_S)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the launcher ends us, in order
    lifeline = Lifeline.inherit()
    with lifeline.reporting():
        home = Home.find(None, os.environ)
        build_hash()  # read while the user's password is being stretched
        unlocked = lifeline.receive_key()
        trio.run(_run, lifeline, home, unlocked)


async def _run(lifeline: Lifeline, home: Home, unlocked: Unlocked) -> None:
    home.check_store()
    settings = _File(home)
    logging.basicConfig(
        level=settings.current().log_level.upper(), format="%(asctime)s vault %(levelname)s %(message)s"
    )
    env = system_env()
    secrets = open_vault(env.disk.read(home.vault_file, KEY_FILE_BYTES), unlocked.key)
    lifeline.boundary.setblocking(False)
    stream = trio.SocketStream(trio.socket.from_stdlib_socket(lifeline.boundary))
    hooks = app.Hooks(
        serve=partial(_serve, lifeline.listener, str(home.log_file), settings.current().calls_per_minute),
        ready=partial(_ready, lifeline, env, home),
        stop=lifeline.request_stop,
        settings=settings,
        save=partial(_save, env, home, unlocked.key),
        launcher_pid=os.getppid(),
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_end_with_the_launcher, lifeline, stream)
        await app.main(env, stream, secrets, home, hooks)
        lifeline.expire()
        nursery.cancel_scope.cancel()


def _ready(lifeline: Lifeline, env: Env, home: Home) -> None:
    if not home.store_mark.exists():
        try:
            env.disk.replace(home.store_mark, b"This home has a store: p2pchat misses store.db where it is gone.\n")
        except Failed as error:  # a full disk, say: the next start does it
            _log.warning("cannot note that there is a store: %s", error.message)
    lifeline.ready({})


def _save(env: Env, home: Home, key: bytes, secrets: VaultSecrets) -> None:
    env.disk.replace(home.vault_file, seal_vault(secrets, key, env.random.bytes(NONCE_BYTES)))


async def _serve(listener: socket.socket, log_file: str, per_minute: int, handlers: Mapping[str, Handler]) -> None:
    await server.serve(listener, handlers, log_file=log_file, calls_per_minute=per_minute)


async def _end_with_the_launcher(lifeline: Lifeline, boundary: trio.SocketStream) -> None:
    """Nothing arrives on the life pipe after the key but its end; then the vault ends as if the gate had."""
    await trio.lowlevel.wait_readable(lifeline.fileno())
    lifeline.expire()
    boundary.socket.shutdown(socket.SHUT_RD)


class _File:
    """``Settings`` in the home's configuration file."""

    def __init__(self, home: Home) -> None:
        self._path = home.config_file

    def current(self) -> config.Config:
        return config.load(self._path)

    def change(self, name: str, text: str) -> config.Value:
        return config.change(self._path, name, text)


if __name__ == "__main__":
    main()
