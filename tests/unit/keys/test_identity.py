from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from p2pchat.errors import Corrupt
from p2pchat.keys.devices import DEVICE_SET_MS, make_device_set
from p2pchat.keys.identity import FRESH_BYTES, create_identity, load_identity
from p2pchat.keys.key_log import verify_key_log
from p2pchat.keys.user_id import public_point
from p2pchat.wire.own_files import VaultSecrets
from p2pchat.wire.structs import CAPABILITIES, Genesis
from tests.support.identities import NOW_MS, stored_identity, stored_root, stored_secrets

VAULT, GATE = stored_secrets(0)


def test_a_new_identity_loads_and_is_whole() -> None:
    me = load_identity(VAULT)
    assert me.user == me.chain.user == me.devices.user == GATE.user == public_point(me.scalar)
    assert me.root.modulus == me.chain.root.modulus
    assert me.record.device == me.device.device == VAULT.device
    assert me.record.capabilities == CAPABILITIES
    assert me.devices.not_after_ms == NOW_MS + DEVICE_SET_MS
    assert Genesis.decode(me.chain.genesis_body).day == NOW_MS // 86_400_000
    assert VAULT.created_ms == NOW_MS


def test_the_link_key_is_the_gate_s_alone() -> None:
    link = X25519PrivateKey.from_private_bytes(GATE.link_x25519).public_key().public_bytes_raw()
    assert load_identity(VAULT).record.link_x25519 == link
    assert GATE.link_x25519 not in VAULT.encode()


def test_every_fresh_byte_lands_in_exactly_one_secret() -> None:
    fresh = b"".join(i.to_bytes(2) * 8 for i in range(1, FRESH_BYTES // 16 + 1))
    vault, gate = create_identity(stored_root(1), fresh=fresh, now_ms=NOW_MS)
    genesis = Genesis.decode(verify_key_log(vault.key_log).genesis_body)
    parts = [
        genesis.random, vault.device, vault.sign_seed, vault.box_x25519, vault.box_mlkem_seed,
        gate.link_x25519, gate.store_share, gate.book_key, vault.store_key,
    ]  # fmt: skip
    assert b"".join(parts) == fresh


def test_the_first_profile_is_kept() -> None:
    vault, _ = create_identity(stored_root(1), fresh=bytes(FRESH_BYTES), now_ms=NOW_MS, nickname="bo", avatar=b"png")
    assert (vault.nickname, vault.avatar) == ("bo", b"png")


def _spoilt(name: str) -> VaultSecrets:
    other, _ = stored_secrets(1)
    return replace(VAULT, **{name: getattr(other, name)})


@pytest.mark.parametrize(
    "name", ["p", "q", "scalar", "device", "sign_seed", "box_x25519", "box_mlkem_seed", "key_log", "device_set"]
)
def test_parts_of_two_identities_do_not_load(name: str) -> None:
    with pytest.raises(Corrupt, match="own identity is damaged"):
        load_identity(_spoilt(name))


def test_a_record_of_an_older_build_still_loads() -> None:
    """Capabilities are what the build of that day understood; they say nothing about the keys."""
    me = load_identity(VAULT)
    older = replace(me.record, capabilities=("text",))
    device_set = make_device_set(me.root, me.user, [older], not_after_ms=NOW_MS)
    assert load_identity(replace(VAULT, device_set=device_set)).record == older


def test_both_primes_of_another_root_do_not_load() -> None:
    other, _ = stored_secrets(1)
    with pytest.raises(Corrupt, match="do not belong together"):
        load_identity(replace(VAULT, p=other.p, q=other.q))


@pytest.mark.parametrize("part", [stored_identity(0), stored_identity(0).device])
def test_secrets_do_not_show_in_a_traceback(part: object) -> None:
    assert repr(part).startswith("<") and VAULT.scalar.hex() not in repr(part)
