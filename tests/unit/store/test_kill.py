"""A writer killed at any moment loses nothing that it had reported as committed."""

import random
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from p2pchat.store import messages, outbox
from p2pchat.store.disk import SystemDisk
from p2pchat.store.tx import Reader
from tests.support.stores import KEY

CHILD = """
import sys, trio
from pathlib import Path
from p2pchat.env_system import system_env
from p2pchat.store import contacts, outbox
from p2pchat.store.writer import Store
from tests.support.stores import KEY, digest, draft, new_contact

async def main():
    store = await Store.open(system_env(), Path(sys.argv[1]), KEY)
    contact = store.read(lambda reader: contacts.every(reader))
    async with trio.open_nursery() as nursery:
        await nursery.start(store.run)
        bob = contact[0] if contact else await store.change(lambda tx: contacts.add(tx, new_contact("b"), 1))
        tail = store.read(lambda reader: outbox.queue(reader, bob.id).tail)
        print("ready", flush=True)
        for number in range(tail + 1, 10**6):
            one = draft("x" * (number % 5000), number=number)
            store.change_nowait(
                lambda tx, one=one: tails.enqueue(tx, one, [bob.id], digest)[0].number,
                after=lambda number: print(number, flush=True),
            )
            if number % 7 == 0:
                await store.flush()

trio.run(main)
"""
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("seed", range(3))
def test_nothing_that_was_committed_is_lost(tmp_path: Path, seed: int) -> None:
    path, draw, reported = tmp_path / "vault.db", random.Random(seed), 0
    for _ in range(2):  # the second life begins with what the first one left
        child = subprocess.Popen([sys.executable, "-c", CHILD, path], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        with child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            time.sleep(draw.uniform(0.0, 0.1))
            child.kill()
            lines = child.stdout.read().split("\n")[:-1]  # what follows the last line's end was cut
        reported = int(lines[-1]) if lines else reported
        assert found(path) >= reported


def found(path: Path) -> int:
    """How many messages there are, once they prove to be whole and numbered without a gap."""
    with closing(SystemDisk().open_db(path, KEY)) as db:
        assert db.execute("PRAGMA integrity_check").get == "ok"
        reader = Reader(db)
        queued = outbox.after(reader, 1, 0, 10**6)
        assert [one.number for one in queued] == list(range(1, len(queued) + 1))
        assert all(len(one.content) == one.number % 5000 for one in queued)
        assert len(messages.history(reader, 1, limit=10**6)) == len(queued)
        return len(queued)
