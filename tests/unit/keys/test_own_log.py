"""The own key log without its entries: what is known of it, how it is kept, and how a whole one stands to it."""

from dataclasses import replace

import pytest

from p2pchat.errors import Corrupt, Untrusted
from p2pchat.keys.backup import secret
from p2pchat.keys.identity import load_identity
from p2pchat.keys.key_log import KeyChain
from p2pchat.keys.own_log import LostLog, kept, read_own_log, standing, whole
from p2pchat.keys.rotation import rotate
from p2pchat.keys.standing import Standing
from p2pchat.wire.checksum import md5
from p2pchat.wire.own_files import Backup
from tests.support.identities import stored_identity, stored_root
from tests.support.rotated import rotated, rotated_secrets


def lost(by: int = 3) -> LostLog:
    chain = secret.unpack(secret.pack(rotated(0, by).lasting, with_log=False)).chain
    assert isinstance(chain, LostLog)
    return chain


def longer() -> KeyChain:
    return rotate(whole(rotated(0, 3).chain), stored_root(3), stored_root(4), day=20_001)


def test_a_backup_without_the_log_knows_its_end() -> None:
    chain = rotated(0, 3).chain
    assert (lost().user, lost().head, lost().length, lost().root) == (chain.user, chain.head, 2, chain.root)
    assert lost().raw == b""
    assert secret.pack(replace(rotated(0, 3).lasting, chain=lost()), with_log=True) == secret.pack(
        rotated(0, 3).lasting, with_log=False
    )


@pytest.mark.parametrize("length", [0, 1, 9])
def test_a_length_that_no_log_has_is_damage(length: int) -> None:
    encoded = replace(
        Backup.decode(secret.pack(rotated(0, 3).lasting, with_log=False)[:-16]), log_length=length
    ).encode()
    with pytest.raises(Corrupt):
        secret.unpack(encoded + md5(encoded))


def test_both_forms_are_kept_and_read_again() -> None:
    for log in (lost(), rotated(0, 3).chain, stored_identity(0).chain):
        assert read_own_log(kept(log)) == log


def test_a_vault_loads_with_the_end_alone() -> None:
    identity = load_identity(rotated_secrets(0, 3, lost=True))
    assert (identity.chain, identity.devices) == (lost(), rotated(0, 3).devices)


def test_only_a_whole_log_can_be_shown() -> None:
    assert whole(rotated(0, 3).chain) is rotated(0, 3).chain
    with pytest.raises(Untrusted, match="none has answered"):
        whole(lost())


def test_how_a_whole_log_stands_to_a_lost_one() -> None:
    found = {
        Standing.SAME: whole(rotated(0, 3).chain),
        Standing.NEWER: longer(),
        Standing.OLDER: whole(stored_identity(0).chain),
        Standing.FORKED: whole(rotated(0, 4).chain),
    }
    assert {standing(log, lost()) for log in found.values()} == set(Standing)
    for expected, log in found.items():
        assert standing(log, lost()) is expected
        assert standing(log, rotated(0, 3).chain) is expected


def test_a_log_is_cut_at_any_of_its_entries_and_at_no_other() -> None:
    first, second = whole(stored_identity(0).chain), whole(rotated(0, 3).chain)
    assert longer().upto(second.head) == second
    assert longer().upto(first.head) == first
    assert second.upto(second.head) is second
    for other in (longer().head, bytes(32), b""):
        with pytest.raises(Untrusted, match="not known here"):
            second.upto(other)
