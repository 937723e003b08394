"""``keep_events``: what ``recv`` says after events that it had not shown grew too old."""

from typing import Any

import trio
from trio.testing import MockClock

from p2pchat.ids import user_id_text
from p2pchat.wire.frames import FrameType
from tests.support.peer_messages import say_resume
from tests.support.vaults import Peer, Vault, running
from tests.unit.vault.test_hostile_peers import envelope

AGE_MS = 91 * 24 * 3600 * 1000  # more than the default
HOUR_S = 3600.0


async def read(vault: Vault, **params: object) -> list[dict[str, Any]]:
    return list((await vault.call("event.next", wait_ms=0, **params))["events"])


async def receive(peer: Peer, *numbers: int) -> None:
    for number in numbers:
        frame = envelope(peer, number, f"text {number}")
        await peer.send(FrameType.ENVELOPE, frame.body)
    assert await peer.vault.lives()


async def test_a_reader_that_fell_behind_hears_of_it_before_what_is_left(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.befriend()
        await say_resume(peer, tail=0)
        await receive(peer, 1)
        (first,) = await read(vault)
        assert await read(vault, after=first["cursor"]) == []
        await receive(peer, 2, 3)
        vault.clock.skew_ms += AGE_MS
        await trio.sleep(HOUR_S + 1)
        await receive(peer, 4)

        for params in ({}, {"since": first["cursor"]}, {"all": True}, {"reader": "new", "peek": True}):
            (gap,) = await read(vault, **params)
            assert gap["type"] == "warning"
            assert "are older than 90 days" in gap["text"]
        (gap,) = await read(vault)
        assert gap["text"].startswith("2 messages")
        (fourth,) = await read(vault, after=gap["cursor"])
        assert fourth["text"] == "text 4"
        assert await read(vault, after=fourth["cursor"]) == []
        assert [event["text"] for event in await read(vault, since=gap["cursor"])] == ["text 4"]
        kept = await vault.call("history", peer=user_id_text(peer.identity.user))
        assert len(kept["items"]) == 4
