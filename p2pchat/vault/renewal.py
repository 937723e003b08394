"""The own device set lives 90 days; its successor is signed when half of that has passed (PROTOCOL 1)."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import trio

from p2pchat.env import Env
from p2pchat.errors import Failed
from p2pchat.keys.devices import DEVICE_SET_MS, make_device_set
from p2pchat.keys.identity import Identity, load_identity
from p2pchat.vault import own
from p2pchat.vault.node import Node
from p2pchat.wire import boundary
from p2pchat.wire.structs import VaultSecrets

Save = Callable[[VaultSecrets], None]
LOOK_EVERY_S: Final = 6 * 3600.0
SETTLE_S: Final = 30.0  # longer than any handshake may take
_log = logging.getLogger(__name__)


async def keep(node: Node, secrets: VaultSecrets, save: Save) -> None:
    """For ever: renew in time. The gate shows the new set on every link from then on."""
    while True:
        await trio.sleep(LOOK_EVERY_S)
        newer = await renew(node.env, secrets, save)
        if newer is not None:
            secrets = newer
            node.identity = load_identity(newer)
            node.port.send(own.hello(node.identity))
            _cut_links(node)
            await trio.sleep(SETTLE_S)
            _cut_links(node)  # those whose handshake had begun with the old set


def _cut_links(node: Node) -> None:
    """Both ends must name the same sets in the next epoch's transcript: let every link be made anew."""
    for link in node.links.values():
        node.port.send(boundary.Cut(link=link.up.link, reason=boundary.Reason.LOST))


async def renew(env: Env, secrets: VaultSecrets, save: Save) -> VaultSecrets | None:
    """The secrets with a newer set, saved, or None where the present set will do. One RSA signature, in the worker.

    None also where the disk does not take it: half of the set's life is left to try again.
    """
    now_ms = env.clock.wall_ms()
    identity = load_identity(secrets)
    if identity.devices.not_after_ms - now_ms > DEVICE_SET_MS // 2:
        return None
    newer = replace(secrets, device_set=await env.work(_successor, identity, now_ms))
    try:
        save(newer)
    except Failed as error:
        _log.warning("the renewed device set is not stored, so the old one stays in use: %s", error.message)
        return None
    return newer


def _successor(identity: Identity, now_ms: int) -> bytes:
    old = identity.devices
    return make_device_set(
        identity.root,
        identity.user,
        old.records,
        sequence=old.sequence + 1,
        prev=old.set_hash,
        not_after_ms=now_ms + DEVICE_SET_MS,
    )
