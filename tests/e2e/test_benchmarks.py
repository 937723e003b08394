"""The benchmark runs, and verifies what it counts. No time is asserted."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_messages_are_measured_and_verified() -> None:
    command = [sys.executable, "-m", "benchmarks", "--quick", "W2", "W3"]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "| 1000 messages at once" in done.stdout and "| one message, p50" in done.stdout
    written = root / done.stderr.strip().splitlines()[-1]
    assert written.exists()
    written.unlink()
