"""World (ii): four whole nodes and their users; streams that break, machines that crash, clocks that jump.

``P2PCHAT_SIM_SEEDS=500`` runs more seeds than the share of CI. A failing seed is run alone with
``pytest "tests/simulation/test_nodes.py::test_nothing_is_lost_or_shown_twice_or_out_of_order[SEED]" -m ""``; its number
then goes to ``REGRESSIONS``.
"""

import os
from pathlib import Path
from typing import Final

import pytest

from p2pchat.channel import agreement, state
from p2pchat.env_system import SystemCrypto
from tests.support import fake_root
from tests.support.node_world import NodeWorld, Plan

SEEDS: Final = int(os.environ.get("P2PCHAT_SIM_SEEDS", "10"))
QUICK: Final = 2  # seeds that ./dev test runs, too
REGRESSIONS: Final = (
    2,  # an orderly stop, then a crash: the last flush waited for ever for a writer that had been cancelled
    11,  # an orderly stop while an epoch is agreed: the last commit's effect met its link's closed nursery
    52,  # the same in another life
)
SHORT_EPOCH: Final = 5  # messages, rather than 1000: so that epochs change under traffic


def world_of(seed: int, monkeypatch: pytest.MonkeyPatch, folder: Path) -> NodeWorld:
    """One seed in ten has everything real: RSA, cipher, files. The others share out what else may differ."""
    if seed % 2:
        monkeypatch.setattr(agreement, "EPOCH_MESSAGES", SHORT_EPOCH)
        monkeypatch.setattr(state, "EPOCH_MESSAGES", SHORT_EPOCH)
    if seed % 10 == 0:
        return NodeWorld(seed, Plan(files=folder / f"{seed}"), SystemCrypto())
    plan = Plan(rollback=seed % 10 in {3, 7}, bulk=seed % 10 in {4, 9})
    return NodeWorld(seed, plan, fake_root.plant(monkeypatch))


def seeds() -> list[object]:
    every = list(dict.fromkeys([*range(1, SEEDS), 0, *REGRESSIONS]))
    return [*every[:QUICK], *(pytest.param(seed, marks=pytest.mark.slow) for seed in every[QUICK:])]


@pytest.mark.parametrize("seed", seeds())
def test_nothing_is_lost_or_shown_twice_or_out_of_order(
    seed: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    world = world_of(seed, monkeypatch, tmp_path)
    world.run()
    assert not world.problems, f"seed {seed}: " + "\n".join(world.problems)
    assert sum(map(len, world.history.shown.values())) > 0.8 * world.plan.people * world.plan.messages
    happened = {what for _, _, what, _ in world.trace}
    assert happened >= {"connect", "commits", "crash", "stop", "end", "clock", "cut", "accepted", "shown"}


@pytest.mark.slow
def test_the_same_seed_gives_the_same_trace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    first, second, other = (world_of(seed, monkeypatch, tmp_path) for seed in (1, 1, 5))
    for world in (first, second, other):
        world.run()
    for number, (one, two) in enumerate(zip(first.trace, second.trace, strict=False)):
        assert one == two, f"the traces part at entry {number}"
    assert len(first.trace) == len(second.trace)
    assert first.trace != other.trace
