"""What a node signs about its own addresses."""

from base64 import b64decode

from trio.testing import MockClock

from p2pchat.contacts.card import read_card
from tests.support.identities import NOW_MS
from tests.support.sim_env import SimClock
from tests.support.simdisk import SimDisk
from tests.support.vaults import Vault, running

DAYS_MS = 40 * 24 * 3600 * 1000


async def sequence(vault: Vault) -> int:
    """Of the record on a new card."""
    card = (await vault.call("contact.card"))["card"]
    found = read_card(card if isinstance(card, bytes) else b64decode(card), now_ms=NOW_MS + DAYS_MS).addresses
    assert found is not None
    return found.sequence


async def test_a_record_is_newer_than_those_before_it_whatever_the_clock_did(autojump_clock: MockClock) -> None:
    """Contacts keep the highest sequence: after a clock was set back they would never learn another address."""
    disk = SimDisk()
    async with running(disk=disk, clock=SimClock(skew_ms=DAYS_MS)) as vault:
        before = await sequence(vault)
        vault.clock.skew_ms = 0
        assert await sequence(vault) > before
    async with running(disk=disk) as vault:
        assert await sequence(vault) > before + 1
