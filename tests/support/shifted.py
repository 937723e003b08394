"""Start a real daemon whose wall clock is off."""

import os
import subprocess
import sys
from pathlib import Path

from p2pchat.launch.opening import Opening
from tests.support import shifted_daemon
from tests.support.daemons import PASSWORD, Node, wait_for


def start_shifted(node: Node, days: int) -> None:
    """The daemon of ``node`` under a clock that is off by ``days``."""
    launch = [sys.executable, shifted_daemon.__file__, str(days), "p2pchat.launch", "--detach"]
    top = Path(__file__).parents[2]
    with (node.path / "shifted.log").open("ab") as log:
        subprocess.run(
            [*launch, "--listen", "127.0.0.1:0"],
            env={**node.environ, "PYTHONPATH": os.pathsep.join([str(top), node.environ["PYTHONPATH"]])},
            input=Opening(PASSWORD.encode()).encode(),
            stdout=log,
            stderr=log,
            timeout=60,
            check=True,
        )
    wait_for(lambda: node.run("daemon", "status").returncode == 0, seconds=30, what="the shifted daemon")
