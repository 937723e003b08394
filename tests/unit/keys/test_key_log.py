from hashlib import sha256

import pytest

from p2pchat.errors import BadFormat, BadSignature, CryptoError
from p2pchat.keys.genesis import NO_RECOVERY, make_genesis
from p2pchat.keys.key_log import verify_key_log
from p2pchat.keys.user_id import user_id
from p2pchat.limits import KEY_LOG_BYTES, KEY_LOG_ENTRIES
from p2pchat.wire import codec
from p2pchat.wire.structs import Genesis, KeyLog, Signed
from tests.support.identities import stored_root

ROOT = stored_root(0)
RAW = make_genesis(ROOT, day=20_000, fresh=bytes(range(16)))
ENTRY = KeyLog.decode(RAW).entries[0]
BODY = Signed.decode(ENTRY).body


def _log(*bodies: bytes) -> bytes:
    entries = (Signed(body=body, signature=ROOT.sign(body)).encode() for body in bodies)
    return KeyLog(entries=tuple(entries)).encode()


def test_a_new_log_proves_its_id() -> None:
    chain = verify_key_log(RAW)
    genesis = Genesis.decode(chain.genesis_body)
    assert chain.user == user_id(genesis.discovery, BODY)
    assert chain.root == ROOT.public
    assert (chain.head, chain.length, chain.raw) == (sha256(BODY).digest(), 1, RAW)
    assert (genesis.day, genesis.random, genesis.recovery_commitment) == (20_000, bytes(range(16)), NO_RECOVERY)


def test_the_id_does_not_depend_on_the_signature() -> None:
    again = _log(BODY)
    assert again != RAW
    assert verify_key_log(again).user == verify_key_log(RAW).user


def test_h049_what_a_later_version_adds_is_covered_by_the_id() -> None:
    longer = codec.pack([*Genesis.decode(BODY).as_list(), "new"])
    chain = verify_key_log(_log(longer))
    assert chain.head == sha256(longer).digest()
    assert chain.user != verify_key_log(RAW).user


def test_a_genesis_signed_by_another_root_is_refused() -> None:
    entry = Signed(body=BODY, signature=stored_root(1).sign(BODY)).encode()
    with pytest.raises(BadSignature, match="genesis is not signed"):
        verify_key_log(KeyLog(entries=(entry,)).encode())


def test_a_device_signature_is_no_root_signature() -> None:
    entry = Signed(body=BODY, signature=bytes(64)).encode()
    with pytest.raises(BadSignature):
        verify_key_log(KeyLog(entries=(entry,)).encode())


def test_a_discovery_key_that_is_no_point_is_refused() -> None:
    genesis = Genesis.decode(BODY)
    shape = genesis.as_list()
    shape[shape.index(genesis.discovery)] = bytes(32)
    with pytest.raises(CryptoError, match="discovery key"):
        verify_key_log(_log(codec.pack(shape)))


def test_the_modulus_is_checked_before_any_verification() -> None:
    genesis = Genesis.decode(BODY)
    shape = genesis.as_list()
    shape[shape.index(genesis.modulus)] = bytes(1023) + b"\3"
    with pytest.raises(CryptoError, match="exactly 8192 bits"):
        verify_key_log(_log(codec.pack(shape)))


@pytest.mark.parametrize("body", [["p2pchat/1/later", b""], [], [1], 5, "x"])
def test_an_unknown_entry_asks_for_a_newer_version(body: codec.Value) -> None:
    with pytest.raises(BadFormat, match="newer version") as caught:
        verify_key_log(_log(BODY, codec.pack(body)))
    assert "update" in caught.value.hint


def test_a_second_genesis_is_refused() -> None:
    with pytest.raises(BadFormat, match="second genesis"):
        verify_key_log(KeyLog(entries=(ENTRY, ENTRY)).encode())


def test_the_size_is_checked_before_anything_is_read() -> None:
    with pytest.raises(BadFormat, match="at most"):
        verify_key_log(bytes(KEY_LOG_BYTES + 1))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        codec.pack(["p2pchat/1/key-log", []]),
        codec.pack(["p2pchat/1/key-log", [ENTRY] * (KEY_LOG_ENTRIES + 1)]),
        codec.pack(["p2pchat/1/device-set", [ENTRY]]),
        codec.pack(["p2pchat/1/key-log", [BODY]]),  # an entry without a signature
        RAW + b"\0",
    ],
)
def test_other_shapes_are_refused(raw: bytes) -> None:
    with pytest.raises(BadFormat):
        verify_key_log(raw)
