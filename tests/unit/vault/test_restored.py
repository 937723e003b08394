"""After a login from a backup: friends show their tickets, and the device that was replaced falls silent."""

import pytest
import trio
from trio.testing import MockClock

from p2pchat.contacts.request import Between, open_answer
from p2pchat.contacts.ticket import friend_ticket
from p2pchat.errors import Forbidden
from p2pchat.ids import user_id_text
from p2pchat.keys.devices import verify_device_set
from p2pchat.keys.identity import FRESH_BYTES, load_identity, restore_identity
from p2pchat.vault.renewal import GATHER_S
from p2pchat.wire import boundary
from p2pchat.wire.frames import FrameType
from p2pchat.wire.own_files import VaultSecrets
from p2pchat.wire.structs import ContactAnswer
from tests.support.identities import NOW_MS, stored_identity
from tests.support.simdisk import SimDisk
from tests.support.vaults import Peer, Vault, running

ME = stored_identity(0)


def shown(peer: Peer, held: bytes) -> bytes:
    """The peer's ANSWER with the ticket that it says to have of the vault."""
    return peer._sealed(
        ContactAnswer(accepted=True, reply=False, ticket=b"t" * 32, nickname="friend", addresses=b"", held=held)
    )


async def states(vault: Vault) -> list[str]:
    return [contact["state"] for contact in (await vault.call("contact.list"))["items"]]


async def event_types(vault: Vault) -> list[str]:
    found = await vault.call("event.next", wait_ms=0, all=True, peek=True, since=0)
    return [event["type"] for event in found["events"]]


async def test_who_shows_my_ticket_is_listed_again_and_heard(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault, role=boundary.Role.STRANGER)
        await peer.up()
        await peer.send(FrameType.ANSWER, shown(peer, friend_ticket(ME.scalar, peer.identity.user)))
        told = await vault.gate.wait(boundary.Peer, lambda said: said.user == peer.identity.user)
        assert told.role == boundary.Role.CONTACT
        await peer.begin()
        await peer.converse()
        assert await vault.lives()
        assert await states(vault) == ["restored"]
        assert await event_types(vault) == ["contact-restored"]
        assert (await vault.call("status"))["contacts"] == 1
        (waiting,) = (await vault.call("contact.requests"))["items"]
        assert (waiting["nickname"], waiting["direction"]) == ("friend", "in")
        await vault.call("contact.accept", id=user_id_text(peer.identity.user))
        assert await states(vault) == ["accepted"]


@pytest.mark.parametrize("held", [b"", bytes(32), b"x" * 32, friend_ticket(ME.scalar, stored_identity(2).user)])
async def test_any_other_ticket_lists_nobody(autojump_clock: MockClock, held: bytes) -> None:
    async with running() as vault:
        peer = Peer(vault, role=boundary.Role.STRANGER)
        await peer.up()
        await peer.send(FrameType.ANSWER, shown(peer, held))
        assert await vault.lives()
        assert await states(vault) == await event_types(vault) == []


