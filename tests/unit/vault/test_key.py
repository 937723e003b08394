"""The own key's methods: a copy takes the password, and a changed password is old or new, never neither."""

from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from trio.testing import MockClock

from p2pchat.errors import Untrusted, Usage, WrongPassword
from p2pchat.ids import user_id_text
from p2pchat.keys import seal
from p2pchat.keys.backup import secret
from tests.support.identities import stored_identity
from tests.support.simdisk import SimDisk
from tests.support.vaults import running

ME = stored_identity(0)
KEK = bytes(range(32))
UNLOCK = Path("/home/unlock.key")


def word(password: str) -> str:
    return b64encode(password.encode()).decode()


def disk() -> SimDisk:
    made = SimDisk()
    made.replace(UNLOCK, seal.seal(KEK, b"the password", fresh=bytes(40), cost=seal.LIGHT))
    return made


async def test_a_copy_takes_the_password_and_may_get_another(autojump_clock: MockClock) -> None:
    async with running(disk=disk()) as vault:
        with pytest.raises(WrongPassword):
            await vault.call("key.backup", password=word("another"), kdf="light")
        for new, opens in ((None, b"the password"), ("a new one", b"a new one")):
            given = {} if new is None else {"new_password": word(new)}
            made = await vault.call("key.backup", password=word("the password"), kdf="light", **given)
            container = made["container"] if isinstance(made["container"], bytes) else b64decode(made["container"])
            assert (made["id"], made["set"]) == (user_id_text(ME.user), secret.set_id(container))
            assert secret.open_backup(container, opens).user == ME.user
        with pytest.raises(Usage):
            await vault.call("key.backup", password=word("the password"), new_password="", kdf="light")
        with pytest.raises(Usage):
            await vault.call("key.backup", password=word("the password"), split=True, kdf="light")


async def test_a_proof_counts_for_this_identity_alone(autojump_clock: MockClock) -> None:
    async with running() as vault:
        with pytest.raises(Untrusted):
            await vault.call("key.verified", id=user_id_text(stored_identity(1).user), head=ME.chain.head.hex())
        with pytest.raises(Untrusted, match="replaced"):
            await vault.call("key.verified", id=user_id_text(ME.user), head="0" * 64)
        assert (await vault.call("key.show"))["backup_verified_ms"] is None
        noted = await vault.call("key.verified", id=user_id_text(ME.user), head=ME.chain.head.hex())
        assert (await vault.call("status"))["backup_verified_ms"] == noted["backup_verified_ms"]


async def test_a_new_password_counts_and_asking_again_is_no_error(autojump_clock: MockClock) -> None:
    """A crash may hide the answer; the command line then asks once more."""
    held = disk()
    async with running(disk=held) as vault:
        with pytest.raises(WrongPassword):
            await vault.call("key.passwd", password=word("another"), new_password=word("b"), kdf="light")
        assert seal.open_sealed(held.read(UNLOCK, 4096), b"the password") == KEK
        for _ in range(2):
            await vault.call("key.passwd", password=word("the password"), new_password=word("b"), kdf="light")
            assert seal.open_sealed(held.read(UNLOCK, 4096), b"b") == KEK
