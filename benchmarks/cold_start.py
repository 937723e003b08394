"""W1: two friends whose daemons are down, until the first message between them is acknowledged."""

import time

from benchmarks.figures import Figure, at_most
from benchmarks.pair import Pair, delivered


def cold_start(pair: Pair, repeats: int) -> list[Figure]:
    """From the start of the first process, password cost 64 MiB and one pass included, to "delivered"."""
    started: list[float] = []
    took: list[float] = []
    for n in range(repeats):
        pair.stop()
        began = time.perf_counter()
        pair.start()
        started.append(time.perf_counter() - began)
        delivered(pair.a, pair.b, f"good morning {n}")
        took.append(time.perf_counter() - began)
    return [
        # The goal: 0.7 x what py-libp2p takes beside it (docs/performance.md).
        Figure("W1", "cold start of two nodes to the first delivered message", "s", tuple(took), goal=at_most(1.0)),
        Figure("W1", "of that, until both daemons serve", "s", tuple(started)),
    ]
