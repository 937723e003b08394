"""How late a task of the event loop wakes while RSA-8192 private operations run in the daemon's own worker."""

import time
from typing import Final

import trio

from benchmarks.figures import Figure, at_most, percentile
from p2pchat.commands.demo import stored_primes
from p2pchat.env_system import ThreadWork
from p2pchat.keys.root import RootKey

OPERATIONS: Final = 40  # about a second
_NAP_S: Final = 0.001


def loop_delay() -> list[Figure]:
    busy, rsa_ms = trio.run(_delays, OPERATIONS)
    calm, _ = trio.run(_delays, 0)
    return [
        Figure(
            "", "loop delay p99 while RSA-8192 runs", "ms", (percentile(busy, 99),), percentile(calm, 99), at_most(10),
            "the limit is the same loop with nothing beside it",
        ),
        Figure("", "RSA-8192 private operation, in the worker", "ms", (rsa_ms,)),
    ]  # fmt: skip


async def _delays(operations: int) -> tuple[list[float], float]:
    """Milliseconds by which naps overran, and of one operation. Without operations: a second of naps."""
    root, work, late_ms = RootKey.from_primes(*stored_primes()[0]), ThreadWork(), list[float]()

    async def nap() -> None:
        while True:
            began = time.perf_counter()
            await trio.sleep(_NAP_S)
            late_ms.append((time.perf_counter() - began - _NAP_S) * 1e3)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(nap)
        began = time.perf_counter()
        for n in range(operations):
            await work(root.sign, b"%d" % n)
        took_ms = (time.perf_counter() - began) * 1e3
        if not operations:
            await trio.sleep(1)
        nursery.cancel_scope.cancel()
    return late_ms, took_ms / max(1, operations)
