from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import apsw
import pytest
import trio

from p2pchat.env import Env
from p2pchat.errors import NotFound
from p2pchat.store import batch, meta
from p2pchat.store.cell import Cell
from p2pchat.store.tx import Reader, Tx
from p2pchat.store.writer import Store, StoreFailed
from tests.support.sim_env import SimClock, sim_env
from tests.support.simdisk import SimDisk
from tests.support.stores import KEY

PATH = Path("/vault.db")


def put(name: str, value: int) -> Callable[[Tx], int]:
    def job(tx: Tx) -> int:
        meta.put(tx, name, value)
        return value

    return job


def fail(tx: Tx) -> int:
    meta.put(tx, "failed", 1)
    raise NotFound("a job's own error")


def all_meta(reader: Reader) -> dict[str, int]:
    return dict(reader.all("SELECT name, value FROM meta"))


@pytest.fixture
def env() -> Env:
    return sim_env("store", clock=SimClock(), disk=SimDisk(), net=None)


@asynccontextmanager
async def running(env: Env, path: Path = PATH, errors: list[Exception] | None = None) -> AsyncIterator[Store]:
    store = await Store.open(env, path, KEY, on_error=None if errors is None else errors.append)
    async with trio.open_nursery() as nursery:
        await nursery.start(store.run)
        yield store
        nursery.cancel_scope.cancel()
    store.close()


async def test_a_change_is_seen_once_it_returns(env: Env) -> None:
    async with running(env) as store:
        assert await store.change(put("a", 5)) == 5
        assert store.read(all_meta) == {"a": 5}
        assert await store.read_slow(all_meta) == {"a": 5}


async def test_effects_run_in_job_order_after_the_commit_and_before_any_caller_wakes(env: Env) -> None:
    seen: list[tuple[str, dict[str, int]]] = []
    async with running(env) as store:

        async def change(name: str) -> None:
            await store.change(put(name, 1), after=lambda _: seen.append((f"after {name}", store.read(all_meta))))
            seen.append(("woken", {}))

        async with trio.open_nursery() as nursery:
            for name in "abc":
                nursery.start_soon(change, name)
            await trio.testing.wait_all_tasks_blocked()
    order = [name for name, _ in seen]
    assert sorted(order[:3]) == ["after a", "after b", "after c"]
    assert order[3:] == ["woken"] * 3
    assert all(rows == {"a": 1, "b": 1, "c": 1} for _, rows in seen[:3])  # one transaction held all three


async def test_many_queued_jobs_keep_their_order(env: Env) -> None:
    order: list[int] = []
    async with running(env) as store:
        for number in range(3 * batch.BATCH_JOBS):
            store.change_nowait(put("last", number), after=order.append)
        await store.flush()
        assert order == list(range(3 * batch.BATCH_JOBS))
        assert store.read(all_meta) == {"last": order[-1]}


@pytest.mark.parametrize("bad", [0, 1, 2])
async def test_a_job_that_raises_is_undone_alone(env: Env, bad: int) -> None:
    results: list[object] = []
    async with running(env, errors=results) as store:  # type: ignore[arg-type]
        for number in range(3):
            store.change_nowait(fail if number == bad else put(f"{number}", 1), after=results.append)
        await store.flush()
        assert store.read(all_meta) == {f"{number}": 1 for number in range(3) if number != bad}
    assert [isinstance(one, NotFound) for one in results] == [number == bad for number in range(3)]


async def test_the_error_of_a_job_is_raised_where_it_was_asked_for(env: Env) -> None:
    async with running(env) as store:
        with pytest.raises(NotFound, match="a job's own error"):
            await store.change(fail)
        with pytest.raises(apsw.ConstraintError):
            await store.change(lambda tx: tx.execute("INSERT INTO out_queues VALUES (99, x'', 0, 0, 0, 0, x'', '')"))
        with pytest.raises(apsw.SQLError):
            await store.change(lambda tx: tx.execute("no such statement"))
        assert await store.change(put("a", 1)) == 1


