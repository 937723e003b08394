"""What a backup holds, and that it brings the same identity back."""

from dataclasses import replace
from hashlib import shake_256

import pytest

from p2pchat.errors import Corrupt, WrongPassword
from p2pchat.keys import seal
from p2pchat.keys.backup import secret
from p2pchat.keys.devices import FIRST_SEQUENCE
from p2pchat.keys.identity import FRESH_BYTES, load_identity, restore_identity
from p2pchat.wire.checksum import md5
from p2pchat.wire.own_files import Backup
from tests.support.identities import NOW_MS, stored_identity

FRESH = shake_256(b"backup").digest(seal.FRESH_BYTES)
ME = stored_identity(0)


def packed(*, with_log: bool = False) -> bytes:
    return secret.pack(ME.lasting, with_log=with_log)


def changed(**fields: object) -> bytes:
    """A backup with other fields, its inner checksum right."""
    encoded = replace(Backup.decode(packed()[:-16]), **fields).encode()  # type: ignore[arg-type]
    return encoded + md5(encoded)


@pytest.mark.parametrize("with_log", [False, True])
def test_the_same_identity_comes_back(with_log: bool) -> None:
    restored = secret.unpack(packed(with_log=with_log))
    assert (restored.user, restored.root.secret, restored.scalar) == (ME.user, ME.root.secret, ME.scalar)
    assert restored.chain.head == ME.chain.head
    assert (restored.chain.raw == ME.chain.raw) == with_log


def test_it_is_sealed_as_every_secret_is_and_is_no_key_file() -> None:
    container = secret.seal_backup(ME.lasting, b"open sesame", with_log=False, fresh=FRESH, cost=seal.LIGHT)
    assert container[:4] == b"P2PB" and len(container) < 1400
    assert secret.open_backup(container, b"open sesame").user == ME.user
    with pytest.raises(WrongPassword):
        seal.open_sealed(container, b"open sesam", secret.FORM)
    with pytest.raises(Corrupt, match="key file"):
        seal.open_sealed(container, b"open sesame")
    assert secret.set_id(container) != secret.set_id(container[:-1])


def test_the_device_of_a_login_is_new_and_its_set_is_above_all_before() -> None:
    restored = secret.unpack(packed())
    vault, gate = restore_identity(restored, fresh=shake_256(b"x").digest(FRESH_BYTES), now_ms=NOW_MS)
    back = load_identity(vault)
    assert (back.user, gate.user) == (ME.user, ME.user)
    assert back.device.device != ME.device.device and [r.device for r in back.devices.records] == [vault.device]
    assert back.devices.sequence == NOW_MS // 1000 > FIRST_SEQUENCE
    assert vault.store_key != gate.store_share


def test_parts_that_do_not_belong_together_are_damage() -> None:
    other = stored_identity(1)
    for wrong in (
        changed(scalar=other.scalar),
        changed(head=bytes(32)),
        changed(p=other.root.p),
        changed(p=other.root.p, q=other.root.q),
        changed(random=bytes(16)),
        changed(key_log=other.chain.raw),
        changed(key_log=b"no log"),
        packed()[:-1] + bytes([packed()[-1] ^ 1]),
        b"",
    ):
        with pytest.raises(Corrupt, match="the backup is damaged"):
            secret.unpack(wrong)
