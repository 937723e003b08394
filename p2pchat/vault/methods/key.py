"""The own key: what it is, sealed copies of it for backups, and the password that opens it on this machine.

Whoever asks for a copy proves that he knows the password, though he reached the socket. Argon2id runs in the worker.
"""

from typing import Final, NamedTuple, Self

from p2pchat.errors import DongleMissing, Untrusted, Usage, WrongPassword
from p2pchat.ids import parse_recovery
from p2pchat.keys import seal
from p2pchat.keys.backup import secret
from p2pchat.keys.recovery import RecoveryKey
from p2pchat.keys.root import RootKey
from p2pchat.limits import KEY_FILE_BYTES
from p2pchat.store import meta
from p2pchat.vault import own
from p2pchat.vault.flows import replaced
from p2pchat.vault.methods.contact import Params, Result
from p2pchat.vault.node import Node

_DAY_MS: Final = 24 * 3600 * 1000


class _Factors(NamedTuple):
    """What somebody gave to open the home, or to seal anew."""

    password: bytes
    dongle: bytes

    @classmethod
    def of(cls, params: Params, prefix: str = "") -> Self:
        """Raises Usage for one that is given and empty."""
        given = [params.get(prefix + name) for name in cls._fields]
        if b"" in given:
            raise Usage("a password or a dongle's answer is empty", hint="p2pchat rpc schema")
        return cls(*(value or b"" for value in given))

    def asked_by(self, sealed: bytes) -> Self:
        """Those that a container asks for: another one sealed under the same shall not ask for more."""
        factors = seal.parse(sealed, seal.UNLOCK).factors
        return type(self)(
            self.password if factors & seal.PASSWORD else b"", self.dongle if factors & seal.DONGLE else b""
        )


async def show(node: Node, _params: Params) -> Result:
    identity = node.identity
    verified_ms = node.store.read(lambda reader: meta.integer(reader, meta.BACKUP_VERIFIED))
    return {
        "id": own.text(identity),
        "fingerprint": identity.chain.root.fingerprint,
        "pubkey_md5": identity.chain.root.pubkey_md5,
        "created_ms": identity.chain.genesis.day * _DAY_MS,
        "key_log": identity.chain.length,
        "key_log_held": bool(identity.chain.raw),
        "device": identity.device.device.hex(),
        "devices": len(identity.devices.records),
        "devices_until_ms": identity.devices.not_after_ms,
        "backup_verified_ms": verified_ms or None,
    }


async def backup(node: Node, params: Params) -> Result:
    """Raises WrongPassword, Usage for an unfit new one."""
    identity, fresh = node.identity, node.env.random.bytes(secret.FRESH_BYTES)
    unlock = node.env.disk.read(node.unlock_file, KEY_FILE_BYTES)
    cost, split = seal.COSTS[params["kdf"]], params["split"]
    old, new = _Factors.of(params), _Factors.of(params, "new_")
    if split and not new.password:
        raise Usage("what is split is the new password", hint="p2pchat rpc schema")

    def work() -> bytes:
        seal.open_sealed(unlock, old.password, dongle=old.dongle)
        chosen = new if any(new) else old.asked_by(unlock)
        return secret.seal_backup(
            identity.lasting,
            chosen.password,
            dongle=chosen.dongle,
            with_log=params["with_log"],
            fresh=fresh,
            cost=cost,
            split=split,
        )

    container = await node.env.work(work)
    return {"id": own.text(identity), "set": secret.set_id(container), "container": container}


async def verified(node: Node, params: Params) -> Result:
    """A backup was read back: note the day, where it restores this identity. Raises Untrusted where it does not."""
    if params["id"] != own.text(node.identity):
        raise Untrusted("this backup is of another identity", hint="p2pchat whoami")
    if params["head"] != node.identity.chain.head.hex():
        raise Untrusted(
            "this backup is of another key of this identity: the key was replaced since, and contacts would refuse it",
            hint="p2pchat key export --help",
        )
    now_ms = node.now_ms()
    await node.store.change(lambda tx: meta.put(tx, meta.BACKUP_VERIFIED, now_ms))
    return {"id": params["id"], "backup_verified_ms": now_ms}


async def rotate(node: Node, params: Params) -> Result:
    """Another root for the same ID; the command line made its primes. Raises as ``backup``, and as Renewal.rotate."""
    unlock = node.env.disk.read(node.unlock_file, KEY_FILE_BYTES)
    given, words = _Factors.of(params), params.get("recovery")
    recovery = RecoveryKey.from_seed(parse_recovery(words)) if words else None

    def work() -> RootKey:
        seal.open_sealed(unlock, given.password, dongle=given.dongle)
        return RootKey.from_primes(params["p"], params["q"])

    if recovery is None:
        replaced.refuse(node)
    await node.rotate(await node.env.work(work), recovery)
    return await show(node, {})


async def passwd(node: Node, params: Params) -> Result:
    """The key-encryption key under a new password; the file is replaced at once and whole. Raises as ``backup``.

    Asked once more after a crash that hid the answer, it finds the new password in force, and says so.
    """
    fresh = node.env.random.bytes(seal.FRESH_BYTES)
    unlock = node.env.disk.read(node.unlock_file, KEY_FILE_BYTES)
    old, new = _Factors.of(params), _Factors.of(params, "new_")
    if not any(new):
        raise Usage("a new password or a new dongle is needed", hint="p2pchat key passwd --help")

    def work() -> bytes | None:
        try:
            kek = seal.open_sealed(unlock, old.password, dongle=old.dongle)
        except (WrongPassword, DongleMissing) as error:
            try:
                seal.open_sealed(unlock, new.password, dongle=new.dongle)
            except (WrongPassword, DongleMissing):
                raise error from None
            return None
        return seal.seal(kek, new.password, dongle=new.dongle, fresh=fresh, cost=seal.COSTS[params["kdf"]])

    changed = await node.env.work(work)
    if changed is not None:
        node.env.disk.replace(node.unlock_file, changed)
    return {"id": own.text(node.identity)}
