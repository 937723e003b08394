"""Logs of more than one entry: what must have signed it, and which of two logs is the newer."""

from dataclasses import replace
from functools import cache
from itertools import product

import pytest

from p2pchat.errors import BadFormat, BadSignature, Failed, P2PChatError, Untrusted
from p2pchat.keys.genesis import make_genesis
from p2pchat.keys.key_log import KeyChain, verify_key_log
from p2pchat.keys.recovery import RecoveryKey
from p2pchat.keys.root import RootKey
from p2pchat.keys.rotation import recover, rotate
from p2pchat.keys.standing import Standing
from p2pchat.limits import KEY_LOG_BYTES, KEY_LOG_ENTRIES
from p2pchat.wire.structs import KeyLog, NewRoot, Recover, Rotate, Signed
from tests.support.identities import stored_root

A, B, C = (stored_root(n) for n in range(3))
RECOVERY, OTHER = RecoveryKey.from_seed(bytes(32)), RecoveryKey.from_seed(bytes(range(32)))
DAY = 20_000


@cache
def first() -> KeyChain:
    return verify_key_log(make_genesis(A, day=DAY, fresh=bytes(16), recovery_commitment=RECOVERY.commitment))


@cache
def logs() -> dict[str, KeyChain]:
    """Of one ID: its owner's, a thief's, and what undoes the thief."""
    made = {"first": first(), "rotated": rotate(first(), A, B, day=DAY + 1)}
    made["again"] = rotate(made["rotated"], B, C, day=DAY + 2)
    made["thief"] = rotate(first(), A, C, day=DAY + 1)
    made["recovered"] = recover(first(), RECOVERY, B, day=DAY + 3)
    made["settled"] = recover(made["rotated"], RECOVERY, C, day=DAY + 3)
    made["later"] = rotate(made["recovered"], B, C, day=DAY + 4)
    return made


def test_a_rotated_identity_keeps_its_id_and_has_another_root() -> None:
    for name, root, length in (("rotated", B, 2), ("again", C, 3), ("recovered", B, 2), ("later", C, 3)):
        chain = logs()[name]
        assert (chain.user, chain.root, chain.length) == (first().user, root.public, length)
        assert verify_key_log(chain.raw) == chain
    assert [entry.recovers for entry in logs()["later"].entries] == [False, True, False]
    assert [entry.day for entry in logs()["again"].entries] == [DAY, DAY + 1, DAY + 2]


NEWER = {  # each of these is newer than each of those
    "rotated": {"first"},
    "again": {"first", "rotated"},
    "thief": {"first"},
    "recovered": {"first", "rotated", "again", "thief"},
    "settled": {"first", "rotated", "again", "thief"},
    "later": {"first", "rotated", "again", "thief", "recovered"},
}
FORKED = [{"rotated", "thief"}, {"again", "thief"}, {"settled", "recovered"}, {"settled", "later"}]


@pytest.mark.parametrize(("shown", "known"), list(product(["first", *NEWER], repeat=2)))
def test_which_of_two_logs_is_the_newer(shown: str, known: str) -> None:
    expected = Standing.SAME
    if {shown, known} in FORKED:
        expected = Standing.FORKED
    elif shown != known:
        expected = Standing.NEWER if known in NEWER.get(shown, set()) else Standing.OLDER
    assert logs()[shown].standing(logs()[known]) is expected


def test_two_recoveries_are_a_fork() -> None:
    assert recover(first(), RECOVERY, C, day=DAY).standing(logs()["recovered"]) is Standing.FORKED


def forged(entry: Rotate | Recover, signature: bytes) -> bytes:
    entries = KeyLog.decode(first().raw).entries
    return KeyLog(entries=(*entries, Signed(body=entry.encode(), signature=signature).encode())).encode()


def by(old: RootKey, new: RootKey, **changed: object) -> bytes:
    """A rotation of the first log, with what is changed in its statement, signed by ``old`` and ``new``."""
    honest = Rotate.decode(Signed.decode(KeyLog.decode(logs()["rotated"].raw).entries[1]).body)
    statement = replace(NewRoot.decode(honest.statement), **changed).encode()  # type: ignore[arg-type]
    entry = Rotate(statement=statement, by_new=new.sign(statement))
    return forged(entry, old.sign(entry.encode()))


def recovery() -> tuple[Recover, bytes]:
    signed = Signed.decode(KeyLog.decode(logs()["recovered"].raw).entries[1])
    return Recover.decode(signed.body), signed.signature


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: by(C, B), BadSignature),  # the old root did not sign
        (lambda: by(A, C), BadSignature),  # the new one did not
        (lambda: by(A, B, user=bytes(32)), Untrusted),
        (lambda: by(A, B, prev=bytes(32)), BadFormat),
        (lambda: by(A, B, recovers=True), BadFormat),
        (lambda: by(A, B, modulus=bytes(1024)), P2PChatError),
        (lambda: forged(recovery()[0], bytes(64)), BadSignature),
        (lambda: forged(replace(recovery()[0], by_mldsa65=bytes(3309)), recovery()[1]), BadSignature),
        (lambda: forged(replace(recovery()[0], mldsa65=OTHER.public[1]), recovery()[1]), BadSignature),
        (lambda: forged(replace(recovery()[0], by_new=bytes(1024)), recovery()[1]), BadSignature),
    ],
)
def test_what_is_not_signed_by_all_who_must_is_refused(make: object, error: type[P2PChatError]) -> None:
    with pytest.raises(error):
        verify_key_log(make())  # type: ignore[operator]


def test_another_recovery_key_recovers_nothing() -> None:
    with pytest.raises(BadSignature, match="of another identity"):
        recover(first(), OTHER, B, day=DAY)
    without = verify_key_log(make_genesis(A, day=DAY, fresh=bytes(16)))
    with pytest.raises(BadSignature, match="of another identity"):
        recover(without, RECOVERY, B, day=DAY)


def test_a_full_log_says_so() -> None:
    chain, roots = verify_key_log(make_genesis(A, day=DAY, fresh=bytes(16))), (A, B)
    for turn in range(KEY_LOG_ENTRIES - 1):
        chain = rotate(chain, roots[turn % 2], roots[(turn + 1) % 2], day=DAY)
    assert len(chain.raw) <= KEY_LOG_BYTES
    with pytest.raises(Failed, match="7 times"):
        rotate(chain, roots[1], roots[0], day=DAY)


def test_there_is_always_room_for_a_recovery() -> None:
    chain, roots = first(), (A, B)
    for turn in range(5):
        chain = rotate(chain, roots[turn % 2], roots[(turn + 1) % 2], day=DAY)
    with pytest.raises(Failed, match="no room"):
        rotate(chain, roots[1], roots[0], day=DAY)
    assert recover(chain, RECOVERY, C, day=DAY).standing(chain) is Standing.NEWER


def test_the_recovery_keys_are_frozen() -> None:
    """Paper that people have must undo what a thief does in twenty years."""
    assert OTHER.commitment.hex() == ("b66a061cf1bc52123879226979b27269c1cec54e5a8706e671542cc1bad1f8d2")
