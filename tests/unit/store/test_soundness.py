"""The check of the whole store finds what is wrong, and ends in time."""

from pathlib import Path

import apsw
import pytest

from p2pchat.errors import TimedOut
from p2pchat.store import soundness
from p2pchat.store.contacts import Contact
from p2pchat.store.disk import SystemDisk
from p2pchat.store.migrate import migrate
from p2pchat.store.tx import Reader, Tx
from tests.support.stores import KEY


def never() -> bool:
    return False


def test_a_new_store_is_sound(tx: Tx, bob: Contact) -> None:
    verdict = soundness.check(tx, never)
    assert verdict.problems == ()
    assert verdict.size_bytes > 4096


def test_it_gives_up_when_the_time_is_over(tx: Tx) -> None:
    tx.execute(
        "INSERT INTO meta WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
        " SELECT 'name ' || i, i FROM n"
    )
    with pytest.raises(TimedOut, match="larger"):
        soundness.check(tx, lambda: True)
    assert soundness.check(tx, never).problems == (), "the connection works on"


def test_a_row_that_points_at_nothing_is_named(tx: Tx) -> None:
    tx.execute("PRAGMA defer_foreign_keys = 1")
    tx.execute("INSERT INTO in_queues (contact) VALUES (77)")
    assert soundness.check(tx, never).problems == ("a row of in_queues points at nothing",)


def test_an_index_that_lacks_a_row_is_named(tmp_path: Path) -> None:
    db = SystemDisk().open_db(tmp_path / "store.db", KEY)
    migrate(db)
    db.execute("INSERT INTO events (type, at_ms, contact) VALUES ('warning', 1, 5)")
    db.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 0)
    db.pragma("writable_schema", 1)
    other = "CREATE INDEX contact_events ON events (at_ms)"
    db.execute("UPDATE sqlite_schema SET sql = ? WHERE name = 'contact_events'", (other,))
    db.close()
    db = SystemDisk().open_db(tmp_path / "store.db", KEY)
    try:
        assert any("contact_events" in problem for problem in soundness.check(Reader(db), never).problems)
    finally:
        db.close()
