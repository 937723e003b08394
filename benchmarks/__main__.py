"""Measure what the goals speak of: ``python -m benchmarks [W1 W2 W3 W6 W8 history link loop micro] [--quick]``.

Real daemons on loopback with the demo's keys; homes and the roofline's databases lie on the same file system. A table
goes to stdout, everything to benchmarks/results/. No time is asserted: a figure says its goal and whether it is met.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.carriers import carriers
from benchmarks.cli_call import cli_call
from benchmarks.cold_start import cold_start
from benchmarks.figures import Figure, share_of_limit
from benchmarks.handshakes import handshakes
from benchmarks.history import history
from benchmarks.idle import idle
from benchmarks.loop_delay import loop_delay
from benchmarks.messages import pipelined, serial
from benchmarks.micro import micro
from benchmarks.pair import friends
from benchmarks.processes import KNOWN
from benchmarks.table import table, write_into

ROOT: Final = Path(__file__).parents[1]
RESULTS: Final = ROOT / "benchmarks" / "results"
DOCUMENT: Final = ROOT / "docs" / "performance.md"
ALL: Final = ("W1", "W2", "W3", "W6", "W8", "history", "link", "loop", "micro")


def main() -> int:
    options = _options()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a user's second start finds its modules compiled
    if options.undisturbed:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))  # every process started from here inherits it
    wanted = options.what or ALL
    figures = _measure(wanted, options.quick, options.dir, options.carrier)
    text = table(figures)
    machine = _machine()
    print(f"{text}\n\n{machine}")
    RESULTS.mkdir(exist_ok=True)
    result = RESULTS / time.strftime("%Y%m%d-%H%M%S.json")
    shape = {"machine": machine, "quick": options.quick, "figures": [figure.as_json() for figure in figures]}
    result.write_text(json.dumps(shape, indent=1) + "\n")
    print(f"{result.relative_to(ROOT)}", file=sys.stderr)
    if options.write:
        write_into(DOCUMENT, f"{text}\n\n{machine}\n")
    return 0


def _measure(wanted: Sequence[str], quick: bool, parent: str | None, carrier: str) -> list[Figure]:
    """In the order in which they disturb each other least."""
    repeats = 1 if quick else 3
    figures: list[Figure] = []
    if "micro" in wanted:
        figures += micro()
    if "loop" in wanted:
        figures += loop_delay()
    if "link" in wanted:
        figures += handshakes(repeats, 200 if quick else 1000) + carriers(0.5 if quick else 5.0, repeats)
        figures.append(_both_ways(parent, repeats))
    if not set(wanted) - {"micro", "loop", "link"}:
        return figures
    with tempfile.TemporaryDirectory(prefix="p2pchat-bench-", dir=parent) as name, friends(Path(name), carrier) as pair:
        folder = Path(name)
        if "W1" in wanted:
            figures += cold_start(pair, 2 if quick else 5)
        if "W3" in wanted:
            figures += serial(pair, folder, repeats)
        if "W2" in wanted:
            figures += pipelined(pair, folder, repeats)
        if "W6" in wanted:
            figures += cli_call(pair, folder)
        if "W8" in wanted and KNOWN:
            figures += idle(pair, 10 if quick else 60)
        if "history" in wanted:
            figures += history(pair, folder, 10_000 if quick else 100_000)
    return sorted(figures, key=lambda figure: figure.workload or "Z")


def _both_ways(parent: str | None, repeats: int) -> Figure:
    """W2 over ws against W2 over raw."""
    runs = {}
    for carrier in ("raw", "ws"):
        with (
            tempfile.TemporaryDirectory(prefix="p2pchat-bench-", dir=parent) as name,
            friends(Path(name), carrier) as pair,
        ):
            runs[carrier] = pipelined(pair, Path(name), repeats)[0]
    limit, goal = runs["raw"].value, share_of_limit(0.7)
    return Figure("link", "1000 messages at once over ws (limit: over raw)", "/s", runs["ws"].runs, limit, goal)


def _machine() -> str:
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    return (
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, commit {commit or 'unknown'}"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("what", nargs="*", choices=[*ALL, []], help="workloads; all unless told")
    parser.add_argument("--quick", action="store_true", help="one repeat, ten idle seconds")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    parser.add_argument("--carrier", choices=["ws", "raw"], default="ws", help="of the links of all but link")
    parser.add_argument("--undisturbed", action="store_true", help="before all other programs (Linux, as root)")
    parser.add_argument("--dir", help="parent of the temporary folder, to choose the file system")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
