"""The real daemon on a disk that obeys a file: ``faulty_daemon.py PLAN p2pchat.launch [its words]``.

The launcher starts the vault through this file again. Whatever ``PLAN`` says happens to the vault's next calls:

    sync 5 EIO       the fifth sync from now fails, once
    write 1 ENOSPC   the next write, alike
    cut 12 DIR       before the twelfth call from now the power goes: DIR (empty) gets what a disk would hold then, and
                     the launcher and the vault are gone
"""

import errno
import os
import runpy
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Final

from p2pchat.launch import __main__ as launcher
from p2pchat.launch import programs
from p2pchat.launch.programs import Programs
from p2pchat.store import disk
from tests.support.power.faults import Call, Faults
from tests.support.power.plain import PlainFiles
from tests.support.power.trace import Fate, Trace, put_on_disk
from tests.support.power.vfs import RecordingVfs

TOP: Final = Path(__file__).parents[2]


class Plan:
    """Counts the calls since the plan was written; done, it takes its file away."""

    def __init__(self, path: Path, trace: Trace) -> None:
        self._path, self._trace = path, trace
        self._written_ns = 0
        self._made: Counter[str] = Counter()

    def fail(self, call: Call, _number: int) -> int:
        try:
            written_ns, words = self._path.stat().st_mtime_ns, self._path.read_text().split()
        except FileNotFoundError:
            return 0
        if written_ns != self._written_ns:
            self._written_ns, self._made = written_ns, Counter()
        self._made.update((call, "cut"))
        if len(words) != 3 or self._made[words[0]] != int(words[1]):
            return 0
        if words[0] == "cut" and call != "read":
            self._cut_power(Path(words[2]))
        if words[0] != call:
            return 0
        self._path.unlink()
        return int(getattr(errno, words[2]))

    def _cut_power(self, target: Path) -> None:
        state = self._trace.after_cut(len(self._trace), Fate.TORN, os.getpid())
        put_on_disk(state, self._trace.root, target)
        self._path.unlink()
        os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)


def main(plan: str, module: str, words: list[str]) -> int:
    again = (sys.executable, __file__, plan)
    if module == "p2pchat.launch":
        own = programs.own()
        return launcher.main(words, Programs((*again, "p2pchat.vault"), own.gate, own.unlock, own.dongle))
    trace = Trace(Path(os.environ["P2PCHAT_HOME"]))
    trace.begin()
    vfs = RecordingVfs(trace, Faults(Plan(Path(plan), trace).fail))
    disk.SystemDisk.__init__.__defaults__ = (vfs.name,)  # type: ignore[attr-defined]
    sys.argv = [module, *words]
    with PlainFiles(trace).installed():
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
