from dataclasses import replace
from hashlib import sha256

import pytest

from p2pchat.errors import BadFormat, BadSignature, Untrusted
from p2pchat.ids import DeviceId
from p2pchat.keys.devices import NO_SET, DeviceKeys, make_device_record, make_device_set, verify_device_set
from p2pchat.limits import DEVICE_SET_BYTES, DEVICES
from p2pchat.wire import codec
from p2pchat.wire.structs import DeviceRecord, DeviceSet, Signed
from tests.support.identities import NOW_MS, stored_identity

ANN, BOB = stored_identity(0), stored_identity(1)


def _record(number: int) -> DeviceRecord:
    keys = DeviceKeys.from_seeds(DeviceId(bytes([number]) * 16), bytes([number]) * 32, bytes(32), bytes(64))
    return make_device_record(keys, ANN.user, bytes([number]) * 32)


def _set(records: list[DeviceRecord], **fields: int | bytes) -> bytes:
    shape = DeviceSet(
        user=ANN.user,
        sequence=1,
        prev=NO_SET,
        not_after_ms=NOW_MS,
        records=tuple(record.encode() for record in records),
    )
    body = replace(shape, **fields).encode()  # type: ignore[arg-type]
    return Signed(body=body, signature=ANN.root.sign(body)).encode()


def test_a_set_of_eight_devices_survives() -> None:
    records = [_record(i) for i in range(1, DEVICES + 1)]
    raw = make_device_set(ANN.root, ANN.user, records, sequence=7, prev=b"p" * 32, not_after_ms=NOW_MS)
    assert len(raw) <= DEVICE_SET_BYTES
    found = verify_device_set(raw, ANN.chain)
    assert found.records == tuple(records)
    assert (found.user, found.sequence, found.prev, found.not_after_ms) == (ANN.user, 7, b"p" * 32, NOW_MS)
    assert (found.set_hash, found.raw) == (sha256(Signed.decode(raw).body).digest(), raw)
    assert found.device(records[3].device) == found.by_link_key(records[3].link_x25519) == records[3]
    assert found.device(DeviceId(bytes(16))) is None
    assert found.by_link_key(bytes(32)) is None


def test_expiry_is_told_not_judged() -> None:
    found = verify_device_set(_set([_record(1)]), ANN.chain)
    assert not found.expired(NOW_MS)
    assert found.expired(NOW_MS + 1)


def test_the_public_halves_belong_to_the_private_ones() -> None:
    record = ANN.record
    assert record.sign_ed25519 == ANN.device.sign.public_key().public_bytes_raw()
    assert record.box_x25519 == ANN.device.box_x25519.public_key().public_bytes_raw()
    assert record.box_mlkem768 == ANN.device.box_mlkem.public_key().public_bytes_raw()


def test_another_root_cannot_sign_the_set() -> None:
    body = Signed.decode(ANN.devices.raw).body
    with pytest.raises(BadSignature, match="device set is not signed"):
        verify_device_set(Signed(body=body, signature=BOB.root.sign(body)).encode(), ANN.chain)


def test_a_set_of_another_id_is_refused() -> None:
    with pytest.raises(Untrusted, match="another ID"):
        verify_device_set(BOB.devices.raw, ANN.chain)


def test_a_record_of_another_id_is_refused() -> None:
    with pytest.raises(Untrusted, match="a device of another ID"):
        verify_device_set(_set([_record(1), BOB.record]), ANN.chain)


def test_a_device_or_a_link_key_stands_once() -> None:
    one, two = _record(1), _record(2)
    with pytest.raises(BadFormat, match="twice"):
        verify_device_set(_set([one, replace(two, device=one.device)]), ANN.chain)
    with pytest.raises(BadFormat, match="share a link key"):
        verify_device_set(_set([one, replace(two, link_x25519=one.link_x25519)]), ANN.chain)


def test_a_genesis_signature_is_no_set_signature() -> None:
    entry = Signed(body=ANN.chain.genesis_body, signature=ANN.root.sign(ANN.chain.genesis_body)).encode()
    with pytest.raises(BadFormat, match="no DeviceSet"):
        verify_device_set(entry, ANN.chain)


@pytest.mark.parametrize(
    "raw",
    [b"", codec.pack([b"", bytes(1024)]), ANN.devices.raw[:-1], ANN.chain.raw],
)
def test_other_shapes_are_refused(raw: bytes) -> None:
    with pytest.raises(BadFormat):
        verify_device_set(raw, ANN.chain)


def test_the_size_is_checked_before_anything_is_read() -> None:
    with pytest.raises(BadFormat, match="at most"):
        verify_device_set(bytes(DEVICE_SET_BYTES + 1), ANN.chain)


@pytest.mark.parametrize("count", [0, DEVICES + 1])
def test_a_set_holds_one_to_eight_devices(count: int) -> None:
    with pytest.raises(BadFormat):
        verify_device_set(_set([_record(i) for i in range(count)]), ANN.chain)
