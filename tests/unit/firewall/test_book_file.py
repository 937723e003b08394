from pathlib import Path

import pytest

from p2pchat.env import Env
from p2pchat.firewall.book_file import BookFile
from p2pchat.store.disk import SystemDisk
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
