"""A thread for slow functions, one after the other (``env.Work``).

trio's own worker threads cost 90 us a call, half of it for the names and the number of threads; every commit makes a
call, and a message three commits. This one costs 48 us.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Final, cast

import trio

from p2pchat.env import R, Ts

_Job = tuple[Callable[[], Any], Callable[[Any, BaseException | None], None]]


class ThreadWork:
    """Functions run in the order of the calls. A caller that is cancelled still waits for the end of its function."""

    def __init__(self, *, nice: int = 0) -> None:
        """``nice``: how much the thread gives way to all others, as far as the system can say so of one thread."""
        self._nice: Final = nice
        self._jobs: Final = SimpleQueue[_Job]()
        self._thread: threading.Thread | None = None

    async def __call__(self, fn: Callable[[*Ts], R], *args: *Ts) -> R:
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True, name="worker")
            self._thread.start()
        task, token = trio.lowlevel.current_task(), trio.lowlevel.current_trio_token()
        answer: list[Any] = []

        def deliver(result: Any, error: BaseException | None) -> None:
            answer[:] = result, error
            try:
                token.run_sync_soon(trio.lowlevel.reschedule, task)
            except trio.RunFinishedError:
                return  # nobody waits any longer

        self._jobs.put((lambda: fn(*args), deliver))
        await trio.lowlevel.wait_task_rescheduled(_not_now)
        result, error = answer
        if error is not None:
            raise error
        return cast(R, result)

    def _run(self) -> None:
        if self._nice and sys.platform == "linux":  # elsewhere it would be said of the whole process
            own = threading.get_native_id()
            with contextlib.suppress(OSError):  # a sandbox forbids it; without this thread nothing would be answered
                os.sched_setscheduler(own, os.SCHED_BATCH, os.sched_param(0))  # as one that computes and never waits
                os.setpriority(os.PRIO_PROCESS, own, min(19, os.getpriority(os.PRIO_PROCESS, own) + self._nice))
        while True:
            call, deliver = self._jobs.get()
            try:
                deliver(call(), None)
            except BaseException as error:  # noqa: BLE001 - it is the caller's
                deliver(None, error)
            del call, deliver  # they hold what the function was given, and this waits for long


def _not_now(_raise: object) -> trio.lowlevel.Abort:
    return trio.lowlevel.Abort.FAILED
