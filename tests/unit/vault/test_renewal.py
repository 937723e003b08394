"""The own device set is renewed in good time, so a disk that is full meanwhile costs nothing but another try."""

import trio
from trio.testing import MockClock

from p2pchat.errors import DiskFull
from p2pchat.keys.devices import verify_device_set
from p2pchat.keys.key_log import verify_key_log
from p2pchat.vault.renewal import LOOK_EVERY_S, SETTLE_S
from p2pchat.wire import boundary
from p2pchat.wire.own_files import VaultSecrets
from tests.support.sim_env import SimClock
from tests.support.vaults import Peer, running

DAYS_MS = 50 * 24 * 3600 * 1000  # more than half of a set's life


class Disk:
    """Takes no key file while it is ``full``."""

    def __init__(self) -> None:
        self.full = True
        self.saved: list[VaultSecrets] = []

    def save(self, secrets: VaultSecrets) -> None:
        if self.full:
            raise DiskFull("no room to write vault.key")
        self.saved.append(secrets)


async def test_a_full_disk_keeps_no_vault_from_starting(autojump_clock: MockClock) -> None:
    async with running(save=Disk().save, clock=SimClock(skew_ms=DAYS_MS)) as vault:
        assert await vault.lives()


async def test_a_set_that_could_not_be_stored_is_renewed_later(autojump_clock: MockClock) -> None:
    disk = Disk()
    async with running(save=disk.save) as vault:
        vault.clock.skew_ms = DAYS_MS
        await trio.sleep(LOOK_EVERY_S + 1)
        assert await vault.lives()
        assert vault.gate.all(boundary.VaultHello)[1:] == []  # it shows no set that a restart would forget

        disk.full = False
        await trio.sleep(LOOK_EVERY_S)
        told = await vault.gate.wait(boundary.VaultHello, lambda hello: hello.device_set == disk.saved[0].device_set)
        assert verify_device_set(told.device_set, verify_key_log(told.key_log)).sequence == 2


async def test_links_that_may_show_the_old_set_are_made_anew(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.befriend()
        vault.clock.skew_ms = DAYS_MS
        await trio.sleep(LOOK_EVERY_S)
        await vault.gate.wait(boundary.VaultHello, lambda hello: hello != vault.gate.heard[0])
        assert (await peer.cut()).reason == boundary.Reason.LOST
        await peer.down()
        await peer.up()  # its handshake had begun before
        await trio.sleep(SETTLE_S + 1)
        assert (await peer.cut()).reason == boundary.Reason.LOST
