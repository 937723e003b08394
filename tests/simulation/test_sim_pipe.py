"""The simulated streams are as bad as they claim to be, and no worse."""

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.support.sim_pipe import Fate, Pipe, PipeStream, Trouble, stream_pair


def pair(fate: Fate | None = None, *, capacity: int = 1000) -> tuple[PipeStream, PipeStream]:
    there = Pipe(capacity=capacity)
    there.fate = fate
    return stream_pair(there, Pipe(capacity=capacity))


async def received(stream: PipeStream) -> bytes:
    """All that arrives within an hour, until the end or a reset."""
    got = b""
    with trio.move_on_after(3600):
        try:
            while data := await stream.receive_some():
                got += data
        except trio.BrokenResourceError:
            got += b"!"
    return got


async def test_a_full_pipe_holds_the_sender_back(autojump_clock: MockClock) -> None:
    near, far = pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(near.send_all, bytes(1500))
        await wait_all_tasks_blocked()
        assert near.out.held == 1000
        assert await far.receive_some(600) == bytes(600)
        assert near.out.passed == 1000
    assert near.out.passed == 1500


async def test_a_cut_comes_at_its_very_byte(autojump_clock: MockClock) -> None:
    near, far = pair(Fate(Trouble.CUT, 7))
    await near.send_all(b"abcde")
    await near.send_all(b"fghij")
    with pytest.raises(trio.BrokenResourceError):
        await near.send_all(b"k")
    assert await received(far) == b"abcdefg!"


async def test_a_lossy_cut_takes_what_is_on_its_way(autojump_clock: MockClock) -> None:
    near, far = pair(Fate(Trouble.LOSSY_CUT, 7))
    await near.send_all(b"abcde")
    assert await far.receive_some(2) == b"ab"
    await near.send_all(b"fghij")
    assert await received(far) == b"!"


async def test_a_half_open_stream_takes_everything_and_brings_nothing(autojump_clock: MockClock) -> None:
    near, far = pair(Fate(Trouble.SILENCE, 3))
    await near.send_all(bytes(5000))
    assert await received(far) == bytes(3)


async def test_a_stall_delays_and_keeps_the_order(autojump_clock: MockClock) -> None:
    near, far = pair(Fate(Trouble.STALL, 2, stall_s=30))
    await near.send_all(b"abcd")
    assert await far.receive_some() == b"ab"
    assert trio.current_time() == 0
    await near.send_all(b"ef")
    near.out.end()
    assert await received(far) == b"cdef"
    assert trio.current_time() == 30


async def test_nothing_passes_a_wall_until_it_falls(autojump_clock: MockClock) -> None:
    walls = {"wall"}
    near, far = stream_pair(Pipe(parted=lambda: bool(walls)), Pipe())
    await near.send_all(b"through")
    async with trio.open_nursery() as nursery:

        async def fall() -> None:
            await trio.sleep(100)
            walls.clear()
            near.out.ring()

        nursery.start_soon(fall)
        assert await far.receive_some() == b"through"
    assert trio.current_time() == 100


async def test_a_frozen_end_says_and_hears_nothing_more(autojump_clock: MockClock) -> None:
    near, far = pair()
    await near.send_all(b"before")
    near.freeze()
    with trio.move_on_after(10) as silence:
        await near.send_all(b"after")
    assert silence.cancelled_caught
    await near.aclose()  # the ``finally`` of a dead process
    assert await received(far) == b"before"
    near.release()  # its system lives on
    assert await received(far) == b""


async def test_closing_over_unread_bytes_resets(autojump_clock: MockClock) -> None:
    near, far = pair()
    await far.send_all(b"unread")
    await near.send_all(b"last words")
    await near.aclose()
    assert await received(far) == b"last words!"
