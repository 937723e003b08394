"""What a stranger hands us is proved, or refused with one of our errors: nothing altered passes, nothing crashes."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p2pchat.contacts.card import CARD_MS, armour, read_card, unarmour, write_card
from p2pchat.errors import P2PChatError
from p2pchat.keys.devices import verify_device_set
from p2pchat.keys.key_log import verify_key_log
from p2pchat.keys.seal import LIGHT, open_sealed, seal
from p2pchat.keys.signed import sign, verify_address_record
from p2pchat.keys.vault_file import open_vault, seal_vault
from p2pchat.wire import codec
from p2pchat.wire.structs import Address, AddressRecord
from tests.support.identities import NOW_MS, stored_identity, stored_secrets

ANN = stored_identity(0)
KEY = bytes(32)
ADDRESSES = sign(
    AddressRecord(
        user=ANN.user,
        device=ANN.device.device,
        sequence=NOW_MS,
        not_after_ms=NOW_MS + CARD_MS,
        addresses=(Address(host="192.0.2.1", port=4711, carrier="raw"),),
    ),
    ANN.device,
)
CARD = write_card(ANN, addresses=ADDRESSES, nickname="ann", now_ms=NOW_MS)
RAW_CARD = unarmour(CARD)
READERS = {
    "key log": (verify_key_log, ANN.chain.raw),
    "device set": (lambda raw: verify_device_set(raw, ANN.chain), ANN.devices.raw),
    "addresses": (lambda raw: verify_address_record(raw, ANN.devices), ADDRESSES),
    "card": (lambda raw: read_card(armour(raw), now_ms=NOW_MS), RAW_CARD),
    "armour": (lambda raw: read_card(raw, now_ms=NOW_MS), CARD),
    "vault file": (lambda raw: open_vault(raw, KEY), seal_vault(stored_secrets(0)[0], KEY, bytes(24))),
    "password": (lambda raw: open_sealed(raw, b"password"), seal(b"s" * 32, b"password", fresh=bytes(40), cost=LIGHT)),
}
WHICH = st.sampled_from(sorted(READERS))


@given(WHICH, st.integers(0, 2**32), st.integers(0, 7))
def test_no_flipped_bit_is_accepted(which: str, at: int, bit: int) -> None:
    read, good = READERS[which]
    at %= len(good)
    wrong = good[:at] + bytes([good[at] ^ 1 << bit]) + good[at + 1 :]
    with pytest.raises(P2PChatError):
        read(wrong)


@given(WHICH, st.integers(0, 2**32))
def test_no_truncation_is_accepted(which: str, size: int) -> None:
    read, good = READERS[which]
    with pytest.raises(P2PChatError):
        read(good[: size % (len(good) - 1)])  # the last byte of the armour is a newline


@given(WHICH, st.binary(max_size=300))
def test_garbage_is_refused(which: str, garbage: bytes) -> None:
    read, _ = READERS[which]
    with pytest.raises(P2PChatError):
        read(garbage)


@given(WHICH, st.integers(0, 2**32), st.binary(min_size=1, max_size=40))
def test_inserted_bytes_never_raise_anything_else(which: str, at: int, more: bytes) -> None:
    """Blanks in a card's text, or elements of a later version after the signed ones, may be read; nothing may crash."""
    read, good = READERS[which]
    at %= len(good) + 1
    try:
        read(good[:at] + more + good[at:])
    except P2PChatError:
        return
    assert which in {"armour", "card", "key log", "device set", "addresses"}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.binary(max_size=40) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=12,
)


@given(VALUES, st.integers(0, 20))
def test_any_one_field_of_a_signed_card_may_be_anything(value: codec.Value, at: int) -> None:
    """Not even Ann herself can make a card that crashes its reader."""
    card = read_card(CARD, now_ms=NOW_MS).card
    shape = card.as_list()
    shape[at % len(shape)] = value
    body = codec.pack(shape)
    forged = codec.pack([body, ANN.device.sign.sign(body)])
    try:
        read = read_card(armour(forged), now_ms=NOW_MS)
    except P2PChatError as error:
        assert error.exit_status == 6
        return
    assert read.user == ANN.user


@settings(max_examples=30)
@given(st.text(max_size=60), st.integers(NOW_MS, NOW_MS + CARD_MS))
def test_every_nickname_and_moment_survives(nickname: str, now_ms: int) -> None:
    nickname = nickname.encode("utf-8", "ignore").decode()[:60]
    read = read_card(write_card(ANN, addresses=ADDRESSES, nickname=nickname, now_ms=now_ms), now_ms=now_ms)
    assert read.nickname == nickname
    assert read.card == replace(read.card, user=ANN.user, addresses=ADDRESSES)
