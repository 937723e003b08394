import errno
from dataclasses import replace
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from p2pchat.env import Env
from p2pchat.errors import DiskFull, Failed, P2PChatError
from p2pchat.firewall.book_file import BookFile
from p2pchat.ids import UserId
from p2pchat.store.disk import SystemDisk
from p2pchat.wire.structs import Address
from tests.support.power.faults import Faults, at
from tests.support.power.moments import cuts
from tests.support.power.plain import PlainFiles
from tests.support.power.trace import Trace, put_on_disk
from tests.support.power.vfs import RecordingVfs
from tests.support.sim_env import SimClock, sim_env

KEY = b"k" * 32
PAGE_BYTES = 4096


@pytest.fixture
def env() -> Env:
    return sim_env("book", clock=SimClock(), disk=SystemDisk(), net=None)


@pytest.mark.parametrize("page", [0, 1, 2])
async def test_a_book_begins_anew_whichever_page_is_damaged(env: Env, tmp_path: Path, page: int) -> None:
    path = tmp_path / "gate.db"
    (await BookFile.open(env, path, KEY)).close()
    damaged = bytearray(path.read_bytes())
    assert len(damaged) == 3 * PAGE_BYTES
    damaged[page * PAGE_BYTES + 777] ^= 1
    path.write_bytes(damaged)
    (await BookFile.open(env, path, KEY)).close()
    assert path.with_name("gate.db.damaged").read_bytes() == damaged
    (await BookFile.open(env, path, KEY)).close()


async def test_a_book_of_another_key_is_set_aside_too(env: Env, tmp_path: Path) -> None:
    path = tmp_path / "gate.db"
    (await BookFile.open(env, path, KEY)).close()
    (await BookFile.open(env, path, b"o" * 32)).close()
    assert path.with_name("gate.db.damaged").exists()


# A connection that is thrown away meets the failing disk once more, where nobody can be told.
quiet = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
BEN = UserId(b"b" * 32)


def on(env: Env, vfs: RecordingVfs) -> Env:
    return replace(env, disk=SystemDisk(vfs.name))


def names(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern))


def knock(port: int) -> bytes:
    return port.to_bytes(16, "little")


def type_in(book: BookFile, port: int) -> None:
    book.book.type_in(BEN, [Address(host="192.0.2.1", port=port, carrier="ws")], lan=False)


def known(book: BookFile) -> list[int]:
    return [candidate.address.port for candidate in book.book.candidates(BEN)]


@quiet
async def test_a_book_that_cannot_be_read_is_said_and_not_thrown_away(env: Env, tmp_path: Path) -> None:
    """Addresses that the user typed can be learnt from nobody else."""
    path = tmp_path / "gate.db"
    book = await BookFile.open(env, path, KEY)
    type_in(book, 4000)
    await book.save()
    book.close()
    number, failed = 0, 1
    while failed:
        number += 1
        vfs = RecordingVfs(Trace(tmp_path), Faults(at("read", number)))
        vfs.trace.begin()
        try:
            (await BookFile.open(on(env, vfs), path, KEY)).close()
        except P2PChatError as error:
            assert isinstance(error, Failed), error
            assert error.hint
        failed = vfs.faults.failed
        assert not names(tmp_path, "*.damaged")
    assert number > 3
    book = await BookFile.open(env, path, KEY)
    assert known(book) == [4000]
    book.close()


@quiet
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
async def test_a_book_that_cannot_be_written_is_written_later(env: Env, tmp_path: Path, error: int) -> None:
    path, faults = tmp_path / "gate.db", Faults()
    vfs = RecordingVfs(Trace(tmp_path), faults)
    with PlainFiles(vfs.trace).installed():
        book = await BookFile.open(on(env, vfs), path, KEY)
        type_in(book, 4000)
        faults.fail = at("write", 1, error, until=10**6)
        with pytest.raises(Failed, match="cannot be written"):
            await book.save()
        await book.try_to_save()  # as the gate does every few seconds
        faults.clear()
        await book.try_to_save()
        book.close()
    book = await BookFile.open(env, path, KEY)
    assert known(book) == [4000]
    book.close()


@quiet
async def test_a_full_disk_keeps_no_book_from_being_begun_later(env: Env, tmp_path: Path) -> None:
    path, number, failed = tmp_path / "gate.db", 0, 1
    while failed:
        number += 1
        vfs = RecordingVfs(Trace(tmp_path), Faults(at("write", number, errno.ENOSPC, until=10**6)))
        vfs.trace.begin()
        with PlainFiles(vfs.trace).installed():
            try:
                (await BookFile.open(on(env, vfs), path, KEY)).close()
            except P2PChatError as error:
                assert isinstance(error, DiskFull), error
        failed = vfs.faults.failed
        (await BookFile.open(env, path, KEY)).close()
        for file in names(tmp_path, "*"):
            file.unlink()
    assert number > 3


async def test_a_book_outlives_power_cuts(env: Env, tmp_path: Path) -> None:
    """What was saved is there, addresses and used knocks, and no cut makes a book that has to be set aside."""
    folder = tmp_path / "home"
    folder.mkdir()
    vfs = RecordingVfs(Trace(folder))
    saved = [(0, 0)]  # (operations by then, the port that was saved)
    with PlainFiles(vfs.trace).installed():
        book = await BookFile.open(on(env, vfs), folder / "gate.db", KEY)
        for port in range(4000, 4006):
            type_in(book, port)
            assert book.knocks.use(knock(port))
            await book.save()
            saved.append((len(vfs.trace), port))
        book.close()
    for when, fate, seed in cuts(vfs.trace, 60):
        target = tmp_path / f"cut {seed}"
        target.mkdir()
        put_on_disk(vfs.trace.after_cut(when, fate, seed), folder, target)
        book = await BookFile.open(env, target / "gate.db", KEY)
        due = max(port for by, port in saved if by <= when)
        assert max(known(book), default=0) >= due, f"cut before operation {when}, {fate.value}, seed {seed}"
        again = [port for port in range(4000, due + 1) if book.knocks.use(knock(port))]
        assert not again, f"cut before operation {when}, {fate.value}, seed {seed}: knocks count again"
        book.close()
        assert not names(target, "*.damaged*"), f"cut before operation {when}, {fate.value}, seed {seed}"


async def test_who_is_cancelled_while_he_waits_for_the_disk_loses_no_change(
    env: Env, tmp_path: Path, autojump_clock: MockClock
) -> None:
    book = await BookFile.open(env, tmp_path / "gate.db", KEY)

    async def work(*_: object) -> None:
        await trio.sleep_forever()

    book._env = replace(env, db_work=work)
    type_in(book, 4000)
    book.knocks.use(knock(1))
    with trio.move_on_after(1):
        await book.save()
    assert list(book.book.take_changes()) == [BEN]
    assert book.knocks.take_changes() == [knock(1)[:8]]
    book.close()
