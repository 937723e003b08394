from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from p2pchat.errors import Corrupt, DiskFull
from p2pchat.store import disk
from p2pchat.store.disk import SystemDisk
from p2pchat.store.writer import Store
from tests.support.sim_env import SimClock, sim_env
from tests.support.stores import KEY


async def test_damage_that_a_write_meets_is_told_and_ends_the_writer_for_good(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """Corrupt, not a failure of the disk: the launcher starts no store again that no start can mend."""
    env = sim_env("damage", clock=SimClock(), disk=SystemDisk(), net=None)
    path = tmp_path / "store.db"
    store = await Store.open(env, path, KEY)
    async with trio.open_nursery() as nursery:
        await nursery.start(store.run)
        await store.change(lambda tx: tx.execute("INSERT INTO meta VALUES ('big', zeroblob(100000))"))
        nursery.cancel_scope.cancel()
    store.close()
    damaged = bytearray(path.read_bytes())
    for page in range(len(damaged) - 10 * 4096, len(damaged), 4096):
        damaged[page] ^= 1
    path.write_bytes(damaged)

    store = await Store.open(env, path, KEY)
    told: list[Corrupt] = []

    async def ask() -> None:
        try:
            await store.change(lambda tx: tx.execute("DELETE FROM meta"))
        except Corrupt as error:
            told.append(error)

    async def serve() -> None:
        async with trio.open_nursery() as nursery:
            await nursery.start(store.run)
            nursery.start_soon(ask)

    with pytest.raises(ExceptionGroup) as ended:
        await serve()
    store.close()
    assert [error.message for error in told] == ["the store is damaged"], "whoever asked hears it first"
    assert ended.group_contains(Corrupt, match="the store is damaged")


def test_a_full_disk_is_named_where_sqlite_speaks_of_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it does where the file that connections share finds no room: on a full tmpfs, say."""
    import apsw

    def connect(*_: object) -> None:
        raise apsw.IOError("disk I/O error")

    path = tmp_path / "store.db"
    SystemDisk().open_db(path, KEY).close()
    monkeypatch.setattr(disk, "_connect", connect)
    with pytest.raises(disk.Failed, match="I/O error"):
        SystemDisk().open_db(path, KEY)
    monkeypatch.setattr("p2pchat.store.disk.shutil.disk_usage", lambda _: type("Usage", (), {"free": 4096}))
    with pytest.raises(DiskFull, match="no room"):
        SystemDisk().open_db(path, KEY)
