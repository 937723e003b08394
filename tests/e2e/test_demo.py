"""``p2pchat demo`` as a user runs it: real daemons, real signals, and what is left afterwards."""

import json
import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from tests.support.daemons import P2PCHAT, command_line, wait_for


def start(folder: Path) -> subprocess.Popen[str]:
    environ = {**os.environ, "TMPDIR": str(folder)}
    return subprocess.Popen(
        [*P2PCHAT, "demo", "--json"], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def daemons(folder: Path) -> list[int]:
    """Processes whose home lies in ``folder``."""
    mark = b"P2PCHAT_HOME=" + os.fsencode(folder)
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue  # ended meanwhile, or another user's
    return found


@pytest.mark.slow
def test_two_nodes_talk_and_nothing_is_left(tmp_path: Path) -> None:
    process = start(tmp_path)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert json.loads(out.splitlines()[-1])["step"] == "done"
    assert daemons(tmp_path) == [] and list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("step", ["", "identities", "start", "card", "stop"])
def test_a_signal_leaves_nothing(tmp_path: Path, step: str, number: int) -> None:
    """It strikes while the daemons start, while they run, and while one of them is down."""
    process = start(tmp_path)
    assert process.stdout is not None
    if step:
        while json.loads(process.stdout.readline())["step"] != step:
            pass
    else:
        wait_for(lambda: bool(list(tmp_path.iterdir())), seconds=30, what="the demo to begin")
    threading.Event().wait(0.1)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert [command_line(pid) for pid in daemons(tmp_path)] == []
    assert list(tmp_path.iterdir()) == []
