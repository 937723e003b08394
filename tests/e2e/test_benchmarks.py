"""The benchmark runs, and verifies what it counts. No time is asserted."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "rows"),
    [
        (("W2", "W3"), ("| 1000 messages at once", "| one message, p50")),
        (("link",), ("| handshakes over ws", "| one way over ws", "| 1000 messages at once over ws")),
    ],
)
def test_what_is_measured_is_verified(what: tuple[str, ...], rows: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "benchmarks", "--quick", *what]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert all(row in done.stdout for row in rows)
    written = root / done.stderr.strip().splitlines()[-1]
    assert written.exists()
    written.unlink()
