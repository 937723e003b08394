"""A deleted text leaves no trace in the files. Seen without the cipher, which would hide everything."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import apsw
import pytest
import trio

from p2pchat.env import Env
from p2pchat.store import contacts, inbox, outbox
from p2pchat.store.disk import SystemDisk, settle
from p2pchat.store.tx import Tx
from p2pchat.store.writer import Store
from p2pchat.vault.spare_time import learn_words
from tests.support.sim_env import SimClock, sim_env
from tests.support.stores import KEY, THEM, incoming, new_contact, send

WORDS = [b"Xylophone", b"ylophone"]  # as written; and the search index holds what differs from the word before it


class PlainDisk(SystemDisk):
    def open_db(self, path: Path, key: bytes) -> apsw.Connection:
        db = apsw.Connection(str(path))
        settle(db)
        db.execute("PRAGMA journal_mode = WAL").fetchall()
        return db

    def reader(self, db: apsw.Connection) -> apsw.Connection:
        return apsw.Connection(db.filename, apsw.SQLITE_OPEN_READONLY)


def traces(folder: Path) -> list[str]:
    """The files in which a word stands, in either case."""
    return [file.name for file in folder.iterdir() for word in WORDS if word.lower() in file.read_bytes().lower()]


def fill(tx: Tx) -> int:
    """Many texts, so that both lie amid others, the second one over several pages."""
    bob = contacts.add(tx, new_contact("b"), 1)
    for number in range(1, 400):
        send(tx, f"xyl number {number} of many", bob)
        inbox.insert(tx, bob.id, incoming(f"xym number {number} of many", number), 1)
    return bob.id


@pytest.mark.parametrize("learnt", [True, False])  # by the search index, which follows the texts
@pytest.mark.parametrize("how", ["cancel", "withdraw"])
async def test_a_deleted_text_is_nowhere_in_the_files(tmp_path: Path, how: str, learnt: bool) -> None:
    env: Env = replace(sim_env("x", clock=SimClock(), disk=PlainDisk(), net=None))
    store = await Store.open(env, tmp_path / "vault.db", KEY)
    text = "The Xylophone is out of tune. " + "la " * (10 if how == "cancel" else 5000)
    theirs = incoming(text, 500)
    async with trio.open_nursery() as nursery:
        await nursery.start(store.run)
        bob = await store.change(fill)

        def write(tx: Tx) -> None:
            contact = contacts.get(tx, bob)
            assert contact is not None
            if how == "cancel":
                send(tx, text, contact)
            else:
                inbox.insert(tx, bob, theirs, 1)

        def delete(tx: Tx) -> bool:
            if how == "withdraw":
                return inbox.withdraw(tx, bob, THEM, theirs.message, 2)
            found = outbox.after(tx, bob, 399, 1)
            return bool(outbox.cancel(tx, found[0].message, 2))

        await store.change(write)
        if learnt:
            await learn_words(store)
        assert traces(tmp_path)
        assert await store.change(delete)
        assert traces(tmp_path) == []
        nursery.cancel_scope.cancel()
    store.close()
    assert traces(tmp_path) == []
    with closing(apsw.Connection(str(tmp_path / "vault.db"))) as db:
        assert db.execute("PRAGMA integrity_check").get == "ok"
