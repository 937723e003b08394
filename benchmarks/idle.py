"""W8: what a node costs that is linked to one friend and has nothing to do. Linux alone tells it (``/proc``)."""

import os
import time
from pathlib import Path
from typing import cast

from benchmarks.figures import Figure, at_most
from benchmarks.pair import Pair


def idle(pair: Pair, seconds: float) -> list[Figure]:
    """Memory after, and processor time during ``seconds``, summed over launcher, vault and gate."""
    launcher = cast(int, pair.a.call("daemon.status")["pid"])
    family = [launcher, *_children(launcher)]
    before = sum(map(_cpu_s, family))
    time.sleep(seconds)
    percent = (sum(map(_cpu_s, family)) - before) / seconds * 100
    rss = sum(_memory_mib(pid, "Rss:") for pid in family)
    pss = sum(_memory_mib(pid, "Pss:") for pid in family)
    each = " + ".join(f"{_memory_mib(pid, 'Rss:'):.0f}" for pid in family)
    return [
        Figure("W8", "idle node, RSS of all processes", "MiB", (rss,), goal=at_most(110), note=f"{each} MiB"),
        Figure("W8", "idle node, PSS (shared pages counted once)", "MiB", (pss,)),
        Figure("W8", f"idle node, {seconds:.0f} s", "% CPU", (percent,), goal=at_most(0.5)),
    ]


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _memory_mib(pid: int, field: str) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))


def _cpu_s(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
