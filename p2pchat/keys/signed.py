"""What a device signs with ``sign_ed25519``: address records and cards.

Both structures carry their label, the user's ID and the device inside, so the signature over the encoding is enough.
"""

from typing import TypeVar

from p2pchat.errors import BadFormat, Untrusted
from p2pchat.keys.devices import DeviceKeys, VerifiedSet
from p2pchat.keys.signatures import verify_ed25519
from p2pchat.limits import ADDRESS_RECORD_BYTES
from p2pchat.wire.structs import AddressRecord, Card, Signed

DeviceSigned = TypeVar("DeviceSigned", AddressRecord, Card)


def sign(record: AddressRecord | Card, keys: DeviceKeys) -> bytes:
    """An encoded Signed by the device that ``record`` names."""
    body = record.encode()
    return Signed(body=body, signature=keys.sign.sign(body)).encode()


def verify_address_record(raw: bytes, devices: VerifiedSet) -> AddressRecord:
    """Check an encoded Signed(AddressRecord). Raises BadFormat, Untrusted (other ID or device), BadSignature."""
    record = _verify(AddressRecord, Signed.decode(raw), devices, "address record")
    if len(raw) > ADDRESS_RECORD_BYTES:  # fields of a later version, say: what is kept must also fit where it goes next
        raise BadFormat(f"an address record has at most {ADDRESS_RECORD_BYTES} bytes")
    return record


def verify_card_signature(signed: Signed, devices: VerifiedSet) -> Card:
    """Check a Signed(Card) against the device set that came with it. Raises as ``verify_address_record``."""
    return _verify(Card, signed, devices, "card")


def _verify(kind: type[DeviceSigned], signed: Signed, devices: VerifiedSet, what: str) -> DeviceSigned:
    record = kind.decode(signed.body)
    if record.user != devices.user:
        raise Untrusted(f"the {what} belongs to another ID")
    device = devices.device(record.device)
    if device is None:
        raise Untrusted(f"the {what} comes from a device that its ID does not list")
    verify_ed25519(device.sign_ed25519, signed.signature, signed.body, what)
    return record
