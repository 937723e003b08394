"""The writer over files: a full disk, a failing one, a wrong key, damage."""

import errno
from dataclasses import replace
from pathlib import Path

import pytest
import trio

from p2pchat.env import Env
from p2pchat.errors import Corrupt, DiskFull
from p2pchat.store import contacts
from p2pchat.store.disk import SystemDisk
from p2pchat.store.writer import Store, StoreFailed
from tests.support.power.faults import Call, Faults, at
from tests.support.power.trace import Trace
from tests.support.power.vfs import RecordingVfs
from tests.support.stores import KEY, new_contact
from tests.unit.store.test_writer import all_meta, env, put, running

__all__ = ["env"]  # a fixture

# --- on a real disk --------------------------------------------------------------------------------------------------


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def faulty(env: Env, faults: Faults, tmp_path: Path) -> tuple[Env, Path]:
    vfs = RecordingVfs(Trace(tmp_path), faults)
    disk = SystemDisk(vfs.name)
    disk.vfs = vfs  # type: ignore[attr-defined]  # lives as long as the disk
    return replace(env, disk=disk), tmp_path / "vault.db"


async def test_a_full_disk_undoes_the_batch_and_the_store_goes_on(faulty: tuple[Env, Path], faults: Faults) -> None:
    errors: list[Exception] = []
    async with running(*faulty, errors=errors) as store:
        await store.change(put("a", 1))
        faults.fail = at("write", 1, errno.ENOSPC, until=10**6)
        store.change_nowait(put("b", 1))
        with pytest.raises(DiskFull) as caught:
            await store.change(put("c", 1))
        assert caught.value.hint
        assert [type(error) for error in errors] == [DiskFull]
        assert store.read(all_meta) == {"a": 1}
        faults.clear()
        assert await store.change(put("d", 1)) == 1
        assert store.read(all_meta) == {"a": 1, "d": 1}
    async with running(*faulty) as store:
        assert store.read(all_meta) == {"a": 1, "d": 1}


async def test_a_store_that_may_not_grow_says_so(env: Env, tmp_path: Path) -> None:
    real = replace(env, disk=SystemDisk())
    async with running(real, tmp_path / "vault.db") as store:
        pages = await store.change(lambda tx: tx.value("PRAGMA page_count"))
        await store.change(lambda tx: tx.value(f"PRAGMA max_page_count = {pages}"))
        with pytest.raises(DiskFull):
            await store.change(lambda tx: tx.execute("INSERT INTO meta VALUES ('big', zeroblob(100000))"))
        assert await store.change(put("small", 1)) == 1


@pytest.mark.parametrize("fault", ["write", "sync"])
async def test_an_error_of_the_disk_ends_the_writer_and_what_was_committed_stays(
    faulty: tuple[Env, Path], faults: Faults, fault: Call
) -> None:
    store = await Store.open(*faulty, KEY)
    told: list[StoreFailed] = []

    async def caller() -> None:
        with trio.CancelScope(shield=True):
            try:
                await store.change(put("b", 1))
            except StoreFailed as failed:
                told.append(failed)

    with pytest.RaisesGroup(StoreFailed), trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            await nursery.start(store.run)
            await store.change(put("a", 1))
            faults.fail = at(fault, 1, until=10**6)
            nursery.start_soon(caller)
    assert [failed.code for failed in told] == ["FAILED"]
    faults.clear()
    store.close()
    async with running(*faulty) as again:
        assert again.read(all_meta)["a"] == 1


async def test_whoever_waits_hears_of_a_failed_disk_before_the_writer_ends(
    faulty: tuple[Env, Path], faults: Faults
) -> None:
    """Also where a job for which nobody waits met it in the same transaction."""
    store = await Store.open(*faulty, KEY)
    told: list[StoreFailed] = []

    async def ask() -> None:
        try:
            await store.change(put("b", 1))
        except StoreFailed as failed:
            await trio.sleep(0.01)  # an answer takes a moment to leave
            told.append(failed)

    with pytest.RaisesGroup(StoreFailed), trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            await nursery.start(store.run)
            faults.fail = at("sync", 1, until=10**6)
            store.change_nowait(put("a", 1))
            nursery.start_soon(ask)
    assert len(told) == 1
    store.close()


@pytest.mark.parametrize(("error", "ends"), [(errno.EIO, True), (errno.ENOSPC, False)])
async def test_a_disk_that_fails_while_the_log_is_moved_ends_the_store(
    faulty: tuple[Env, Path], faults: Faults, monkeypatch: pytest.MonkeyPatch, error: int, ends: bool
) -> None:
    """A full one does not: all of it is committed, and may stay in the log."""
    monkeypatch.setattr("p2pchat.store.writer._TIDY_COMMITS", 1)
    async with running(*faulty) as store:
        await store.change(put("a", 1))
        faults.fail = at("write", 1, error, until=10**6)
        if ends:
            with pytest.raises(StoreFailed):
                await store.tidy()
        else:
            await store.tidy()
        faults.clear()
        assert store.read(all_meta) == {"a": 1}


async def test_a_wrong_key_is_told_without_a_change(env: Env, tmp_path: Path) -> None:
    real = replace(env, disk=SystemDisk())
    path = tmp_path / "vault.db"
    async with running(real, path) as store:
        await store.change(lambda tx: contacts.add(tx, new_contact("b"), 1))
    before = path.read_bytes()
    with pytest.raises(Corrupt):
        await Store.open(real, path, bytes(32))
    assert path.read_bytes() == before


async def test_damage_that_a_read_meets_is_told(env: Env, tmp_path: Path) -> None:
    real = replace(env, disk=SystemDisk())
    path = tmp_path / "vault.db"
    async with running(real, path) as store:
        await store.change(lambda tx: tx.execute("INSERT INTO meta VALUES ('big', zeroblob(100000))"))
    damaged = bytearray(path.read_bytes())
    damaged[-2 * 4096] ^= 1
    path.write_bytes(damaged)
    async with running(real, path) as store:
        with pytest.raises(Corrupt, match="cannot be read"):
            store.read(lambda reader: reader.value("SELECT length(hex(value)) FROM meta"))
