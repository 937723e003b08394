from dataclasses import replace

import pytest

from p2pchat.errors import BadFormat, BadSignature, Untrusted
from p2pchat.ids import DeviceId
from p2pchat.keys.signed import sign, verify_address_record, verify_card_signature
from p2pchat.wire.structs import Address, AddressRecord, Card, Signed
from tests.support.identities import NOW_MS, stored_identity

ANN, BOB = stored_identity(0), stored_identity(1)
RECORD = AddressRecord(
    user=ANN.user,
    device=ANN.device.device,
    sequence=NOW_MS,
    not_after_ms=NOW_MS + 1,
    addresses=(Address(host="192.0.2.1", port=4711, carrier="raw"), Address(host="::1", port=1, carrier="ws")),
)
CARD = Card(
    user=ANN.user,
    device=ANN.device.device,
    key_log=ANN.chain.raw,
    device_set=ANN.devices.raw,
    addresses=b"",
    nickname="ann",
    created_ms=NOW_MS,
    not_after_ms=NOW_MS,
)


def test_address_records_and_cards_survive() -> None:
    assert verify_address_record(sign(RECORD, ANN.device), ANN.devices) == RECORD
    assert verify_card_signature(Signed.decode(sign(CARD, ANN.device)), ANN.devices) == CARD


def test_another_device_cannot_sign() -> None:
    with pytest.raises(BadSignature, match="address record is not signed"):
        verify_address_record(sign(RECORD, BOB.device), ANN.devices)


def test_another_id_or_an_unlisted_device_is_refused() -> None:
    with pytest.raises(Untrusted, match="another ID"):
        verify_address_record(sign(replace(RECORD, user=BOB.user), ANN.device), ANN.devices)
    with pytest.raises(Untrusted, match="does not list"):
        verify_address_record(sign(replace(RECORD, device=DeviceId(bytes(16))), ANN.device), ANN.devices)


def test_one_kind_is_never_taken_for_another() -> None:
    with pytest.raises(BadFormat, match="no AddressRecord"):
        verify_address_record(sign(CARD, ANN.device), ANN.devices)
    with pytest.raises(BadFormat, match="no Card"):
        verify_card_signature(Signed.decode(sign(RECORD, ANN.device)), ANN.devices)


def test_a_root_signature_is_no_device_signature() -> None:
    body = RECORD.encode()
    with pytest.raises(BadSignature):
        verify_address_record(Signed(body=body, signature=ANN.root.sign(body)).encode(), ANN.devices)
