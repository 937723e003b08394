"""What is pinned for a contact only moves forward, and what was compared lasts as long as the keys do."""

from collections.abc import Iterator

import pytest

from p2pchat.errors import Untrusted
from p2pchat.ids import Incarnation
from p2pchat.keys.identity import Identity
from p2pchat.keys.standing import Standing
from p2pchat.store import contacts, events
from p2pchat.store.contacts import Contact, NewContact
from p2pchat.store.tx import Tx
from p2pchat.vault.flows import pins
from tests.support.device_sets import successor
from tests.support.identities import NOW_MS, stored_identity
from tests.support.simdisk import SimDisk
from tests.support.stores import open_tx

BEN = stored_identity(1)
LATER = successor(BEN, BEN.devices)


@pytest.fixture
def tx() -> Iterator[Tx]:
    disk = SimDisk()
    yield open_tx(disk)
    disk.close()


@pytest.fixture
def ben(tx: Tx) -> Contact:
    """Met with his second set, and compared."""
    new = NewContact(
        user=BEN.user, state="accepted", direction="out", via="card", incarnation=Incarnation(b"i" * 8), nickname="ben"
    )
    contact = contacts.add(tx, new, NOW_MS)
    assert keep(tx, contact, LATER) is Standing.NEWER
    contacts.set_verified(tx, contact.id, True, NOW_MS)
    return contact


def keep(tx: Tx, contact: Contact, shown: Identity) -> Standing:
    return pins.keep(tx, contact.id, shown.chain, shown.devices, NOW_MS)


def seen(tx: Tx, contact: Contact) -> tuple[bytes, bool, list[str]]:
    """(set hash held, verified, events)."""
    pin, row = pins.held(tx, contact.id), contacts.get(tx, contact.id)
    assert pin is not None
    assert row is not None
    return pin.devices.set_hash, row.verified, [e.type for e in events.after(tx, 0, limit=9, messages_only=False)]


def test_a_renewal_is_kept_without_a_word(tx: Tx, ben: Contact) -> None:
    renewed = successor(BEN, LATER.devices)
    assert keep(tx, ben, renewed) is Standing.NEWER
    assert seen(tx, ben) == (renewed.devices.set_hash, True, [])


def test_a_replacement_is_kept_and_told_and_no_longer_verified(tx: Tx, ben: Contact) -> None:
    replaced = successor(BEN, LATER.devices, days=3)
    assert keep(tx, ben, replaced) is Standing.NEWER
    assert seen(tx, ben) == (replaced.devices.set_hash, False, ["key-changed"])


@pytest.mark.parametrize(
    ("shown", "standing"),
    [(BEN, Standing.OLDER), (LATER, Standing.SAME), (successor(BEN, BEN.devices, days=60), Standing.FORKED)],
)
def test_what_is_not_newer_is_not_kept(tx: Tx, ben: Contact, shown: Identity, standing: Standing) -> None:
    assert keep(tx, ben, shown) is standing
    assert seen(tx, ben) == (LATER.devices.set_hash, True, [])


def test_another_root_is_refused(tx: Tx, ben: Contact) -> None:
    with pytest.raises(Untrusted, match="both successors"):
        keep(tx, ben, stored_identity(2))
    assert seen(tx, ben) == (LATER.devices.set_hash, True, [])
