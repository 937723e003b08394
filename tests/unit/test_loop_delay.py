"""How late the event loop is."""

import trio
from trio.testing import MockClock

from p2pchat.loop_delay import LOOK_EVERY_S, LoopDelay


async def test_what_holds_the_loop_up_is_seen_for_a_minute(mock_clock: MockClock) -> None:
    delay = LoopDelay()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(delay.watch)
        await trio.testing.wait_all_tasks_blocked()
        mock_clock.jump(LOOK_EVERY_S + 0.25)  # nobody ran meanwhile
        await trio.testing.wait_all_tasks_blocked()
        assert delay.worst_s == 0.25
        for _ in range(12):
            assert delay.worst_s == 0.25
            mock_clock.jump(LOOK_EVERY_S)
            await trio.testing.wait_all_tasks_blocked()
        assert delay.worst_s == 0
        nursery.cancel_scope.cancel()
