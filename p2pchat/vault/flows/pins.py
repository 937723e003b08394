"""The keys that are pinned for a contact: the newest set wins, and the user sees every replacement (protocol.md 3)."""

from dataclasses import dataclass

from p2pchat.errors import Untrusted
from p2pchat.keys.devices import VerifiedSet, verify_device_set
from p2pchat.keys.key_log import KeyChain, verify_key_log
from p2pchat.keys.standing import Standing
from p2pchat.store import contacts, events
from p2pchat.store.tx import Reader, Tx
from p2pchat.vault.flows import forks
from p2pchat.wire.structs import AddressRecord, CardCode, Signed


@dataclass(frozen=True, slots=True)
class Pin:
    """What is held of a contact."""

    chain: KeyChain
    devices: VerifiedSet


def held(reader: Reader, contact: int) -> Pin | None:
    """None for somebody who was added by ID alone and has not been met yet."""
    objects = contacts.objects(reader, contact)
    if not objects.key_log:
        return None
    chain = verify_key_log(objects.key_log)
    return Pin(chain, verify_device_set(objects.device_set, chain))


def standing_of_log(pin: Pin, chain: KeyChain) -> Standing:
    """How a log that is shown stands to the pinned one. Raises Untrusted for a fork."""
    standing = chain.standing(pin.chain)
    if standing is Standing.FORKED:
        raise Untrusted(
            "these keys and those pinned for the contact are both successors of the same older ones, so one of the two"
            f" is a thief's (pinned: {pin.chain.root.fingerprint[:16]}, shown: {chain.root.fingerprint[:16]})",
            hint="ask the contact in person which fingerprint p2pchat whoami shows",
        )
    return standing


def check_code(reader: Reader, contact: int, chain: KeyChain, devices: VerifiedSet) -> None:
    """Raise Untrusted where a contact's first keys do not fit the QR code by which it was added."""
    raw = contacts.expected(reader, contact)
    if not raw:
        return
    code = CardCode.decode(raw)
    same_set = devices.set_hash[:16] == code.set_hash16
    newer = devices.sequence > code.set_sequence
    if chain.head[:16] != code.head16 or not (newer or (same_set and devices.sequence == code.set_sequence)):
        raise Untrusted(
            "the keys that are shown do not fit those that you took for this contact's (a QR code, or a number)",
            hint="ask the contact for a new code, in person",
        )


def keep(tx: Tx, contact: int, chain: KeyChain, devices: VerifiedSet, now_ms: int) -> Standing:
    """Pin a verified set where it is newer than the one held; how it stands to that. Raises as ``standing_of_log``."""
    pin = held(tx, contact)
    log = standing = Standing.NEWER
    if pin is None:
        check_code(tx, contact, chain, devices)
    else:
        log = standing_of_log(pin, chain)
        standing = devices.standing(pin.devices) if log is Standing.SAME else log
    if standing is not Standing.NEWER:
        return standing
    forks.settled_by(tx, contact, chain, now_ms)
    contacts.set_chain(tx, contact, chain.raw, devices.raw, devices.sequence, now_ms)
    _drop_addresses(tx, contact, devices, now_ms)
    if pin is not None and (log is Standing.NEWER or not devices.renews(pin.devices)):
        contacts.set_verified(tx, contact, False, now_ms)
        same_key = log is Standing.SAME  # a login on another machine
        fields: dict[str, str | int | bool | None] = {"fingerprint": chain.root.fingerprint, "login": same_key}
        events.append(tx, "key-changed", now_ms, contact=contact, fields=fields)
    return standing


def _drop_addresses(tx: Tx, contact: int, devices: VerifiedSet, now_ms: int) -> None:
    """Where a device was reached that the new set does not list is no news of the contact any more."""
    raw = contacts.objects(tx, contact).addresses
    if raw and devices.device(AddressRecord.decode(Signed.decode(raw).body).device) is None:
        contacts.set_addresses(tx, contact, b"", now_ms)
