"""One transaction of many jobs, run in the writer's thread: a savepoint for each job but the first."""

import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import apsw

from p2pchat.atomic import NO_ROOM
from p2pchat.errors import Corrupt, DiskFull, Failed
from p2pchat.store.cell import Cell, show
from p2pchat.store.tx import Tx

BATCH_JOBS: Final = 256
BATCH_S: Final = 0.020
DAMAGED_HINT: Final = "stop the daemon and restore store.db from a copy of the home"


_SYNCS: Final = {apsw.SQLITE_IOERR_FSYNC, apsw.SQLITE_IOERR_DIR_FSYNC}


class StoreFailed(Failed):
    """The disk failed under the store. What was committed before is safe; open it anew."""


@dataclass(frozen=True, slots=True)
class Done:
    result: Any
    cells: dict[Cell[Any], object]


@dataclass(frozen=True, slots=True)
class Failure:
    error: Exception


class Job:
    """A change, its effect, and, once its transaction is over, its outcome."""

    __slots__ = ("_after", "_wake", "change", "outcome")

    def __init__(
        self,
        change: Callable[[Tx], Any],
        after: Callable[[Any], None] | None,
        wake: Callable[[], None] | None,
    ) -> None:
        self.change = change
        self.outcome: Done | Failure | None = None
        self._after = after
        self._wake = wake  # of the caller that awaits; None: nobody does

    def settle(self, on_error: Callable[[Exception], None]) -> None:
        """On the loop, in job order: show the cells, run the effect."""
        if isinstance(self.outcome, Done):
            show(self.outcome.cells)
            if self._after is not None:
                self._after(self.outcome.result)
        elif self._wake is None and self.outcome is not None:
            on_error(self.outcome.error)

    def wake(self) -> None:
        if self._wake is not None:
            self._wake()


def run(db: apsw.Connection, queue: deque[Job], taken: list[Job], clock_s: Callable[[], float]) -> None:
    """Take jobs from ``queue`` into ``taken``, and give each its outcome, in one transaction.

    Returns where they are committed or, for want of room, all undone. Raises Corrupt where the file is damaged, and
    StoreFailed on any other failure of the disk; every job in ``taken`` has an outcome then, too.
    """
    try:
        tx = Tx(db)
        _run_jobs(db, tx, queue, taken, clock_s)
        _run_last_acts(db, tx, taken)
        if db.in_transaction:
            db.execute("COMMIT")
        if tx.scrub:
            _empty_log(db)
    except apsw.Error as error:
        reason = disk_error(db, error)
        _roll_back(db)
        for job in taken:
            if not isinstance(job.outcome, Failure):
                job.outcome = Failure(reason)
        if not isinstance(reason, DiskFull):
            raise reason from error


def _run_jobs(db: apsw.Connection, tx: Tx, queue: deque[Job], taken: list[Job], clock_s: Callable[[], float]) -> None:
    until_s = clock_s() + BATCH_S
    while queue and len(taken) < BATCH_JOBS and (not taken or clock_s() < until_s):
        job = queue.popleft()
        taken.append(job)
        if db.in_transaction:
            _run_undoable(db, tx, job)
        else:  # the first needs no savepoint: it is undone with its transaction
            db.execute("BEGIN IMMEDIATE")
            _run_job(tx, job)
            if isinstance(job.outcome, Failure):
                db.execute("ROLLBACK")


def _run_last_acts(db: apsw.Connection, tx: Tx, taken: list[Job]) -> None:
    """``Tx.at_end``: each as one more job, whose error is nobody's in particular."""
    if not db.in_transaction:  # the one job failed, so what it asked for is not due
        return
    while tx.last_acts:  # an act may ask for another
        act, after = tx.last_acts.pop(next(iter(tx.last_acts)))
        job = Job(act, after, None)
        taken.append(job)
        _run_undoable(db, tx, job)


def _run_undoable(db: apsw.Connection, tx: Tx, job: Job) -> None:
    db.execute("SAVEPOINT job")
    _run_job(tx, job)
    if isinstance(job.outcome, Failure):
        db.execute("ROLLBACK TO job")
    db.execute("RELEASE job")


def _run_job(tx: Tx, job: Job) -> None:
    """Errors of the disk pass through: they undo the batch. Any other is the job's own."""
    try:
        result = job.change(tx)
    except DISK_ERRORS:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a job raises belongs to its caller
        tx.writes.undo_job()
        tx.fresh.clear()  # bodies that it queued are not
        job.outcome = Failure(error)
    else:
        job.outcome = Done(result, tx.writes.finish_job())


# Everything else that SQLite raises (a constraint, a wrong statement) is a mistake of the job.
DISK_ERRORS: Final = (
    apsw.FullError,
    apsw.IOError,
    apsw.CorruptError,
    apsw.NotADBError,
    apsw.CantOpenError,
    apsw.ReadOnlyError,
    apsw.NoMemError,
    apsw.BusyError,
    apsw.LockedError,
    apsw.ProtocolError,
    apsw.ConnectionClosedError,
)


def disk_error(db: apsw.Connection, error: apsw.Error) -> DiskFull | StoreFailed | Corrupt:
    """One of ``DISK_ERRORS`` that ``db`` has just met, in words. The connection must still be open."""
    if _no_room(db, error):
        return DiskFull("no room on the disk: nothing was stored", hint="free some space and try again")
    if isinstance(error, apsw.CorruptError | apsw.NotADBError):
        return Corrupt("the store is damaged", hint=DAMAGED_HINT)
    return StoreFailed(f"the store failed: {error}", hint="p2pchat doctor")


def _no_room(db: apsw.Connection, error: apsw.Error) -> bool:
    """Whether it was known before anything was confirmed. A sync that finds no room leaves open what it wrote."""
    if isinstance(error, apsw.FullError):
        return True
    ended = isinstance(error, apsw.ConnectionClosedError) or getattr(error, "extendedresult", 0) in _SYNCS
    return not ended and isinstance(error, apsw.IOError) and db.system_errno in NO_ROOM


def _roll_back(db: apsw.Connection) -> None:
    """SQLite may have rolled back already, and a failing disk may refuse even that."""
    with contextlib.suppress(apsw.Error):  # such a connection is given up
        if db.in_transaction:
            db.execute("ROLLBACK")


def move_log(db: apsw.Connection) -> None:
    """Move the log into the database as far as no reader needs it. Raises StoreFailed, Corrupt."""
    try:
        _checkpoint(db, "PASSIVE")
    except apsw.Error as error:
        raise disk_error(db, error) from error


def _empty_log(db: apsw.Connection) -> None:
    """Move the log into the database and cut it to nothing, so that no old page of a deleted text stays there.

    A search that is still reading keeps the log; then the next deletion, or the end, empties it.
    """
    _checkpoint(db, "TRUNCATE")


def _checkpoint(db: apsw.Connection, mode: str) -> None:
    """Where a reader or a full disk is in the way, another time will do: all of it is committed.

    Any other failure of the disk is raised, though SQLite would bear it: one that fails is not to be built upon.
    """
    try:
        db.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()
    except (apsw.BusyError, apsw.LockedError):
        return
    except apsw.Error as error:
        if not _no_room(db, error):
            raise
