"""What this node says about itself: its signed addresses and its profile."""

from typing import Final

from p2pchat.build import build_hash
from p2pchat.config import split_address
from p2pchat.ids import user_id_text
from p2pchat.keys.identity import Identity
from p2pchat.keys.own_log import kept, whole
from p2pchat.keys.signed import sign
from p2pchat.limits import ADDRESSES
from p2pchat.store import meta
from p2pchat.store.writer import Store
from p2pchat.wire import boundary
from p2pchat.wire.card_code import write_card_code
from p2pchat.wire.structs import Address, AddressRecord, CardCode, Signed

RECORD_MS: Final = 30 * 24 * 3600 * 1000


class Sequence:
    """Of own address records. It rises where the clock does not, over restarts too: contacts keep the highest."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last = store.read(lambda reader: meta.integer(reader, meta.ADDRESSES))

    @property
    def last(self) -> int:
        """The highest that was given out, or is to be passed by."""
        return self._last

    def pass_by(self, sequence: int) -> None:
        """The next one shall be higher than this."""
        self._last = max(self._last, sequence)

    def next(self, now_ms: int) -> int:
        given = self._last = max(now_ms, self._last + 1)
        self._store.change_nowait(lambda tx: meta.put(tx, meta.ADDRESSES, given))
        return given


def address_record(
    identity: Identity, reachable: tuple[str, ...], carriers: tuple[str, ...], sequence: int, now_ms: int
) -> bytes:
    """An encoded Signed(AddressRecord) of ``HOST:PORT`` texts, each with all ``carriers``; the first ones that fit.

    What is no address is left out.
    """
    parsed = [found for found in map(split_address, reachable) if found is not None]
    addresses = [Address(host=host, port=port, carrier=carrier) for host, port in parsed for carrier in carriers]
    record = AddressRecord(
        user=identity.user,
        device=identity.device.device,
        sequence=sequence,
        not_after_ms=now_ms + RECORD_MS,
        addresses=tuple(addresses[:ADDRESSES]),
    )
    return sign(record, identity.device)


def card_code(identity: Identity, record: bytes, not_after_ms: int) -> str:
    """The text of a card's QR code with the addresses of ``record``, an encoded Signed(AddressRecord).

    Raises Untrusted while the own key log is not known: the first link could not show what the code promises.
    """
    return write_card_code(
        CardCode(
            user=identity.user,
            head16=whole(identity.chain).head[:16],
            set_sequence=identity.devices.sequence,
            set_hash16=identity.devices.set_hash[:16],
            not_after_ms=not_after_ms,
            addresses=AddressRecord.decode(Signed.decode(record).body).addresses,
        )
    )


def hello(identity: Identity) -> boundary.VaultHello:
    """What the gate is told about this node: at the start, and again when the device set is renewed."""
    return boundary.VaultHello(
        build=build_hash(),
        user=identity.user,
        device=identity.device.device,
        key_log=kept(identity.chain),
        device_set=identity.devices.raw,
    )


def text(identity: Identity) -> str:
    """The own ID as people exchange it."""
    return user_id_text(identity.user)
