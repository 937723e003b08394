"""One connection seen by the SQL of the nouns: ``Reader`` asks, ``Tx`` also changes.

Statements are literals, so the connection's own cache holds them prepared.
"""

from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar, cast

import apsw

from p2pchat.store.cell import Writes

Value = None | int | float | str | bytes
Row = tuple[Any, ...]  # a row's types are those of the schema; the nouns turn it into a dataclass at once

R = TypeVar("R")
LastAct = tuple["Callable[[Tx], Any]", Callable[[Any], None]]

_STEPS: Final = 20_000  # of SQLite's machine: a few milliseconds
INTEGER_MAX: Final = 2**63 - 1


def integer(value: int) -> int:
    """A peer's unsigned 64-bit number as SQLite can hold it: the upper half, which nobody means, becomes its top."""
    return min(value, INTEGER_MAX)


class Reader:
    """Questions to a consistent snapshot. Every cursor is read to its end, so none holds the snapshot."""

    __slots__ = ("_db",)

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db

    def all(self, sql: str, *values: Value) -> list[Row]:
        return self._db.execute(sql, values).fetchall()

    def one(self, sql: str, *values: Value) -> Row | None:
        rows = self._db.execute(sql, values).fetchall()
        return rows[0] if rows else None

    def value(self, sql: str, *values: Value) -> Any:
        """The first column of the first row, or None."""
        rows = self._db.execute(sql, values).fetchall()
        return rows[0][0] if rows else None

    def all_unless(self, over: Callable[[], bool], sql: str, *values: Value) -> list[Row] | None:
        """The same for what may take long; None where ``over`` became true meanwhile (asked every few ms)."""
        self._db.set_progress_handler(over, _STEPS)
        try:
            return self.all(sql, *values)
        except apsw.InterruptError:
            return None
        finally:
            self._db.set_progress_handler(None)


class Tx(Reader):
    """A transaction under way, as the writer hands it to a job. It sees what the jobs before it did."""

    __slots__ = ("fresh", "last_acts", "scrub", "writes")

    def __init__(self, db: apsw.Connection) -> None:
        super().__init__(db)
        self.writes = Writes()
        self.last_acts: dict[Hashable, LastAct] = {}
        self.fresh: dict[tuple[int, int], bytes] = {}  # store.tails
        self.scrub = False  # a text was deleted: the writer also empties the write-ahead log after the commit

    def at_end(self, key: Hashable, act: "Callable[[Tx], R]", after: Callable[[R], None]) -> None:
        """Run ``act`` once, after all jobs of this transaction and as one of them, however many jobs ask under ``key``.

        What many jobs make due together (sealing what they queued for one link, say) is then done once.
        """
        self.last_acts[key] = (act, cast(Callable[[Any], None], after))

    def execute(self, sql: str, *values: Value) -> int:
        """Rows changed by one INSERT, UPDATE or DELETE."""
        self._db.execute(sql, values)
        return self._db.changes()

    def insert(self, sql: str, *values: Value) -> int:
        """The new row's id."""
        self._db.execute(sql, values)
        return self._db.last_insert_rowid()
