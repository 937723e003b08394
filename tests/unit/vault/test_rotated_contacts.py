"""Contacts whose root was replaced: newer logs are taken, older ones told so, forks stop everything."""

from typing import Any

import trio
from trio.testing import MockClock

from p2pchat.ids import user_id_text
from p2pchat.keys.identity import Identity
from p2pchat.vault.flows.forks import REASON
from p2pchat.wire import boundary
from p2pchat.wire.frames import FrameType
from tests.support.identities import stored_identity, stored_root
from tests.support.rotated import rotated
from tests.support.vaults import ME, Peer, Vault, running


async def events(vault: Vault, kind: str) -> list[dict[str, Any]]:
    found = await vault.call("event.next", wait_ms=0, all=True, peek=True, since=0)
    return [event for event in found["events"] if event["type"] == kind]


async def friends(vault: Vault) -> Peer:
    peer = Peer(vault)
    await peer.befriend()
    number = (await vault.call("contact.verify", peer=user_id_text(peer.identity.user)))["safety_number"]
    await vault.call("contact.verify", peer=user_id_text(peer.identity.user), number=number)
    await peer.down()
    return peer


async def come_back(peer: Peer, identity: Identity) -> None:
    peer.identity = identity
    await peer.up()


async def test_a_newer_root_is_pinned_and_what_was_compared_counts_no_more(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = await friends(vault)
        await come_back(peer, rotated(1, 3))
        await peer.begin()
        await peer.converse()
        assert await vault.lives()
        (contact,) = (await vault.call("contact.list"))["items"]
        assert not contact["verified"]
        (changed,) = await events(vault, "key-changed")
        assert changed["fingerprint"] == stored_root(3).public.fingerprint
        told = [said for said in vault.gate.all(boundary.Peer) if said.key_log == peer.identity.chain.raw]
        assert told  # the gate dials by the newer keys


async def test_who_shows_the_older_log_gets_the_newer_and_nothing_else(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = await friends(vault)
        old, newest = peer.identity, rotated(1, 3)
        await come_back(peer, newest)
        assert await vault.lives()
        await peer.down()
        await come_back(peer, old)
        await peer.send(FrameType.ANSWER, peer.answer())
        assert await vault.lives()
        assert [(sent.kind, sent.body) for sent in peer.sends()] == [(FrameType.STALE_LOG, newest.chain.raw)]
        assert "from before it replaced them" in (await events(vault, "warning"))[-1]["text"]


async def test_a_device_that_is_told_of_its_newer_log_falls_silent(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = await friends(vault)
        await peer.up()
        await peer.send(FrameType.STALE_LOG, stored_identity(ME).chain.raw)  # the same: no news
        assert await vault.lives() and not (await vault.call("status"))["replaced"]
        await peer.down()
        await peer.up()
        await peer.send(FrameType.STALE_LOG, rotated(ME, 3).chain.raw)
        await vault.gate.wait(boundary.Cut, lambda cut: cut.link == peer.link)
        await trio.sleep(1)
        assert (await vault.call("status"))["replaced"]
        assert "was replaced on 2024-10-04" in (await events(vault, "warning"))[-1]["text"]


async def test_somebody_elses_log_and_a_second_one_cut_the_link(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = await friends(vault)
        for bodies in ([rotated(1, 3).chain.raw], [b"x"], [stored_identity(ME).chain.raw] * 2):
            await peer.up()
            for body in bodies:
                await peer.send(FrameType.STALE_LOG, body)
            await vault.gate.wait(boundary.Cut, lambda cut: cut.link == peer.link)
            await peer.down()
        assert await vault.lives() and not (await vault.call("status"))["replaced"]


async def test_a_fork_stops_everything_until_the_user_says_which(autojump_clock: MockClock) -> None:
    mine, thief = rotated(1, 3), rotated(1, 4)
    for chosen, number in ((mine, "safety_number"), (thief, "other_safety_number")):
        async with running() as vault:
            peer = await friends(vault)
            name = user_id_text(peer.identity.user)
            await come_back(peer, mine)
            assert await vault.lives()
            await peer.down()
            await vault.call("send", to=[name], text="wait")
            for shown in (thief, mine, thief):
                await come_back(peer, shown)
                await peer.send(FrameType.ANSWER, peer.answer())
                await peer.begin()
                assert await vault.lives()
                other = mine if shown is thief else thief  # whom it concerns hears of it, and nothing else
                assert [(sent.kind, sent.body) for sent in peer.sends()] == [(FrameType.STALE_LOG, other.chain.raw)]
                await peer.down()
            (waiting,) = (await vault.call("outbox.list"))["items"]
            assert waiting["reason"] == REASON
            assert (await vault.call("contact.show", peer=name))["fork"] == [
                stored_root(3).public.fingerprint,
                stored_root(4).public.fingerprint,
            ]
            assert len([event for event in await events(vault, "warning") if "thief's" in event["text"]]) == 1
            numbers = await vault.call("contact.verify", peer=name)
            assert numbers["safety_number"] != numbers["other_safety_number"]
            await vault.call("contact.verify", peer=name, number=numbers[number])
            await come_back(peer, chosen)
            await peer.begin()  # no ANSWER: the two had agreed before
            await peer.converse()
            assert await vault.lives()
            assert (await vault.call("contact.show", peer=name))["fork"] == []
            assert (await vault.call("contact.verify", peer=name))["verified"]
            assert vault.gate.all(boundary.Peer)[-1].key_log == chosen.chain.raw


async def test_forks_that_come_at_the_same_moment_end_no_vault(autojump_clock: MockClock) -> None:
    async with running() as vault:
        await friends(vault)
        await vault.gate.say(*[_up(rotated(1, by), number) for number, by in ((900, 3), (901, 4))])
        assert await vault.lives()
        await vault.gate.wait(boundary.Cut)


def _up(identity: Identity, number: int) -> boundary.Up:
    return boundary.Up(
        link=number,
        user=identity.user,
        device=identity.device.device,
        role=boundary.Role.CONTACT,
        initiator=False,
        path="direct",
        carrier="ws",
        address="10.0.0.2:4000",
        handshake_hash=bytes(32),
        key_log=identity.chain.raw,
        device_set=identity.devices.raw,
    )
