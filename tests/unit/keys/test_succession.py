"""The statement by which an ID is given up, and the secrets of the one that follows."""

from dataclasses import replace
from functools import cache
from hashlib import shake_256

import pytest

from p2pchat.errors import BadFormat, BadSignature, P2PChatError, Untrusted
from p2pchat.keys import succession as module
from p2pchat.keys.genesis import NO_RECOVERY
from p2pchat.keys.identity import FRESH_BYTES, Identity, load_identity
from p2pchat.keys.key_log import KeyChain
from p2pchat.keys.own_log import whole
from p2pchat.keys.rotation import rotate
from p2pchat.keys.succession import Step, current, steps, succeed
from p2pchat.limits import SUCCESSION_BYTES
from p2pchat.wire.own_files import GateSecrets, VaultSecrets
from p2pchat.wire.structs import Signed, Succession, Successor
from tests.support.identities import NOW_MS, stored_identity, stored_root, stored_secrets
from tests.support.rotated import rotated, rotated_secrets

OLD = stored_identity(0)


def verify(raw: bytes, pinned: KeyChain) -> None:
    """Of one step."""
    (step,) = steps(raw)
    module.verify([], step, pinned)


def predecessor(raw: bytes) -> Successor:
    return steps(raw)[0].said


@cache
def succeeded(secrets: VaultSecrets | None = None) -> tuple[VaultSecrets, GateSecrets]:
    return succeed(
        secrets or stored_secrets(0)[0],
        stored_secrets(0)[1],
        stored_root(5),
        fresh=shake_256(b"successor").digest(FRESH_BYTES),
        now_ms=NOW_MS,
        recovery_commitment=NO_RECOVERY,
    )


def test_every_key_is_new_and_the_store_stays() -> None:
    (vault, gate), (old_vault, old_gate) = succeeded(), stored_secrets(0)
    new = load_identity(vault)
    assert new.user == gate.user != OLD.user
    for name in ("p", "q", "scalar", "device", "sign_seed", "box_x25519", "box_mlkem_seed", "key_log", "device_set"):
        assert getattr(vault, name) != getattr(old_vault, name), name
    assert gate.link_x25519 != old_gate.link_x25519
    assert (vault.store_key, gate.store_share, gate.book_key) == (
        old_vault.store_key,
        old_gate.store_share,
        old_gate.book_key,
    )


def test_who_pinned_any_root_of_the_old_id_believes_the_statement() -> None:
    raw = succeeded()[0].succession
    said = predecessor(raw)
    assert (said.user, said.successor) == (OLD.user, succeeded()[1].user)
    verify(raw, whole(OLD.chain))
    verify(raw, whole(rotated(0, 3).chain))  # a thief replaced the root meanwhile


def test_a_log_that_the_reader_does_not_know_yet_is_shown() -> None:
    raw = succeeded(rotated_secrets(0, 3, lost=False))[0].succession
    verify(raw, whole(OLD.chain))
    without = replace(Succession.decode(raw), key_log=b"").encode()
    verify(without, whole(rotated(0, 3).chain))
    with pytest.raises(BadSignature):
        verify(without, whole(OLD.chain))


def test_a_log_that_is_too_long_or_lost_stays_at_home() -> None:
    long = rotate(whole(rotated(0, 3).chain), stored_root(3), stored_root(4), day=20_001)
    assert len(long.raw) > 6 * 1024
    for secrets in (rotated_secrets(0, 3, lost=True),):
        assert Succession.decode(succeeded(secrets)[0].succession).key_log == b""


def _signed(by: Identity, said: Successor) -> bytes:
    body = said.encode()
    return Signed(body=body, signature=by.root.sign(body)).encode()


def test_what_nobody_of_the_old_id_signed_is_refused() -> None:
    thief, said = stored_identity(2), predecessor(succeeded()[0].succession)
    cases: list[tuple[bytes, bytes, type[P2PChatError]]] = [
        (_signed(thief, said), b"", BadSignature),
        (_signed(thief, said), thief.chain.raw, Untrusted),
        (_signed(thief, replace(said, user=thief.user)), thief.chain.raw, Untrusted),
        (_signed(OLD, said), thief.chain.raw, Untrusted),
        (_signed(OLD, said), b"no log", BadFormat),
        (b"", b"", BadFormat),
    ]
    for statement, log, error in cases:
        with pytest.raises(error):
            verify(Succession(statement=statement, key_log=log, earlier=b"").encode(), whole(OLD.chain))


@cache
def again() -> tuple[VaultSecrets, GateSecrets]:
    """The next ID's key is stolen, too, before anybody heard of it."""
    vault, gate = succeeded()
    return succeed(
        vault,
        gate,
        stored_root(4),
        fresh=shake_256(b"again").digest(FRESH_BYTES),
        now_ms=NOW_MS,
        recovery_commitment=NO_RECOVERY,
    )


def test_whoever_missed_an_id_in_between_still_finds_its_owner() -> None:
    newest, first = steps(again()[0].succession)
    between = load_identity(succeeded()[0])
    assert (newest.said.user, newest.said.successor) == (between.user, again()[1].user)
    assert (first.said.user, first.said.successor) == (OLD.user, between.user)
    module.verify([newest], first, whole(OLD.chain))
    module.verify([], newest, whole(between.chain))


def test_every_step_in_between_is_proven() -> None:
    newest, first = steps(again()[0].succession)
    thief = stored_identity(2)
    forged = replace(newest.said, successor=thief.user)
    for step in (
        Step(forged, replace(newest.shown, statement=_signed(thief, forged))),
        replace(newest, shown=replace(newest.shown, key_log=b"")),
        replace(newest, shown=replace(newest.shown, key_log=thief.chain.raw)),
    ):
        with pytest.raises(P2PChatError):
            module.verify([step], first, whole(OLD.chain))
    elsewhere = replace(first.shown, statement=_signed(OLD, replace(first.said, successor=thief.user)))
    gap = replace(newest.shown, earlier=elsewhere.encode()).encode()
    with pytest.raises(BadFormat, match="do not follow"):
        steps(gap)


def test_what_does_not_fit_is_left_out_from_the_far_end() -> None:
    vault, gate = again()
    count = 2
    for index in (3, 5, 4):
        vault, gate = succeed(
            vault,
            gate,
            stored_root(index),
            fresh=shake_256(bytes([index])).digest(FRESH_BYTES),
            now_ms=NOW_MS,
            recovery_commitment=NO_RECOVERY,
        )
        assert len(vault.succession) <= SUCCESSION_BYTES
        count = len(steps(vault.succession))
        assert steps(vault.succession)[0].shown.key_log
    assert 2 <= count < 5


def test_the_gate_has_both_until_the_vault_has_changed() -> None:
    old, new = stored_secrets(0)[1], succeeded()[1]
    both = replace(old, next=new.encode())
    assert current(both, old.user) == both
    assert current(both, new.user) == new
    assert current(old, new.user) == old  # and the gate then says that the two do not belong together
