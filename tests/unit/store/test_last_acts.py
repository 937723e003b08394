"""``Tx.at_end``: once a transaction, after all its jobs, undone with them."""

import pytest

from p2pchat.env import Env
from p2pchat.errors import NotFound
from p2pchat.store import contacts, meta, tails
from p2pchat.store.tx import Tx
from tests.support.stores import new_contact, send
from tests.unit.store.test_writer import all_meta, env, running

__all__ = ["env"]  # a fixture


def count(tx: Tx) -> int:
    total = len(all_meta(tx))
    meta.put(tx, "counted", total)
    return total


async def test_many_jobs_make_one_act_after_them_all(env: Env) -> None:
    seen: list[int] = []

    def job(number: int) -> None:
        def change(tx: Tx) -> None:
            meta.put(tx, f"job {number}", number)
            tx.at_end("count", count, seen.append)

        store.change_nowait(change)

    async with running(env) as store:
        for number in range(5):
            job(number)
        await store.flush()
        assert seen == [5]
        job(9)
        await store.flush()
        assert seen == [5, 7]  # the next transaction has its own


async def test_an_act_that_fails_takes_nothing_with_it(env: Env) -> None:
    def job(tx: Tx) -> None:
        meta.put(tx, "kept", 1)
        tx.at_end("bad", bad, lambda _: None)

    def bad(tx: Tx) -> None:
        meta.put(tx, "lost", 1)
        raise NotFound("an act's own error")

    errors: list[Exception] = []
    async with running(env, errors=errors) as store:
        await store.change(job)
        assert store.read(all_meta) == {"kept": 1}
    assert [str(error) for error in errors] == ["an act's own error"]


async def test_a_job_that_fails_alone_makes_nothing_due(env: Env) -> None:
    seen: list[int] = []

    def job(tx: Tx) -> None:
        tx.at_end("count", count, seen.append)
        raise NotFound("no")

    async with running(env) as store:
        with pytest.raises(NotFound):
            await store.change(job)
        assert store.read(all_meta) == {}
    assert seen == []


async def test_an_act_may_ask_for_another(env: Env) -> None:
    seen: list[int] = []

    def job(tx: Tx) -> None:
        tx.at_end("first", lambda last: last.at_end("second", count, seen.append), lambda _: None)

    async with running(env) as store:
        await store.change(job)
    assert seen == [0]


async def test_a_body_that_was_queued_and_undone_is_not_there_to_be_sealed(env: Env) -> None:
    seen: list[bytes | None] = []

    def job(tx: Tx) -> None:
        bob = contacts.add(tx, new_contact("b"), 1)
        send(tx, "undone", bob)
        assert tails.fresh(tx, bob.id, 1)
        raise NotFound("no")

    errors: list[Exception] = []
    async with running(env, errors=errors) as store:
        store.change_nowait(lambda tx: meta.put(tx, "kept", 1))
        store.change_nowait(job)
        store.change_nowait(lambda tx: seen.append(tails.fresh(tx, 1, 1)))
        await store.flush()
        assert store.counts.largest == 4
    assert (len(errors), seen) == (1, [None])
