"""A contact whom we dial, who authenticates and then breaks the rules of the connection itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest
import trio
from trio.testing import MockClock

from p2pchat.link.carriers import upgrade
from p2pchat.link.carriers.decoy import draw
from p2pchat.link.carriers.frames import TEXT, encode
from p2pchat.link.establish import Established, respond
from p2pchat.link.quota import SeenEphemerals
from p2pchat.wire import boundary
from p2pchat.wire.boundary import Reason
from p2pchat.wire.frames import Frame, FrameType
from p2pchat.wire.structs import Close
from tests.support.gates import Node, peer, running, still_world, want
from tests.support.identities import NOW_MS
from tests.support.links import credentials, responder
from tests.support.sim_net import PORT, SimListener
from tests.support.sim_pipe import PipeStream

HOME, AWAY = "10.0.0.2", "10.6.6.6"
FAREWELL = Frame(FrameType.CLOSE, Close(reason=Reason.CLOSED).encode())


async def answer(listener: SimListener) -> tuple[Established, PipeStream]:
    """Be identity 1 to the next visitor, whatever he knocks with."""
    stream, _ = await listener.accept()
    visitor = await upgrade.answer(stream, draw(bytes(32)), Random(1).randbytes, now_ms=lambda: NOW_MS)
    assert visitor is not None
    established = await respond(
        visitor.carrier, responder(1), lambda _: credentials(0), SeenEphemerals(), now_ms=lambda: NOW_MS, silent=False
    )
    assert established is not None
    return established, stream


@asynccontextmanager
async def scene() -> AsyncIterator[tuple[Node, Established, PipeStream]]:
    """Node 0 with a link that it dialled."""
    world = still_world()
    (listener,) = await world.host(AWAY).listen(AWAY, PORT)
    assert isinstance(listener, SimListener)
    async with running(world, 0, HOME) as node:
        await node.vault.say(peer(1, (AWAY, PORT)), want(1))
        established, stream = await answer(listener)
        await node.vault.wait(boundary.Up)
        yield node, established, stream


@pytest.mark.parametrize("farewell", [[], [FAREWELL]], ids=["while it stands", "after its last word"])
async def test_a_text_on_a_link_ends_that_link_and_nothing_else(
    farewell: list[Frame], autojump_clock: MockClock
) -> None:
    async with scene() as (node, established, stream):
        if farewell:
            await established.carrier.send(established.sealer.seal(farewell, now_s=0.0))
        await stream.send_all(encode(TEXT, b"sign in first"))
        assert (await node.vault.wait(boundary.Down)).reason in {Reason.CLOSED, Reason.DAMAGED}
        await trio.sleep(5)
        assert stream.into.ended, "our end was closed"


async def test_a_text_while_we_take_leave_ends_nothing_else(autojump_clock: MockClock) -> None:
    async with scene() as (node, _, stream):
        up = node.vault.all(boundary.Up)[0]
        await node.vault.say(want(1, 0), boundary.Cut(link=up.link, reason=Reason.IDLE))
        await trio.sleep(0.2)  # its CLOSE is out, ours is awaited
        await stream.send_all(encode(TEXT, b"sign in first"))
        await node.vault.wait(boundary.Down)
        await trio.sleep(5)
        assert stream.into.ended, "our end was closed"
