"""World (i): four people, three hundred messages a seed, everything that can go wrong between them.

A failing seed is run alone with ``World(seed, people_of(seed), faults_of(seed)).run()``.
"""

from dataclasses import replace
from typing import Final

import pytest

from p2pchat.delivery.incoming import Seen
from p2pchat.wire.structs import MessageBody, Resume
from tests.support.frame_sim.node import Node
from tests.support.frame_sim.parts import LinkEnd, Person
from tests.support.frame_sim.people import fake_people, real_people
from tests.support.frame_sim.world import Faults, World

SEEDS: Final = 40
MUTANT_SEEDS: Final = 12  # within so many seeds each planted bug must show
PEOPLE: Final = fake_people()


def faults_of(seed: int) -> Faults:
    """Most seeds: links die and processes crash. Some: single frames suffer, or stores go back in time."""
    if seed % 10 == 0:
        return Faults(messages=100, renewals=3, crashes=3, link_life_ms=30_000)  # real RSA
    if seed % 4 == 1:
        return Faults(messages=300, lost=0.02, repeated=0.02, swapped=0.02, damaged=0.003)
    if seed % 5 == 2:
        return Faults(messages=300, rollbacks=6, cancels=0)  # an old store has forgotten a cancellation, too
    return Faults(messages=300)


def people_of(seed: int) -> dict[str, Person]:
    return real_people() if seed % 10 == 0 else PEOPLE


def run(seed: int, node_class: type[Node] = Node) -> World:
    world = World(seed, people_of(seed), faults_of(seed), node_class)
    world.run()
    return world


@pytest.mark.parametrize("seed", range(SEEDS))
def test_nothing_is_lost_or_shown_twice_or_out_of_order(seed: int) -> None:
    world = run(seed)
    assert world.problems() == []
    shown = sum(map(len, world.history.shown.values()))
    assert shown > 0.5 * world.faults.messages  # the run was not empty


def test_the_same_seed_gives_the_same_trace() -> None:
    assert run(3).digest == run(3).digest
    assert run(3).digest != run(4).digest


class AcksBeforeCommit(Node):
    def acknowledge(self, end: LinkEnd) -> None:
        self._say_receipt(end)


class KnowsNoMessage(Node):
    def seen(self, peer: str, body: MessageBody) -> Seen:
        return Seen.NEVER


class CountsOneTooFar(Node):
    def resume(self, peer: str) -> Resume:
        resume = super().resume(peer)
        return replace(resume, have=resume.have + 1)


@pytest.mark.parametrize("mutant", [AcksBeforeCommit, KnowsNoMessage, CountsOneTooFar])
def test_a_planted_bug_is_caught(mutant: type[Node]) -> None:
    for seed in range(1, MUTANT_SEEDS):
        if seed % 10 == 0:
            continue
        if run(seed, mutant).problems():
            return
    pytest.fail(f"{mutant.__name__} went unnoticed")
