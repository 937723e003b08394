"""W8: what a node costs that is linked to one friend and has nothing to do. Linux alone tells it (``/proc``)."""

import time

from benchmarks.figures import Figure, at_most
from benchmarks.pair import Pair
from benchmarks.processes import cpu_ms, family, memory_mib


def idle(pair: Pair, seconds: float) -> list[Figure]:
    """Memory after, and processor time during ``seconds``, summed over launcher, vault and gate."""
    pids = family(pair.a)
    before = _cpu_s(pids)
    time.sleep(seconds)
    percent = (_cpu_s(pids) - before) / seconds * 100
    rss = {name: memory_mib(pid, "Rss") for name, pid in pids.items()}
    pss = sum(memory_mib(pid, "Pss") for pid in pids.values())
    each = ", ".join(f"{name} {mib:.0f}" for name, mib in rss.items())
    return [
        Figure("W8", "idle node, RSS of all processes", "MiB", (sum(rss.values()),), goal=at_most(110), note=each),
        Figure("W8", "idle node, PSS (shared pages counted once)", "MiB", (pss,)),
        Figure("W8", f"idle node, {seconds:.0f} s", "% CPU", (percent,), goal=at_most(0.5)),
    ]


def _cpu_s(pids: dict[str, int]) -> float:
    return sum(map(cpu_ms, pids.values())) / 1000
