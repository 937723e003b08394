"""Each message names the one before it in its queue: a fork is told, and costs no message."""

from dataclasses import replace

import trio
from trio.testing import MockClock

from p2pchat.delivery import body as bodies
from p2pchat.delivery.body import chain_hash
from p2pchat.ids import Incarnation, MessageId
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import MessageBody
from tests.support.peer_messages import say_resume, slot
from tests.support.vaults import Peer, Vault, running


def text(peer: Peer, number: int, previous: bytes, *, void: bool = False) -> MessageBody:
    place = slot(peer, number, previous=previous)
    return bodies.void_body(place) if void else bodies.text_body(place, f"text {number}")


async def send(peer: Peer, *messages: MessageBody) -> None:
    for message in messages:
        peer.agreement, frame = peer.agreement.seal_body(message.encode(), bytes(24))
        await peer.send(FrameType.ENVELOPE, frame)
    await trio.sleep(1)


async def meet(vault: Vault) -> Peer:
    peer = Peer(vault)
    await peer.befriend()
    await resume(peer, b"life one")
    return peer


async def resume(peer: Peer, life: bytes) -> None:
    await say_resume(peer, tail=9, life=Incarnation(life))
    await trio.sleep(1)


async def shown(vault: Vault) -> tuple[list[str], list[str]]:
    """(texts, warnings)"""
    found = (await vault.call("event.next", all=True, peek=True))["events"]
    kinds = ("message", "warning")
    texts, warnings = ([event["text"] for event in found if event["type"] == kind] for kind in kinds)
    return texts, warnings


async def test_messages_that_follow_each_other_say_nothing(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = await meet(vault)
        one = text(peer, 1, bodies.FIRST)
        two = text(peer, 2, chain_hash(one.encode()))
        await send(peer, one, two, text(peer, 3, chain_hash(two.encode())))
        assert await shown(vault) == (["text 1", "text 2", "text 3"], [])


async def test_a_message_that_does_not_follow_warns_and_is_kept(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = await meet(vault)
        one = text(peer, 1, bodies.FIRST)
        await send(peer, one, text(peer, 2, chain_hash(replace(one, content=b"what another copy wrote").encode())))
        texts, (warning,) = await shown(vault)
        assert texts == ["text 1", "text 2"]
        assert "does not follow the one that came before it" in warning
        assert (2).to_bytes(16).hex() in warning


async def test_behind_a_void_and_in_a_new_life_nothing_is_known(autojump_clock: MockClock) -> None:
    """A void is not the body that its follower names, and a new life's first message follows nothing."""
    async with running() as vault:
        peer = await meet(vault)
        cancelled = text(peer, 1, bodies.FIRST)
        await send(peer, text(peer, 1, bodies.FIRST, void=True), text(peer, 2, chain_hash(cancelled.encode())))
        await resume(peer, b"life two")
        await send(peer, replace(text(peer, 1, bodies.FIRST), message=MessageId(b"another message!")))
        assert await shown(vault) == (["text 2", "text 1"], [])