async def test_who_was_removed_does_not_come_back_by_his_ticket(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.befriend()
        await vault.call("contact.remove", peer=user_id_text(peer.identity.user))
        await peer.down()
        peer.role = boundary.Role.STRANGER
        await peer.up()
        await peer.send(FrameType.ANSWER, shown(peer, friend_ticket(ME.scalar, peer.identity.user)))
        assert await vault.lives()
        assert await states(vault) == []


async def test_a_friend_on_a_new_device_is_shown_the_ticket_that_it_once_gave(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.befriend()
        await peer.down()
        old = peer.identity
        secrets, _ = restore_identity(old.lasting, fresh=b"n" * FRESH_BYTES, now_ms=NOW_MS)
        peer.identity = load_identity(secrets)
        await peer.up()
        sent = await vault.gate.wait(
            boundary.Send, lambda sent: sent.link == peer.link and sent.kind == FrameType.ANSWER
        )
        between = Between(ME.user, peer.identity.user, peer.link_hash)
        answer = open_answer(sent.body, between, recipient=peer.identity.device, sender=ME.record)
        assert answer.held == bytes(32)  # as Peer.answer gave it
        assert await vault.lives()
        assert "key-changed" in await event_types(vault)


def replacement() -> tuple[bytes, VaultSecrets]:
    """The set of a login elsewhere, which does not list the vault's device."""
    secrets, _ = restore_identity(ME.lasting, fresh=b"r" * FRESH_BYTES, now_ms=NOW_MS)
    return secrets.device_set, secrets


async def test_a_replaced_device_has_no_links_any_more_and_signs_no_successor(autojump_clock: MockClock) -> None:
    saved: list[VaultSecrets] = []
    disk = SimDisk()
    async with running(save=saved.append, disk=disk) as vault:
        peer, other = Peer(vault), Peer(vault, identity=stored_identity(2))
        await peer.befriend()
        await other.befriend()
        newer, _ = replacement()
        assert verify_device_set(newer, ME.chain).sequence > ME.devices.sequence
        await peer.send(FrameType.STALE_SET, newer)
        assert (await other.cut()).reason == boundary.Reason.CLOSED  # not "do not come again": the new device is wanted
        await trio.sleep(GATHER_S + 1)
        assert saved == []
        gone = {said.user for said in vault.gate.all(boundary.Peer) if said.role == boundary.Role.STRANGER}
        assert gone == {peer.identity.user, other.identity.user}
        assert (await vault.call("status"))["replaced"] is True
        with pytest.raises(Forbidden, match="logged in on another machine"):
            await vault.call("send", to=[user_id_text(peer.identity.user)], text="too late")
        with pytest.raises(Forbidden):
            await vault.call("contact.card")
        assert (await event_types(vault)).count("warning") == 1
    async with running(save=saved.append, disk=disk) as vault:  # and so it stays
        assert (await vault.call("status"))["replaced"] is True
        assert not [said for said in vault.gate.all(boundary.Peer) if said.role == boundary.Role.CONTACT]
        late = Peer(vault)
        await late.up()
        assert (await late.cut()).reason == boundary.Reason.CLOSED


async def test_a_login_whose_clock_stood_behind_signs_a_successor_and_lives(autojump_clock: MockClock) -> None:
    """It has agreed keys with nobody yet, so it is the new machine and not the old one."""
    saved: list[VaultSecrets] = []
    async with running(save=saved.append) as vault:
        peer = Peer(vault, role=boundary.Role.STRANGER)
        await peer.up()
        newer, _ = replacement()
        await peer.send(FrameType.STALE_SET, newer)
        await trio.sleep(GATHER_S + 1)
        (signed,) = (load_identity(secrets).devices for secrets in saved)
        found = verify_device_set(newer, ME.chain)
        assert (signed.sequence, signed.prev) == (found.sequence + 1, found.set_hash)
        assert (await vault.call("status"))["replaced"] is False


async def restored(vault: Vault) -> Peer:
    """A friend who came back by its ticket and has agreed keys."""
    peer = Peer(vault, role=boundary.Role.STRANGER)
    await peer.up()
    await peer.send(FrameType.ANSWER, shown(peer, friend_ticket(ME.scalar, peer.identity.user)))
    await peer.begin()
    await peer.converse()
    return peer


async def test_a_restored_friend_who_is_blocked_and_unblocked_is_a_friend(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = await restored(vault)
        who = user_id_text(peer.identity.user)
        await vault.call("contact.block", peer=who)
        await vault.call("contact.unblock", peer=who)
        assert await states(vault) == ["accepted"]


async def test_a_restored_friend_who_is_rejected_loses_the_link(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = await restored(vault)
        await vault.call("contact.reject", id=user_id_text(peer.identity.user))
        assert (await peer.cut()).reason == boundary.Reason.UNWANTED
        assert await states(vault) == []


async def test_a_restored_friend_who_asks_anew_is_answered(autojump_clock: MockClock) -> None:
    """It removed and added me: my answer is what it waits for."""
    async with running() as vault:
        peer = await restored(vault)
        await peer.down()
        peer.role = boundary.Role.CONTACT
        await peer.up()
        await peer.send(FrameType.REQUEST, peer.request())
        await vault.gate.wait(boundary.Send, lambda sent: sent.link == peer.link and sent.kind == FrameType.ANSWER)
        assert await states(vault) == ["restored"]
