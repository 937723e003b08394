"""The own keys: the device set, renewed in time or replaced where a newer one is about, and the root (protocol.md 3).

A replacement follows from STALE_SET: some contact holds a set of this identity that this node did not sign, because its
home was put back from an old copy, or a copy of it is in use. One successor of the newest such set satisfies every
contact, and at most one a day is signed, or two copies would drive each other on.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

import trio

from p2pchat.env import Env
from p2pchat.errors import Failed
from p2pchat.keys.devices import RENEWED_AFTER_MS, VerifiedSet, make_successor
from p2pchat.keys.identity import Identity, load_identity
from p2pchat.keys.key_log import KeyChain
from p2pchat.keys.own_log import whole
from p2pchat.keys.recovery import RecoveryKey
from p2pchat.keys.root import RootKey
from p2pchat.keys.rotation import recover, rotate
from p2pchat.store import meta
from p2pchat.store.tx import INTEGER_MAX, Tx
from p2pchat.vault import own
from p2pchat.vault.flows import alarms, replaced
from p2pchat.vault.node import Node
from p2pchat.wire import boundary
from p2pchat.wire.own_files import VaultSecrets

Save = Callable[[VaultSecrets], None]
LOOK_EVERY_S: Final = 6 * 3600.0
SETTLE_S: Final = 30.0  # longer than any handshake may take
GATHER_S: Final = 5.0  # contacts that are linked already all speak within that; the newest set counts
_DAY_MS: Final = 24 * 3600 * 1000
_WAITS: Final = (
    "your keys were replaced less than a day ago, and another computer has signed newer ones since: a copy of this home"
    " is in use elsewhere. Stop it; contacts that know its keys are reached again from tomorrow on"
)
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Renewal:
    """Keeps the own set current; ``secrets`` are those that ``save`` wrote last."""

    node: Node
    secrets: VaultSecrets
    save: Save
    replaced_ms: int = 0  # as in the store, which may be full
    turn: trio.Lock = field(default_factory=trio.Lock)  # who signs
    settling: trio.Event = field(default_factory=trio.Event)  # new keys are shown, and links are to be cut once more

    async def keep(self) -> None:
        """Until another device takes this one's place. The gate shows a new set on every link from then on."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._settle)
            while not self.node.replaced:
                with trio.move_on_after(LOOK_EVERY_S):
                    await self.node.overtaken.wait()
                    await trio.sleep(GATHER_S)
                async with self.turn:
                    newer = await self._replaced() or await renew(self.node.env, self.secrets, self.save)
                    if newer is not None:
                        self._show(newer)
            nursery.cancel_scope.cancel()

    async def rotate(self, new: RootKey, recovery: RecoveryKey | None) -> None:
        """Give the identity another root; contacts learn of it on their next link, which is made at once.

        Raises BadSignature where the recovery key is another identity's, Failed where the log or the disk is full,
        Untrusted while the own log is not known: then nothing has changed.
        """
        async with self.turn:
            env, identity = self.node.env, self.node.identity
            chain = whole(identity.chain)
            now_ms = env.clock.wall_ms()
            day = now_ms // _DAY_MS

            def sign() -> VaultSecrets:
                old = identity.root
                longer = recover(chain, recovery, new, day=day) if recovery else rotate(chain, old, new, day=day)
                devices = make_successor(new, identity.devices, identity.devices.records, now_ms)
                return replace(self.secrets, p=new.p, q=new.q, key_log=longer.raw, device_set=devices)

            newer = await env.work(sign)
            if recovery is None:
                replaced.refuse(self.node)  # it may have been switched off meanwhile
            else:  # its thief may have had it switched off; whoever knows better does so again
                await self.node.store.change(replaced.switch_on)
            self.save(newer)
            self.node.overtaken.newest = None  # it was signed by the root before
            self._show(newer)
            self.node.store.change_nowait(lambda tx: meta.put(tx, meta.BACKUP_VERIFIED, 0))

    async def take_log(self, found: KeyChain) -> None:
        """Keep the own log, whose end is the one that is known here. Links stay: they name that end already."""
        async with self.turn:
            if self.node.identity.chain.raw or found.head != self.node.identity.chain.head:
                return
            newer = replace(self.secrets, key_log=found.raw)
            try:
                self.save(newer)
            except Failed as error:
                _log.warning("the key log is not stored, so the next link asks for it again: %s", error.message)
                return
            self.secrets = newer
            self.node.identity = load_identity(newer)
            self.node.port.send(own.hello(self.node.identity))

    async def _replaced(self) -> VaultSecrets | None:
        node = self.node
        newest = node.overtaken.by(node.identity.devices)
        if newest is None or newest.sequence >= INTEGER_MAX:
            return None
        now_ms = node.now_ms()
        replaced_ms = max(self.replaced_ms, node.store.read(lambda reader: meta.integer(reader, meta.REPLACED)))
        if 0 <= now_ms - replaced_ms < _DAY_MS:
            node.store.change_nowait(
                lambda tx: alarms.tell(tx, node, "replaced today", 0, _WAITS), after=lambda _: node.news.ring()
            )
            return None
        newer = await _signed(node.env, self.secrets, node.identity, newest, self.save)
        if newer is not None:
            self.replaced_ms = now_ms
            node.store.change_nowait(lambda tx: _note(tx, now_ms))
        return newer

    def _show(self, newer: VaultSecrets) -> None:
        self.secrets = newer
        self.node.identity = load_identity(newer)
        self.node.port.send(own.hello(self.node.identity))
        _cut_links(self.node)
        self.settling.set()

    async def _settle(self) -> None:
        while True:
            await self.settling.wait()
            self.settling = trio.Event()
            await trio.sleep(SETTLE_S)
            _cut_links(self.node)  # those whose handshake had begun with the old keys


def _note(tx: Tx, now_ms: int) -> None:
    meta.put(tx, meta.REPLACED, now_ms)


def _cut_links(node: Node) -> None:
    """Both ends must name the same sets in the next epoch's transcript: let every link be made anew."""
    for link in node.links.values():
        node.port.send(boundary.Cut(link=link.up.link, reason=boundary.Reason.LOST))


async def renew(env: Env, secrets: VaultSecrets, save: Save) -> VaultSecrets | None:
    """The secrets with a newer set, saved, or None where the present set will do.

    None also where the disk does not take it: half of the set's life is left to try again.
    """
    identity = load_identity(secrets)
    if identity.devices.not_after_ms - env.clock.wall_ms() > RENEWED_AFTER_MS:
        return None
    return await _signed(env, secrets, identity, identity.devices, save)


async def _signed(
    env: Env, secrets: VaultSecrets, identity: Identity, known: VerifiedSet, save: Save
) -> VaultSecrets | None:
    """The secrets with the successor of ``known``, saved; one RSA signature, in the worker. None: not stored."""
    records, now_ms = identity.devices.records, env.clock.wall_ms()
    newer = replace(secrets, device_set=await env.work(make_successor, identity.root, known, records, now_ms))
    try:
        save(newer)
    except Failed as error:
        _log.warning("the renewed device set is not stored, so the old one stays in use: %s", error.message)
        return None
    return newer
