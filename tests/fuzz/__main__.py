"""Targets under atheris: ``python -m tests.fuzz TARGET... [--seconds N] [--keep FOLDER]``.

Starts from the seeds and the corpus. Of several targets the first byte of an input chooses one. What the run finds goes
into ``--keep``: inputs that reach new code, and a finding as ``TARGET-finding``, with an exit status that is not 0 and
the traceback on stderr. Mend it and move its file to ``tests/fuzz/corpus/TARGET/``, which every test run replays.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["p2pchat", "h11", "tests.fuzz"], enable_loader_override=False):
    from tests.fuzz.target import Target, refuses_or_takes
    from tests.fuzz.targets import PLANTED, TARGETS

INPUT_BYTES = 100_000
INPUT_S = 5  # libFuzzer's own alarm; test_bounds.py asks for far less
MEMORY_MIB = 1024


def main() -> None:
    words = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    words.add_argument("targets", nargs="+", choices=sorted([*TARGETS, PLANTED.name]), metavar="TARGET")
    words.add_argument("--seconds", type=int, default=60)
    words.add_argument("--keep", type=Path, help="a folder for what the run finds; left out: a temporary one")
    given = words.parse_args()
    targets = [TARGETS.get(name, PLANTED) for name in given.targets]
    with tempfile.TemporaryDirectory(prefix="p2pchat-fuzz-") as scratch:
        keep = given.keep or Path(scratch) / "found"
        seeds = Path(scratch) / "seeds"
        for folder in (keep, seeds):
            folder.mkdir(parents=True, exist_ok=True)
        write_seeds(targets, seeds)
        options = [
            f"-max_total_time={given.seconds}",
            f"-max_len={INPUT_BYTES}",
            f"-timeout={INPUT_S}",
            f"-rss_limit_mb={MEMORY_MIB}",
            f"-artifact_prefix={keep}/",
            "-print_final_stats=1",
        ]
        atheris.Setup([sys.argv[0], *options, str(keep), str(seeds)], lambda data: read(targets, data, keep))
        atheris.Fuzz()


def write_seeds(targets: list[Target], folder: Path) -> None:
    for choice, target in enumerate(targets):
        for number, seed in enumerate(target.kept()):
            (folder / f"{choice}-{number}").write_bytes((bytes([choice]) if len(targets) > 1 else b"") + seed)


def read(targets: list[Target], data: bytes, keep: Path) -> None:
    target = targets[0]
    if len(targets) > 1:
        target, data = targets[(data[0] if data else 0) % len(targets)], data[1:]
    try:
        refuses_or_takes(target, data)
    except BaseException:
        (keep / f"{target.name}-finding").write_bytes(data)
        raise


main()
