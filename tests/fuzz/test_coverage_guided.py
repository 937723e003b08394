"""A few seconds of coverage-guided fuzzing a group of parsers; ``python -m tests.fuzz`` runs it for longer."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest

from tests.fuzz.targets import GROUPS, PLANTED

ROOT: Final = Path(__file__).parents[2]
SECONDS: Final = 4
FOUND: Final = 77  # libFuzzer's exit status for a finding

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("atheris") is None, reason="atheris has no wheel for this Python or platform"),
]


def fuzz(keep: Path, *targets: str, seconds: int = SECONDS) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "tests.fuzz", *targets, "--seconds", str(seconds), "--keep", str(keep)]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("group", GROUPS)
def test_a_guided_run_finds_nothing(group: str, tmp_path: Path) -> None:
    done = fuzz(tmp_path, *(target.name for target in GROUPS[group]))
    assert not list(tmp_path.glob("*-finding")), done.stderr[-3000:]
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Done " in done.stderr


def test_a_planted_fault_is_found(tmp_path: Path) -> None:
    done = fuzz(tmp_path, PLANTED.name, seconds=30)
    assert done.returncode == FOUND, done.stderr[-3000:]
    assert (tmp_path / f"{PLANTED.name}-finding").read_bytes().startswith(b"p2p")
