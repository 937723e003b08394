"""The one writer: every change is a job, many jobs are one transaction, and effects follow the commit in job order.

The writer takes what has queued and never waits for more; it stops taking after ``BATCH_JOBS`` jobs or ``BATCH_S``
seconds of work. Nothing may leave the vault but in a job's ``after``: tasks that await a commit wake in random order.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import apsw
import trio

from p2pchat.env import Env
from p2pchat.errors import Corrupt
from p2pchat.store import batch
from p2pchat.store.batch import DAMAGED_HINT, Done, Failure, Job, StoreFailed
from p2pchat.store.disk import let_go
from p2pchat.store.migrate import migrate
from p2pchat.store.tx import Reader, Tx

R = TypeVar("R")
_TIDY_COMMITS: Final = 20
_FAREWELL_S: Final = 0.1  # between a failure and the vault's end: callers tell their users why

__all__ = ["Reader", "Store", "StoreFailed", "Tx"]


@dataclass(eq=False, slots=True)
class Counts:
    """Transactions since the store was opened."""

    commits: int = 0
    jobs: int = 0
    largest: int = 0  # most jobs in one transaction
    took_s: float = 0.0

    def add(self, jobs: int, took_s: float) -> None:
        self.commits += 1
        self.jobs += jobs
        self.largest = max(self.largest, jobs)
        self.took_s += took_s


class Store:
    """The vault's database. ``run`` must be running for changes to happen; reads need nothing."""

    def __init__(self, env: Env, writer: apsw.Connection, on_error: Callable[[Exception], None]) -> None:
        """Use ``open``."""
        self._env = env
        self._writer = writer
        self._reader: apsw.Connection = env.disk.reader(writer)
        self._searcher: apsw.Connection | None = None
        self._one_search = trio.Lock()
        self._on_error = on_error
        self._queue: deque[Job] = deque()
        self._wake = trio.Event()
        self.counts: Final = Counts()
        self._tidied = 0  # commits, when the log was last moved

    @classmethod
    async def open(
        cls, env: Env, path: Path, key: bytes, *, on_error: Callable[[Exception], None] | None = None
    ) -> "Store":
        """Open or create the database at ``path`` under the 32-byte ``key`` and bring its schema up to date.

        ``on_error`` hears what jobs given by ``change_nowait`` raise; left out, such an error ends ``run``. Raises
        Corrupt (wrong key, damage), Failed (made by a newer p2pchat, not readable), DiskFull.
        """

        def connect() -> apsw.Connection:
            db: apsw.Connection = env.disk.open_db(path, key)
            try:
                migrate(db)
            except batch.DISK_ERRORS as error:
                reason = batch.disk_error(db, error)
                let_go(db)
                raise reason from error
            except BaseException:
                let_go(db)
                raise
            return db

        return cls(env, await env.db_work(connect), on_error or _raise)

    async def change(self, job: Callable[[Tx], R], *, after: Callable[[R], None] | None = None) -> R:
        """Run ``job`` in the next transaction; return its result once that is committed and ``after`` has run.

        What ``job`` raises is raised here, and only this job is undone. Raises DiskFull where the whole batch was
        undone for want of room. A caller that is cancelled while waiting does not take the job back.
        """
        finished = trio.Event()
        queued = Job(job, cast(Callable[[Any], None] | None, after), finished.set)
        self._submit(queued)
        await finished.wait()
        if isinstance(queued.outcome, Failure):
            raise queued.outcome.error
        assert isinstance(queued.outcome, Done)
        return cast(R, queued.outcome.result)

    def change_nowait(self, job: Callable[[Tx], R], *, after: Callable[[R], None] | None = None) -> None:
        """Queue ``job`` for the next transaction. Its errors go to ``on_error``."""
        self._submit(Job(job, cast(Callable[[Any], None] | None, after), None))

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """The writer; never returns. Raises StoreFailed where the disk fails: the vault must end and recover.

        Raises Corrupt where the file is damaged: no recovery helps.
        """
        task_status.started()
        while True:
            await self._wake.wait()
            self._wake = trio.Event()
            while self._queue:
                await self._run_batch()

    async def flush(self) -> None:
        """Wait until everything queued so far is committed and its effects have run."""
        await self.change(_nothing)

    async def tidy(self) -> None:
        """Move the write-ahead log into the database, where enough has gathered. What comes meanwhile waits."""
        if self.counts.commits >= self._tidied + _TIDY_COMMITS:
            self._tidied = self.counts.commits
            await self._env.db_work(batch.move_log, self._writer)

    def read(self, ask: Callable[[Reader], R]) -> R:
        """Run short, indexed queries on the committed state, here and now. Raises Corrupt where the file is damaged."""
        return _ask(self._reader, ask)

    async def read_slow(self, ask: Callable[[Reader], R]) -> R:
        """The same for a search: in a worker thread, on a connection of its own."""
        async with self._one_search:
            if self._searcher is None:
                self._searcher = self._env.disk.reader(self._writer)
            return await self._env.work(_ask, self._searcher, ask)

    def close(self) -> None:
        """Empty the write-ahead log into the database and close. Only after ``run`` has ended."""
        for reader in {self._reader, self._searcher} - {None, self._writer}:
            assert reader is not None
            let_go(reader)
        let_go(self._writer)

    def _submit(self, job: Job) -> None:
        self._queue.append(job)
        self._wake.set()

    async def _run_batch(self) -> None:
        taken: list[Job] = []
        error: BaseException | None = None
        began_s = trio.current_time()
        with trio.CancelScope(shield=True):  # a thread cannot be cancelled: what it commits must have its effects
            try:
                await self._env.db_work(batch.run, self._writer, self._queue, taken, self._env.clock.boot_s)
            except (StoreFailed, Corrupt) as failed:
                error = failed
        self.counts.add(len(taken), trio.current_time() - began_s)
        try:
            for job in taken:  # what ends the writer is raised below, once whoever waits has heard of it
                job.settle(self._on_error if error is None else _keep_quiet)
        finally:
            for job in taken:
                job.wake()
        if error is not None:
            await trio.sleep(_FAREWELL_S)
            raise error


def _raise(error: Exception) -> None:
    raise error


def _keep_quiet(_error: Exception) -> None:
    pass


def _nothing(_tx: Tx) -> None:
    pass


def _ask(db: apsw.Connection, ask: Callable[[Reader], R]) -> R:
    """One snapshot for all that ``ask`` asks."""
    try:
        db.execute("BEGIN")
        try:
            return ask(Reader(db))
        finally:
            if db.in_transaction:  # an error may have ended it
                db.execute("COMMIT")
    except (apsw.CorruptError, apsw.NotADBError, apsw.IOError) as error:
        raise Corrupt("the store cannot be read: it is damaged", hint=DAMAGED_HINT) from error
