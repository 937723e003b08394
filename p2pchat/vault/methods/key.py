"""The own key: what it is, sealed copies of it for backups, and the password that opens it on this machine.

Whoever asks for a copy proves that he knows the password, though he reached the socket. Argon2id runs in the worker.
"""

from typing import Final

from p2pchat.errors import Untrusted, Usage, WrongPassword
from p2pchat.keys import seal
from p2pchat.keys.backup import secret
from p2pchat.limits import KEY_FILE_BYTES
from p2pchat.store import meta
from p2pchat.vault import own
from p2pchat.vault.methods.contact import Params, Result
from p2pchat.vault.node import Node
from p2pchat.wire.structs import Genesis

_DAY_MS: Final = 24 * 3600 * 1000


async def show(node: Node, _params: Params) -> Result:
    identity = node.identity
    verified_ms = node.store.read(lambda reader: meta.integer(reader, meta.BACKUP_VERIFIED))
    return {
        "id": own.text(identity),
        "fingerprint": identity.chain.root.fingerprint,
        "pubkey_md5": identity.chain.root.pubkey_md5,
        "created_ms": Genesis.decode(identity.chain.genesis_body).day * _DAY_MS,
        "key_log": identity.chain.length,
        "device": identity.device.device.hex(),
        "devices": len(identity.devices.records),
        "devices_until_ms": identity.devices.not_after_ms,
        "backup_verified_ms": verified_ms or None,
    }


async def backup(node: Node, params: Params) -> Result:
    """Raises WrongPassword, Usage for an unfit new one."""
    identity, fresh = node.identity, node.env.random.bytes(secret.FRESH_BYTES)
    unlock = node.env.disk.read(node.unlock_file, KEY_FILE_BYTES)
    password, cost = params["password"], seal.COSTS[params["kdf"]]
    new_password = params.get("new_password")
    if params["split"] and new_password is None:
        raise Usage("what is split is the new password", hint="p2pchat rpc schema")
    factors = seal.SHARES if params["split"] else seal.PASSWORD

    def work() -> bytes:
        seal.open_sealed(unlock, password)
        chosen = password if new_password is None else new_password
        return secret.seal_backup(
            identity.lasting, chosen, with_log=params["with_log"], fresh=fresh, cost=cost, factors=factors
        )

    container = await node.env.work(work)
    return {"id": own.text(identity), "set": secret.set_id(container), "container": container}


async def verified(node: Node, params: Params) -> Result:
    """A backup was read back: note the day, where it restores this identity. Raises Untrusted where it does not."""
    if params["id"] != own.text(node.identity):
        raise Untrusted("this backup is of another identity", hint="p2pchat whoami")
    now_ms = node.now_ms()
    await node.store.change(lambda tx: meta.put(tx, meta.BACKUP_VERIFIED, now_ms))
    return {"id": params["id"], "backup_verified_ms": now_ms}


async def passwd(node: Node, params: Params) -> Result:
    """The key-encryption key under a new password; the file is replaced at once and whole. Raises as ``backup``.

    Asked once more after a crash that hid the answer, it finds the new password in force, and says so.
    """
    fresh = node.env.random.bytes(seal.FRESH_BYTES)
    unlock = node.env.disk.read(node.unlock_file, KEY_FILE_BYTES)

    def work() -> bytes | None:
        try:
            kek = seal.open_sealed(unlock, params["password"])
        except WrongPassword:
            seal.open_sealed(unlock, params["new_password"])
            return None
        return seal.seal(kek, params["new_password"], fresh=fresh, cost=seal.COSTS[params["kdf"]])

    changed = await node.env.work(work)
    if changed is not None:
        node.env.disk.replace(node.unlock_file, changed)
    return {"id": own.text(node.identity)}
