"""The vault's wiring: what is opened, in which order, and which tasks run side by side. No rules live here."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import trio

from p2pchat.env import Env
from p2pchat.home import Home
from p2pchat.keys.identity import Identity, load_identity
from p2pchat.keys.kdf import hkdf
from p2pchat.keys.vault_file import store_key
from p2pchat.rpc.conversation import Handler
from p2pchat.store import meta, profile
from p2pchat.store.cell import Cell
from p2pchat.store.profile import Profile
from p2pchat.store.tx import Tx
from p2pchat.store.writer import Store
from p2pchat.token_bucket import allowance
from p2pchat.vault import methods, own, renewal, spare_time, upkeep
from p2pchat.vault.flows import links, succession, wishes
from p2pchat.vault.node import Node, Settings
from p2pchat.vault.port import Port
from p2pchat.wire import boundary
from p2pchat.wire.own_files import VaultSecrets

Serve = Callable[[Mapping[str, Handler]], Awaitable[None]]
FLUSH_S: Final = 1.5  # for the last commit; the launcher gives the whole vault 2 s


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What the process around the vault does for it."""

    serve: Serve  # answers the control socket with the given methods, until cancelled
    ready: Callable[[], None]
    stop: Callable[[], None]  # asks for the end of the whole daemon
    settings: Settings
    save: Callable[[VaultSecrets], None]  # rewrites the vault's key file, atomically
    launcher_pid: int


async def main(env: Env, stream: trio.abc.Stream, secrets: VaultSecrets, home: Home, hooks: Hooks) -> None:
    """Serve one identity until the gate ends or the task is cancelled. Then everything queued is committed."""
    secrets = await renewal.renew(env, secrets, hooks.save) or secrets
    identity = load_identity(secrets)
    port = Port(stream)
    welcome = await port.welcome(own.hello(identity))
    if welcome is None:
        return
    key = store_key(secrets.store_key, welcome.share)
    store = await Store.open(env, home.store_db, key, on_error=upkeep.unheard)
    node = _node(env, secrets, identity, store, port, welcome, hooks, home)
    async with trio.open_nursery() as nursery:
        await nursery.start(store.run)
        await store.change(lambda tx: _first_profile(tx, secrets))
        await succession.settle(node, secrets.succession)
        nursery.start_soon(port.write)
        nursery.start_soon(upkeep.run, node)
        nursery.start_soon(node.delay.watch)
        nursery.start_soon(spare_time.keep, store)
        keeper = renewal.Renewal(node, secrets, hooks.save)
        node.rotate, node.take_log = keeper.rotate, keeper.take_log
        nursery.start_soon(keeper.keep)
        wishes.tell_all(node)
        nursery.start_soon(hooks.serve, methods.table(node))
        hooks.ready()
        await links.listen(node)  # until the gate has gone
        with trio.move_on_after(FLUSH_S, shield=True):  # the writer itself may be cancelled, or have failed
            await store.flush()
        nursery.cancel_scope.cancel()
    store.close()


def _node(
    env: Env,
    secrets: VaultSecrets,
    identity: Identity,
    store: Store,
    port: Port,
    welcome: boundary.Welcome,
    hooks: Hooks,
    home: Home,
) -> Node:
    config = hooks.settings.current()
    now_ms, sequence = env.clock.wall_ms(), own.Sequence(store)
    return Node(
        env=env,
        identity=identity,
        store=store,
        replaced=store.read(lambda reader: meta.integer(reader, meta.SWITCHED_OFF)) > 0,
        clock=Cell(store.read(lambda reader: meta.integer(reader, meta.CLOCK))),
        requests=allowance(config.requests_per_hour, every_s=3600, now_s=trio.current_time()),
        port=port,
        config=config,
        settings=hooks.settings,
        unlock_file=home.unlock_file,
        listen=welcome.listen,
        reachable=welcome.reachable,
        carriers=welcome.carriers,
        addresses=own.address_record(identity, welcome.reachable, welcome.carriers, sequence.next(now_ms), now_ms),
        sequence=sequence,
        local_secret=hkdf(identity.root.secret, b"p2pchat/1/rejected-leg"),
        wall=welcome.wall,
        announcement=secrets.succession,
        started_ms=now_ms,
        launcher_pid=hooks.launcher_pid,
        stop=hooks.stop,
    )


def _first_profile(tx: Tx, secrets: VaultSecrets) -> None:
    """The nickname and avatar of ``init`` become the profile once; later changes are the store's."""
    if not profile.get(tx).updated_ms:
        profile.put(tx, Profile(secrets.nickname, secrets.avatar, secrets.created_ms))
