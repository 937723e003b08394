"""Signed address records of contacts: the newest one is kept, and only one that the device at hand signed."""

from p2pchat.errors import P2PChatError
from p2pchat.keys.devices import VerifiedSet
from p2pchat.keys.signed import verify_address_record
from p2pchat.store import contacts
from p2pchat.store.tx import Tx
from p2pchat.wire.structs import AddressRecord


def keep_addresses(tx: Tx, contact: int, record: bytes, devices: VerifiedSet, now_ms: int) -> bool:
    """Keep an encoded Signed(AddressRecord), verified before, if it is newer than the one held. Whether it was."""
    if not record or _sequence(record, devices) <= _sequence(contacts.objects(tx, contact).addresses, devices):
        return False
    contacts.set_addresses(tx, contact, record, now_ms)
    return True


def newer_held(tx: Tx, contact: int, shown: AddressRecord, devices: VerifiedSet) -> bytes:
    """The record that is held, encoded, where the same device signed it after ``shown``; else empty."""
    held = contacts.objects(tx, contact).addresses
    if _sequence(held, devices) <= shown.sequence or verify_address_record(held, devices).device != shown.device:
        return b""
    return held


def _sequence(record: bytes, devices: VerifiedSet) -> int:
    """-1 for none, and for one of a device that is no longer listed."""
    try:
        return verify_address_record(record, devices).sequence if record else -1
    except P2PChatError:
        return -1
