"""Frames whose numbers a peer may choose (walls 4.2): in this version no number grants anything."""

import pytest
from trio.testing import MockClock

from p2pchat.wire import boundary
from p2pchat.wire.frames import Frame, FrameType
from tests.support.attacks import down, scene


@pytest.mark.parametrize("grant", [2**63, 2**64 - 1, -1, 0])
async def test_H023_credit_of_any_size_grants_nothing(grant: int, autojump_clock: MockClock) -> None:
    """The window is the receiver's own: CREDIT is read over, and what follows is taken as before."""
    async with scene() as on:
        attack = await on.link()
        credit = Frame(FrameType.CREDIT, grant.to_bytes(9, signed=True))
        await attack.frames(credit, Frame(FrameType.ENVELOPE, b"as before"))
        assert (await on.node.vault.wait(boundary.Arrived)).body == b"as before"


async def test_H023_credit_that_is_said_to_be_critical_cuts_the_link(autojump_clock: MockClock) -> None:
    async with scene() as on:
        attack = await on.link()
        await attack.frames(Frame(FrameType.CREDIT, b"\x01", critical=True))
        assert await down(on.node) is boundary.Reason.DAMAGED
