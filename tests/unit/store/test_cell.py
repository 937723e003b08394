from dataclasses import dataclass, field

from p2pchat.store.cell import Cell, Writes, show


@dataclass
class Transaction:
    writes: Writes = field(default_factory=Writes)


def test_a_new_value_is_seen_inside_at_once_and_outside_after_the_commit() -> None:
    cell, tx = Cell(1), Transaction()
    cell.put(tx, 2)
    assert (cell.get(tx), cell.value, cell.get(Transaction())) == (2, 1, 1)
    done = tx.writes.finish_job()
    assert (cell.get(tx), cell.value) == (2, 1)
    show(done)
    assert cell.value == 2


def test_a_job_that_is_undone_leaves_what_the_jobs_before_it_put() -> None:
    cell, other, tx = Cell("old"), Cell("other"), Transaction()
    cell.put(tx, "first job")
    first = tx.writes.finish_job()
    cell.put(tx, "second job")
    other.put(tx, "second job")
    tx.writes.undo_job()
    assert (cell.get(tx), other.get(tx)) == ("first job", "other")
    show(first)
    show(tx.writes.finish_job())
    assert (cell.value, other.value) == ("first job", "other")


def test_none_is_a_value() -> None:
    cell: Cell[int | None] = Cell(1)
    tx = Transaction()
    cell.put(tx, None)
    assert cell.get(tx) is None
    tx.writes.finish_job()
    assert cell.get(tx) is None
