"""A contact whose device set expired a week ago gets nothing more until it renews, and the user reads why."""

from dataclasses import replace

from trio.testing import MockClock

from p2pchat.ids import user_id_text
from p2pchat.keys.devices import DEVICE_SET_MS, make_device_set, verify_device_set
from p2pchat.keys.identity import Identity
from p2pchat.limits import EXPIRED_SET_GRACE_DAYS
from p2pchat.vault.flows.outflow import EXPIRED
from tests.support.sim_env import EPOCH_MS
from tests.support.vaults import Peer, Vault, running

_DAY_MS = 24 * 3600 * 1000


def renewed(old: Identity) -> Identity:
    raw = make_device_set(
        old.root,
        old.user,
        [old.record],
        sequence=old.devices.sequence + 1,
        prev=old.devices.set_hash,
        not_after_ms=old.devices.not_after_ms + DEVICE_SET_MS,
    )
    return replace(old, devices=verify_device_set(raw, old.chain))


async def reasons(vault: Vault) -> list[str]:
    return [row["reason"] for row in (await vault.call("outbox.list"))["items"]]


async def test_sending_pauses_and_goes_on_after_a_renewal(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.befriend()
        grace_ms = (EXPIRED_SET_GRACE_DAYS + 1) * _DAY_MS
        vault.clock.skew_ms = peer.identity.devices.not_after_ms - EPOCH_MS + grace_ms
        await vault.call("send", to=[user_id_text(peer.identity.user)], text="wait for me")
        assert await vault.lives()
        assert await reasons(vault) == [EXPIRED]
        await peer.down()

        peer.identity = renewed(peer.identity)
        await peer.up()
        await peer.begin()
        await peer.converse()
        assert await vault.lives()
        assert await reasons(vault) == [""]
