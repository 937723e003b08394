"""Values in memory that change only with a commit, as rows do.

What a flow knows beside the rows (a link's session, say) must not run ahead of them: a job that is rolled back leaves
such a value as it was, and nobody outside sees the new one before it is on disk.
"""

from typing import Any, Generic, Protocol, TypeVar, cast

T = TypeVar("T")


class Writes:
    """What the jobs of one transaction have put into cells: those of finished jobs, and of the one that runs."""

    __slots__ = ("_finished", "_running")

    def __init__(self) -> None:
        self._finished: dict[Cell[Any], object] = {}
        self._running: dict[Cell[Any], object] = {}

    def put(self, cell: "Cell[Any]", value: object) -> None:
        self._running[cell] = value

    def seen(self, cell: "Cell[Any]", committed: object) -> object:
        if cell in self._running:
            return self._running[cell]
        return self._finished.get(cell, committed)

    def finish_job(self) -> "dict[Cell[Any], object]":
        """The running job succeeded: what to show after the commit, just before its effect."""
        done, self._running = self._running, {}
        self._finished.update(done)
        return done

    def undo_job(self) -> None:
        self._running = {}


class InTransaction(Protocol):
    @property
    def writes(self) -> Writes: ...


class Cell(Generic[T]):
    """``value`` is the committed value, for the event loop; jobs use ``get`` and ``put``. Values are immutable."""

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    @property
    def value(self) -> T:
        return self._value

    def get(self, tx: InTransaction) -> T:
        """The value as this transaction sees it."""
        return cast(T, tx.writes.seen(self, self._value))

    def put(self, tx: InTransaction, value: T) -> None:
        """Change it with this transaction's commit, or not at all."""
        tx.writes.put(self, value)


def show(done: dict[Cell[Any], object]) -> None:
    """On the loop, after the commit, in job order."""
    for cell, value in done.items():
        cell._value = value
