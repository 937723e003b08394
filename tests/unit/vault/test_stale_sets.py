"""A device set that is not the newest: the link carries nothing but the newer one, and its owner signs a successor."""

from typing import Any

import apsw
import pytest
import trio
from trio.testing import MockClock

from p2pchat.ids import user_id_text
from p2pchat.keys.devices import VerifiedSet, verify_device_set
from p2pchat.keys.identity import Identity, load_identity
from p2pchat.keys.standing import Standing
from p2pchat.vault import renewal
from p2pchat.vault.flows.stale import REASON
from p2pchat.vault.renewal import GATHER_S, LOOK_EVERY_S
from p2pchat.wire import boundary
from p2pchat.wire.frames import FrameType
from p2pchat.wire.own_files import VaultSecrets
from tests.support.device_sets import successor
from tests.support.identities import stored_identity
from tests.support.vaults import Peer, Vault, running

ONE_DAY_S = 24 * 3600


async def events(vault: Vault, kind: str) -> list[dict[str, Any]]:
    found = await vault.call("event.next", wait_ms=0, all=True, peek=True, since=0)
    return [event for event in found["events"] if event["type"] == kind]


async def test_a_peer_with_an_older_set_gets_the_newest_and_nothing_else(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        old = peer.identity
        peer.identity = successor(old, old.devices)
        await peer.befriend()
        await vault.call("send", to=[user_id_text(old.user)], text="wait for new keys")
        await peer.down()

        newest, peer.identity = peer.identity.devices, old
        await peer.up()
        await peer.send(FrameType.ANSWER, peer.answer())
        await peer.begin()
        assert await vault.lives()
        assert [(sent.kind, sent.body) for sent in peer.sends()] == [(FrameType.STALE_SET, newest.raw)]
        assert not [cut for cut in vault.gate.all(boundary.Cut) if cut.link == peer.link]
        (warning,) = await events(vault, "warning")
        assert "older keys" in warning["text"]
        assert warning["from"] == user_id_text(old.user)
        (waiting,) = (await vault.call("outbox.list"))["items"]
        assert waiting["reason"] == REASON

        await peer.down()
        peer.identity = successor(old, newest, days=0.1)
        await peer.up()
        await peer.begin()
        await peer.converse()
        assert await vault.lives()
        assert len(await events(vault, "key-changed")) == 1
        assert (await vault.call("outbox.list"))["items"][0]["reason"] == ""


async def test_two_sets_of_one_number_are_told_as_two_computers(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        first = peer.identity
        peer.identity = successor(first, first.devices)
        await peer.befriend()
        await peer.down()
        held, peer.identity = peer.identity.devices, successor(first, first.devices, days=60)
        for _ in range(3):  # a copy that dials again and again is told of once a day
            await peer.up()
            await vault.gate.wait(boundary.Send, lambda sent: sent.link == peer.link)
            assert [(sent.kind, sent.body) for sent in peer.sends()] == [(FrameType.STALE_SET, held.raw)]
            await peer.down()
        (warning,) = await events(vault, "warning")
        assert "two computers" in warning["text"]


async def test_a_renewal_in_good_time_is_no_news(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.befriend()
        await peer.down()
        peer.identity = successor(peer.identity, peer.identity.devices)
        await peer.up()
        await peer.begin()
        await peer.converse()
        assert await events(vault, "key-changed") == []


class KeyFile:
    """What the vault has saved."""

    def __init__(self) -> None:
        self.saved: list[VaultSecrets] = []

    def save(self, secrets: VaultSecrets) -> None:
        self.saved.append(secrets)

    @property
    def sets(self) -> list[VerifiedSet]:
        return [load_identity(secrets).devices for secrets in self.saved]


def ahead(own: Identity, steps: int) -> VerifiedSet:
    """A set of the vault's own identity that it did not sign."""
    for _ in range(steps):
        own = successor(own, own.devices, days=1)
    return own.devices


async def test_one_successor_satisfies_all_who_hold_a_newer_set(autojump_clock: MockClock) -> None:
    file = KeyFile()
    async with running(save=file.save) as vault:
        peers = [Peer(vault, identity=stored_identity(index)) for index in (1, 2, 3)]
        own = peers[0].own
        for peer in peers:
            await peer.befriend()
        for steps, peer in enumerate(peers, start=1):
            await peer.send(FrameType.STALE_SET, ahead(own, steps).raw)
        await trio.sleep(GATHER_S + 1)

        (signed,) = file.sets
        newest = ahead(own, 3)
        assert (signed.sequence, signed.prev) == (newest.sequence + 1, newest.set_hash)
        assert [signed.standing(ahead(own, steps)) for steps in (1, 2, 3)] == [Standing.NEWER] * 3
        told = vault.gate.all(boundary.VaultHello)[-1]
        assert told.device_set == signed.raw
        for peer in peers:
            assert (await peer.cut()).reason == boundary.Reason.LOST
        texts = [event["text"] for event in await events(vault, "warning")]
        assert any("older copy" in text for text in texts)


async def test_at_most_one_successor_a_day(autojump_clock: MockClock) -> None:
    file = KeyFile()
    async with running(save=file.save) as vault:
        peer = Peer(vault)
        await peer.befriend()
        await peer.send(FrameType.STALE_SET, ahead(peer.own, 1).raw)
        await trio.sleep(GATHER_S + 1)
        assert len(file.saved) == 1
        await peer.down()
        await peer.up()
        await peer.send(FrameType.STALE_SET, ahead(peer.own, 5).raw)
        await trio.sleep(LOOK_EVERY_S)
        assert len(file.saved) == 1
        assert "less than a day ago" in (await events(vault, "warning"))[-1]["text"]
        await trio.sleep(ONE_DAY_S)
        assert [found.sequence for found in file.sets] == [3, 7]


async def test_a_set_that_my_root_did_not_sign_cuts_the_link(autojump_clock: MockClock) -> None:
    file = KeyFile()
    async with running(save=file.save) as vault:
        peer = Peer(vault)
        await peer.befriend()
        await peer.send(FrameType.STALE_SET, successor(peer.identity, peer.identity.devices).devices.raw)
        assert (await peer.cut()).reason == boundary.Reason.DAMAGED
        await trio.sleep(GATHER_S + 1)
        assert file.saved == []


@pytest.mark.parametrize("steps", [0, 1])
async def test_a_set_of_mine_that_is_no_news_changes_nothing(autojump_clock: MockClock, steps: int) -> None:
    file = KeyFile()
    async with running(save=file.save) as vault:
        peer = Peer(vault)
        await peer.befriend()
        if steps:
            await peer.send(FrameType.STALE_SET, ahead(peer.own, 2).raw)
            await trio.sleep(GATHER_S + 1)
            await peer.down()
            await peer.up()
        await peer.send(FrameType.STALE_SET, peer.own.devices.raw)
        await trio.sleep(GATHER_S + 1)
        assert await vault.lives()
        assert len(file.saved) == steps


def test_a_successor_names_what_it_follows() -> None:
    own = stored_identity(0)
    later = successor(own, own.devices).devices
    assert verify_device_set(later.raw, own.chain).prev == own.devices.set_hash
    assert later.renews(own.devices)
    assert not successor(own, own.devices, days=44).devices.renews(own.devices)  # before it was due
    skipped = ahead(own, 2)
    assert not skipped.renews(own.devices)


async def test_a_full_disk_ends_no_vault_that_replaces_its_keys_nor_signs_twice_a_day(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise apsw.FullError("database or disk is full")

    file = KeyFile()
    async with running(save=file.save) as vault:
        peer = Peer(vault)
        await peer.befriend()
        with monkeypatch.context() as patch:
            patch.setattr(renewal, "_note", full)
            await peer.send(FrameType.STALE_SET, ahead(peer.own, 1).raw)
            await trio.sleep(GATHER_S + 1)
        assert len(file.sets) == 1
        await peer.down()
        await peer.up()
        await peer.begin()
        with monkeypatch.context() as patch:
            patch.setattr(renewal.alarms, "tell", full)
            await peer.send(FrameType.STALE_SET, ahead(peer.own, 5).raw)
            await trio.sleep(GATHER_S + 1)
        assert await vault.lives()
        assert len(file.sets) == 1