async def test_an_error_that_nobody_awaits_ends_the_writer(env: Env) -> None:
    with pytest.RaisesGroup(NotFound, flatten_subgroups=True):
        async with running(env) as store:
            store.change_nowait(fail)
            await trio.sleep_forever()


async def test_a_bug_in_an_effect_is_loud(env: Env) -> None:
    def bug(_: object) -> None:
        raise ZeroDivisionError

    with pytest.RaisesGroup(ZeroDivisionError, flatten_subgroups=True):
        async with running(env) as store:
            await store.change(put("a", 1), after=bug)
            await trio.sleep_forever()


async def test_a_caller_that_gives_up_does_not_take_its_job_back(env: Env) -> None:
    store = await Store.open(env, PATH, KEY)
    with trio.move_on_after(0) as scope:
        await store.change(put("a", 1))
    assert scope.cancelled_caught
    async with trio.open_nursery() as nursery:
        await nursery.start(store.run)
        await store.flush()
        assert store.read(all_meta) == {"a": 1}
        nursery.cancel_scope.cancel()
    store.close()


async def test_an_effect_may_queue_the_next_change(env: Env) -> None:
    async with running(env) as store:
        done = trio.Event()

        def again(value: int) -> None:
            if value < 5:
                store.change_nowait(put("n", value + 1), after=again)
            else:
                done.set()

        store.change_nowait(put("n", 0), after=again)
        await done.wait()
        assert store.read(all_meta) == {"n": 5}


async def test_taking_stops_after_so_many_jobs_or_so_much_time(env: Env) -> None:
    transactions: list[list[int]] = []

    async def spy(fn: Callable[..., object], *args: object) -> object:
        if fn is batch.run:
            transactions.append([])
        await trio.lowlevel.checkpoint()
        return fn(*args)

    def note(value: int) -> None:
        transactions[-1].append(value)

    clock = SlowClock()
    slow = replace(env, db_work=spy, clock=clock)  # type: ignore[arg-type]
    async with running(slow) as store:
        for number in range(batch.BATCH_JOBS + 1):
            store.change_nowait(put("n", number), after=note)
        await store.flush()
        assert [len(jobs) for jobs in transactions] == [batch.BATCH_JOBS, 1]
        transactions.clear()
        clock.step_s = batch.BATCH_S / 2  # every look at the clock: half the time is over
        for number in range(4):
            store.change_nowait(put("n", number), after=note)
        await store.flush()
        assert [len(jobs) for jobs in transactions] == [2, 2, 0]


class SlowClock(SimClock):
    now_s = 0.0
    step_s = 0.0

    def boot_s(self) -> float:
        self.now_s += self.step_s
        return self.now_s


async def test_cells_change_with_their_job(env: Env) -> None:
    cell = Cell(0)
    seen: list[int] = []

    def good(tx: Tx) -> None:
        cell.put(tx, cell.get(tx) + 1)

    def bad(tx: Tx) -> None:
        cell.put(tx, 100)
        raise NotFound("undone")

    async with running(env, errors=[]) as store:
        for job in (good, bad, good):
            store.change_nowait(job, after=lambda _: seen.append(cell.value))
        await store.flush()
    assert seen == [1, 2]
    assert cell.value == 2


async def test_a_crash_loses_what_was_not_committed(env: Env) -> None:
    disk = env.disk
    assert isinstance(disk, SimDisk)
    store = await Store.open(env, PATH, KEY)
    with pytest.RaisesGroup(StoreFailed):
        async with trio.open_nursery() as nursery:
            await nursery.start(store.run)
            await store.change(put("before", 1))
            disk.crash()
            store.change_nowait(put("after", 1))
            await trio.sleep_forever()
    with pytest.raises(OSError, match="frozen"):
        await Store.open(env, PATH, KEY)
    disk.thaw()
    async with running(env) as again:
        assert again.read(all_meta) == {"before": 1}
