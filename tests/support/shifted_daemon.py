"""The real daemon under a wall clock that is off: ``shifted_daemon.py DAYS p2pchat.launch [its words]``.

The launcher starts vault and gate through this file again, which turns the system's clock before either runs.
"""

import runpy
import sys
from dataclasses import replace
from typing import Final

from p2pchat.env_system import SystemClock
from p2pchat.launch import __main__ as launcher
from p2pchat.launch import programs

DAY_MS: Final = 24 * 3600 * 1000


def main(days: int, module: str, words: list[str]) -> int:
    if module == "p2pchat.launch":
        again = (sys.executable, __file__, str(days))
        own = replace(programs.own(), vault=(*again, "p2pchat.vault"), gate=(*again, "p2pchat.firewall"))
        return launcher.main(words, own)
    _shift(days)
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    return 0


def _shift(days: int) -> None:
    right = SystemClock.wall_ms

    def wrong(self: SystemClock) -> int:
        return right(self) + days * DAY_MS

    SystemClock.wall_ms = wrong  # type: ignore[method-assign]


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2], sys.argv[3:]))
