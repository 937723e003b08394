"""One target under atheris: ``python -m tests.fuzz TARGET [--seconds N] [--keep FOLDER]``.

Starts from the seeds and the corpus. What the run finds goes into ``--keep``: inputs that reach new code, and on a
finding a file ``crash-...`` or ``timeout-...``, with exit status 77 and the traceback on stderr. A finding is
mended and its file moved to ``tests/fuzz/corpus/TARGET/``, which every test run replays.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["p2pchat"], enable_loader_override=False):
    from tests.fuzz.target import refuses_or_takes
    from tests.fuzz.targets import TARGETS

INPUT_BYTES = 100_000
INPUT_S = 5  # libFuzzer's own alarm; test_bounds.py asks for far less
MEMORY_MIB = 1024


def main() -> None:
    words = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    words.add_argument("target", choices=sorted(TARGETS))
    words.add_argument("--seconds", type=int, default=60)
    words.add_argument("--keep", type=Path, help="a folder for what the run finds; left out: a temporary one")
    given = words.parse_args()
    target = TARGETS[given.target]
    with tempfile.TemporaryDirectory(prefix="p2pchat-fuzz-") as scratch:
        keep = given.keep or Path(scratch) / "found"
        seeds = Path(scratch) / "seeds"
        for folder in (keep, seeds):
            folder.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(target.kept()):
            (seeds / str(number)).write_bytes(seed)
        options = [
            f"-max_total_time={given.seconds}",
            f"-max_len={INPUT_BYTES}",
            f"-timeout={INPUT_S}",
            f"-rss_limit_mb={MEMORY_MIB}",
            f"-artifact_prefix={keep}/",
            "-print_final_stats=1",
            "-verbosity=1",
        ]
        atheris.Setup([sys.argv[0], *options, str(keep), str(seeds)], lambda data: refuses_or_takes(target, data))
        atheris.Fuzz()


main()
