"""The power goes while a vault writes to a friend or hears from one: what it had vouched for is there afterwards.

Vouched for: to its user by an answer of the control socket, to the friend by a receipt, to the gate by TOOK. A cut is
put before any operation of the disk, and leaves of the unconfirmed ones what the worst of disks would.
"""

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support.power.friend import Memory
from tests.support.power.judge import Vouched, skews, start_again
from tests.support.power.moments import cuts
from tests.support.power.recorder import Recorder
from tests.support.power.stories import Story, befriended, receiving, sending
from tests.support.power.trace import put_on_disk
from tests.support.sim_env import run_virtual

SEED = 20


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Memory]:
    """A home with a friend, and what the friend knows."""
    folder = tmp_path_factory.mktemp("base")
    return folder, run_virtual(SEED, partial(befriended, folder))


def recorded(story: Story, base: tuple[Path, Memory], folder: Path) -> Recorder:
    home, memory = base
    shutil.copytree(home, folder)
    recorder = Recorder(folder)
    run_virtual(SEED, partial(story, recorder, memory))
    return recorder


def problems(recorder: Recorder, folder: Path, count_: int) -> Iterator[str]:
    trace = recorder.trace
    for (when, fate, seed), skew_ms in zip(cuts(trace, count_), skews(), strict=False):
        target = folder / f"cut {seed}"
        target.mkdir()
        put_on_disk(trace.after_cut(when, fate, seed), trace.root, target)
        vouched, memory = Vouched.before(recorder, when), recorder.knew(when)
        for found in run_virtual(seed, partial(start_again, target, vouched, memory, skew_ms=skew_ms)):
            yield f"cut before operation {when} of {len(trace)}, {fate.value}, seed {seed}: {found}"
        shutil.rmtree(target)


@pytest.mark.parametrize("count_", [24, pytest.param(200, marks=pytest.mark.slow)])
@pytest.mark.parametrize("story", [sending, receiving])
def test_what_was_vouched_for_outlives_a_power_cut(
    story: Story, count_: int, base: tuple[Path, Memory], tmp_path: Path
) -> None:
    assert list(problems(recorded(story, base, tmp_path / "home"), tmp_path, count_)) == []
