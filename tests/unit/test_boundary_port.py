"""In which order the boundary carries what can wait and what cannot."""

import trio
from trio.testing import MockClock

from p2pchat.boundary_port import BoundaryPort
from p2pchat.wire import boundary
from p2pchat.wire.boundary import Reason, Sent, Took
from p2pchat.wire.shape import Struct
from tests.support.gates import peer


async def written(port: BoundaryPort, other_end: trio.abc.Stream) -> list[Struct]:
    """What one write brings to the other side."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(port.write)
        messages = boundary.BoundaryReader().feed(bytes(await other_end.receive_some(1 << 20)))
        nursery.cancel_scope.cancel()
    return messages


async def test_TOOK_does_not_overtake_what_was_said_before_it(autojump_clock: MockClock) -> None:
    """A frame may have made its sender a contact; the gate has to know that before it reads the frame behind."""
    near, far = trio.testing.memory_stream_pair()
    port = BoundaryPort(near)
    contact = peer(1)
    port.send_soon(Took(link=1, seq=1))
    port.send(contact)
    port.send_soon(Took(link=1, seq=2))
    assert await written(port, far) == [contact, Took(link=1, seq=2)]


async def test_of_each_link_the_last_one_goes_after_a_moment_without_company(autojump_clock: MockClock) -> None:
    near, far = trio.testing.memory_stream_pair()
    port = BoundaryPort(near)
    for seq in (1, 2, 3):
        port.send_soon(Sent(link=1, seq=seq))
    port.send_soon(Sent(link=2, seq=1))
    assert await written(port, far) == [Sent(link=1, seq=3), Sent(link=2, seq=1)]


async def test_what_waits_for_a_link_goes_before_the_word_that_it_is_down(autojump_clock: MockClock) -> None:
    """SENT behind DOWN would find no link."""
    near, far = trio.testing.memory_stream_pair()
    port = BoundaryPort(near)
    port.send_soon(Sent(link=1, seq=3))
    port.send_soon(Sent(link=2, seq=1))
    down = boundary.Down(link=1, reason=Reason.LOST)
    port.hasten(1)
    port.hasten(7)
    port.send(down)
    assert await written(port, far) == [Sent(link=1, seq=3), down, Sent(link=2, seq=1)]
