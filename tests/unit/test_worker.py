import os
import sys
import threading

import pytest
import trio
import trio.testing

from p2pchat.errors import CryptoError
from p2pchat.worker import ThreadWork


async def test_functions_run_outside_the_loop_one_at_a_time_in_order() -> None:
    work, go = ThreadWork(), threading.Event()
    ran: list[tuple[int, int]] = []

    def slow(number: int) -> int:
        assert go.wait(5)
        ran.append((number, threading.get_ident()))
        return number * 2

    results: list[int] = []

    async def one(number: int) -> None:
        results.append(await work(slow, number))

    async with trio.open_nursery() as nursery:
        for number in (1, 2, 3):
            nursery.start_soon(one, number)
            await trio.testing.wait_all_tasks_blocked()
        assert ran == []
        go.set()
    assert [number for number, _ in ran] == [1, 2, 3]
    assert len({thread for _, thread in ran} | {threading.get_ident()}) == 2, "one thread, and not the loop's"
    assert sorted(results) == [2, 4, 6]


async def test_errors_come_back_and_the_thread_goes_on() -> None:
    def fail() -> None:
        raise CryptoError("no")

    work = ThreadWork()
    with pytest.raises(CryptoError, match="no"):
        await work(fail)
    assert await work(lambda: 7) == 7


async def test_a_cancelled_caller_waits_for_what_it_began() -> None:
    work, go, ended = ThreadWork(), threading.Event(), False

    def slow() -> None:
        nonlocal ended
        assert go.wait(5)
        ended = True

    async def call(scope: trio.CancelScope) -> None:
        with scope:
            await work(slow)
            await trio.lowlevel.checkpoint()

    scope = trio.CancelScope()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(call, scope)
        await trio.testing.wait_all_tasks_blocked()
        scope.cancel()
        await trio.testing.wait_all_tasks_blocked()
        assert not ended
        go.set()
    assert ended
    assert scope.cancelled_caught


async def test_a_caller_that_is_cancelled_already_begins_nothing() -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        await ThreadWork()(pytest.fail, "it ran")
    assert scope.cancelled_caught


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives a thread a niceness of its own")
async def test_a_thread_that_gives_way_does_so_alone() -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = niceness()
    assert await ThreadWork(nice=5)(niceness) == min(19, before + 5)
    assert await ThreadWork()(niceness) == niceness() == before


def test_a_sandbox_that_forbids_to_give_way_stops_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: int) -> None:
        raise PermissionError("seccomp")

    def ask() -> None:
        answers.append(trio.run(ThreadWork(nice=5), lambda: 7))

    answers: list[int] = []
    monkeypatch.setattr(os, "setpriority", forbidden)
    loop = threading.Thread(target=ask, daemon=True)  # of its own: who waits for an answer cannot be cancelled
    loop.start()
    loop.join(10)
    assert answers == [7]
