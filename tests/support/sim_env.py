"""An ``Env`` under virtual time, and the scheduler made repeatable: the same seed gives the same trace."""

import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, TypeVarTuple

import trio
import trio.testing

from p2pchat.env import CryptoDraws, Disk, Env, Net, Work
from p2pchat.env_system import SystemCrypto

Ts = TypeVarTuple("Ts")
R = TypeVar("R")
EPOCH_MS = 1_800_000_000_000  # where virtual time begins: January 2027


@dataclass
class SimClock:
    """``skew_ms`` is how wrong this node's wall clock is; it may be changed at any time."""

    skew_ms: int = 0

    def wall_ms(self) -> int:
        return EPOCH_MS + int(trio.current_time() * 1000) + self.skew_ms

    def boot_s(self) -> float:
        return trio.current_time()


class SimRandom:
    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)

    def bytes(self, n: int) -> bytes:
        return self._random.randbytes(n)

    def uniform(self, a: float, b: float) -> float:
        return self._random.uniform(a, b)


async def inline(fn: Callable[[*Ts], R], *args: *Ts) -> R:
    """A worker in which virtual time stands still."""
    await trio.lowlevel.checkpoint()
    return fn(*args)


def sim_env(
    seed: str,
    *,
    clock: SimClock,
    disk: Disk,
    net: Net | None,
    crypto: CryptoDraws | None = None,
    work: Work = inline,
    db_work: Work = inline,
) -> Env:
    return Env(
        clock=clock,
        random=SimRandom(seed),
        disk=disk,
        work=work,
        db_work=db_work,
        crypto=crypto or SystemCrypto(),
        net=net,
    )


class SlowWork:
    """A worker that takes virtual time before and after the call itself; the call itself is never cut in half.

    ``strike`` is told when the call is about to be made (``before``) and when it has just been made (``after``): there
    a crash can be put between a commit and what follows it.
    """

    def __init__(self, take_s: Callable[[], float], strike: Callable[[str], None] | None = None) -> None:
        self._take_s = take_s
        self._strike = strike

    async def __call__(self, fn: Callable[[*Ts], R], *args: *Ts) -> R:
        await trio.sleep(self._take_s())
        if self._strike is not None:
            self._strike("before")
        result = fn(*args)
        if self._strike is not None:
            self._strike("after")
        await trio.sleep(self._take_s())
        return result


@contextmanager
def repeatable(seed: int) -> Iterator[None]:
    """Make trio's choice among runnable tasks follow ``seed``. Both internals are needed; a test notices if they go."""
    from trio._core import _run

    module: Any = _run
    old_random, old_flag = module._r, module._ALLOW_DETERMINISTIC_SCHEDULING
    module._r, module._ALLOW_DETERMINISTIC_SCHEDULING = random.Random(seed), True
    try:
        yield
    finally:
        module._r, module._ALLOW_DETERMINISTIC_SCHEDULING = old_random, old_flag


def run_virtual(seed: int, main: Callable[[], Awaitable[R]]) -> R:
    """Run ``main`` under a virtual clock that jumps whenever everybody waits."""
    with repeatable(seed):
        return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def end_shields() -> None:
    """Let every task of the run be cancelled after all: a test that found one that never ends must end itself."""
    tasks: list[Any] = [trio.lowlevel.current_root_task()]
    while tasks:
        task = tasks.pop()
        status = task._cancel_status
        while status is not None:
            status._scope.shield = False
            status = status._parent
        tasks += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
