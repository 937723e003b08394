"""What the processes of a node use, as Linux tells it under ``/proc``; elsewhere there is nothing to read."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast

from benchmarks.figures import Figure
from benchmarks.pair import Pair
from p2pchat.commands.demo_node import Node

KNOWN: Final = sys.platform == "linux"
Spent = Mapping[str, float]  # milliseconds of processor time, by what used them


def family(node: Node) -> dict[str, int]:
    """Process ids of ``launcher``, ``vault`` and ``gate``."""
    launcher = cast(int, node.call("daemon.status")["pid"])
    found = {"launcher": launcher}
    for word in Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split():
        command = Path(f"/proc/{word}/cmdline").read_bytes()
        found["vault" if b"p2pchat.vault" in command else "gate"] = int(word)
    return found


def cpu_ms(pid: int) -> float:
    """Processor time since its start, threads that have ended included; in steps of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def loop_ms(pid: int) -> float:
    """The share of the main thread, which runs the event loop."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e6


def memory_mib(pid: int, field: str) -> float:
    """``field`` is Rss or Pss."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{field}:"))


def spent(pair: Pair) -> Spent:
    """Of both nodes' vaults (event loop, and the worker threads: store, RSA) and gates."""
    used: dict[str, float] = {}
    for whose, node in zip(("sender", "receiver"), pair, strict=True):
        pids = family(node)
        loop = loop_ms(pids["vault"])
        used[f"{whose}'s vault, event loop"] = loop
        used[f"{whose}'s vault, store"] = cpu_ms(pids["vault"]) - loop
        used[f"{whose}'s gate"] = cpu_ms(pids["gate"])
    return used


def profile(workload: str, before: Spent, after: Spent, messages: int) -> list[Figure]:
    """Where the processors were, a message: what has to shrink where a goal is out of reach."""
    note = "processor time, not time passed: much of it is spent at the same time"
    return [
        Figure(workload, f"processor time a message: {who}", "ms", ((after[who] - before[who]) / messages,), note=note)
        for who in before
    ]
