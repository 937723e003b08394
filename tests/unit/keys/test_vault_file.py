"""vault.key and gate.key: form, damage, and who can open what."""

from collections.abc import Callable

import pytest

from p2pchat.errors import Corrupt, Failed
from p2pchat.keys.key_file import KEY_BYTES, derive, seal_with_key
from p2pchat.keys.vault_file import open_gate, open_vault, seal_gate, seal_vault, store_key
from p2pchat.limits import KEY_FILE_BYTES
from tests.support.identities import stored_secrets

VAULT, GATE = stored_secrets(0)
KEK, NONCE = bytes(range(32)), bytes(24)
VAULT_KEY, GATE_KEY = derive(KEK, "vault"), derive(KEK, "gate")
VAULT_FILE, GATE_FILE = seal_vault(VAULT, VAULT_KEY, NONCE), seal_gate(GATE, GATE_KEY, NONCE)


def test_both_files_survive() -> None:
    assert open_vault(VAULT_FILE, VAULT_KEY) == VAULT
    assert open_gate(GATE_FILE, GATE_KEY) == GATE
    assert len(VAULT_FILE) < KEY_FILE_BYTES


def test_neither_process_has_the_other_s_key() -> None:
    assert VAULT_KEY != GATE_KEY and len(VAULT_KEY) == len(GATE_KEY) == KEY_BYTES
    with pytest.raises(Corrupt, match="belongs to another"):
        open_vault(VAULT_FILE, GATE_KEY)


def test_one_file_is_never_taken_for_the_other() -> None:
    with pytest.raises(Corrupt, match="gate key file is damaged"):
        open_gate(VAULT_FILE, VAULT_KEY)


def test_authentic_bytes_of_another_shape_are_corrupt() -> None:
    with pytest.raises(Corrupt, match="holds something else"):
        open_vault(seal_with_key(VAULT_KEY, GATE.encode(), b"vault", NONCE), VAULT_KEY)
    with pytest.raises(Corrupt, match="holds something else"):
        open_gate(seal_with_key(GATE_KEY, b"", b"gate", NONCE), GATE_KEY)


def test_a_newer_version_is_named() -> None:
    with pytest.raises(Failed, match="newer"):
        open_vault(VAULT_FILE[:4] + b"\2" + VAULT_FILE[5:], VAULT_KEY)


@pytest.mark.parametrize(
    ("data", "key", "read"),
    [(VAULT_FILE, VAULT_KEY, open_vault), (GATE_FILE, GATE_KEY, open_gate)],
    ids=["vault", "gate"],
)
def test_every_byte_counts(data: bytes, key: bytes, read: Callable[[bytes, bytes], object]) -> None:
    for at in range(len(data)):
        with pytest.raises((Corrupt, Failed)):
            read(data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :], key)


def test_every_truncation_and_any_tail_is_damage() -> None:
    for wrong in [GATE_FILE[:size] for size in range(len(GATE_FILE))] + [GATE_FILE + b"\0", bytes(KEY_FILE_BYTES + 1)]:
        with pytest.raises(Corrupt, match="damaged"):
            open_gate(wrong, GATE_KEY)


def test_even_an_authentic_file_is_bounded() -> None:
    with pytest.raises(Corrupt, match="does not have the form"):
        open_vault(seal_with_key(VAULT_KEY, bytes(KEY_FILE_BYTES), b"vault", NONCE), VAULT_KEY)


def test_the_store_needs_both_halves() -> None:
    key = store_key(VAULT.store_key, GATE.store_share)
    assert len(key) == 32
    assert len({key, store_key(VAULT.store_key, bytes(32)), store_key(bytes(32), GATE.store_share)}) == 3
