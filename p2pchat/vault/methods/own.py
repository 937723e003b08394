"""The node itself: who it is, how it fares, its settings, its end."""

from typing import Final

from p2pchat import __version__, config
from p2pchat.config import KEYS, Config
from p2pchat.errors import Corrupt
from p2pchat.store import contacts, events, meta, outbox, profile, soundness
from p2pchat.vault import own
from p2pchat.vault.methods.contact import Params, Result
from p2pchat.vault.node import Node

STORE_CHECK_S: Final = 25.0  # less than the longest that a caller waits


async def whoami(node: Node, _params: Params) -> Result:
    root = node.identity.chain.root
    return {
        "id": own.text(node.identity),
        "fingerprint": root.fingerprint,
        "pubkey_md5": root.pubkey_md5,
        "nickname": node.store.read(profile.get).nickname,
        "listen": list(node.listen),
    }


async def status(node: Node, _params: Params) -> Result:
    linked = {link.user for link in node.links.values()}
    friends = node.store.read(lambda reader: contacts.every(reader, *contacts.FRIENDS))
    verified_ms = node.store.read(lambda reader: meta.integer(reader, meta.BACKUP_VERIFIED))
    return {
        "id": own.text(node.identity),
        "running": True,
        "listen": list(node.listen),
        "wall": node.wall,
        "contacts": len(friends),
        "online": sum(contact.user in linked for contact in friends),
        "outbox": node.store.read(outbox.count),
        "last_cursor": node.store.read(events.last_cursor),
        "backup_verified_ms": verified_ms or None,
        "replaced": node.replaced,
    }


async def store_check(node: Node, _params: Params) -> Result:
    """Every page, in a worker thread, within STORE_CHECK_S."""
    clock = node.env.clock
    deadline_s = clock.boot_s() + STORE_CHECK_S
    try:
        verdict = await node.store.read_slow(
            lambda reader: soundness.check(reader, lambda: clock.boot_s() > deadline_s)
        )
    except Corrupt as error:
        return {"sound": False, "problems": [error.message], "size_bytes": None}
    return {"sound": not verdict.problems, "problems": list(verdict.problems), "size_bytes": verdict.size_bytes}


async def daemon_status(node: Node, _params: Params) -> Result:
    return {
        "pid": node.launcher_pid,
        "version": __version__,
        "started_ms": node.started_ms,
        "listen": list(node.listen),
    }


async def daemon_stop(node: Node, _params: Params) -> Result:
    node.stop()
    return {"pid": node.launcher_pid}


async def config_list(node: Node, _params: Params) -> Result:
    now = node.settings.current()
    return {"items": [_setting(now, key) for key in sorted(KEYS)]}


async def config_get(node: Node, params: Params) -> Result:
    return _setting(node.settings.current(), config.known(params["key"]).name)


async def config_set(node: Node, params: Params) -> Result:
    node.settings.change(params["key"], params["value"])
    now = node.settings.current()
    changed = now.get(params["key"]) != node.config.get(params["key"])
    return {**_setting(now, params["key"]), "restart": changed}


def _setting(now: Config, name: str) -> Result:
    key = KEYS[name]
    return {"key": name, "value": _typed(now.get(name)), "default": _typed(key.default), "help": key.help}


def _typed(value: config.Value) -> str:
    """A value as ``config set`` takes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(value) if isinstance(value, tuple) else str(value)
