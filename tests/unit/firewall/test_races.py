"""Dials that meet: several addresses of one peer, both sides at once, slow networks."""

from random import Random

import pytest
import trio

from p2pchat.wire import boundary
from p2pchat.wire.boundary import Reason
from tests.support.gates import Node, peer, running, user, want
from tests.support.sim_env import run_virtual
from tests.support.sim_net import World

A, B = "10.0.0.1", "10.0.0.2"
A_TOO, B_TOO = "10.0.1.1", "10.0.1.2"


class SlowWorld(World):
    def latency_s(self) -> float:
        return self.random.uniform(0.05, 0.9)


def alive(node: Node) -> list[boundary.Up]:
    down = {message.link for message in node.vault.all(boundary.Down)}
    return [up for up in node.vault.all(boundary.Up) if up.link not in down]


@pytest.mark.parametrize("seed", range(8))
def test_two_addresses_of_one_peer_make_one_link_on_a_slow_network(seed: int) -> None:
    async def play() -> None:
        world = SlowWorld(Random(seed), faults=False)
        async with running(world, 0, A) as one, running(world, 1, B) as other:
            world.hosts[B_TOO] = world.hosts[B]
            await other.vault.say(peer(0))
            await one.vault.say(peer(1, (B, 4000), (B_TOO, 4000)), want(1))
            await trio.sleep(30)
            for node in (one, other):
                assert len(node.vault.all(boundary.Up)) == 1
                assert not node.vault.all(boundary.Down)

    run_virtual(seed, play)


@pytest.mark.parametrize("seed", range(12))
def test_H036_whoever_dials_when_and_where_one_link_remains(seed: int) -> None:
    async def play() -> None:
        draw = Random(seed)
        world = SlowWorld(draw, faults=False)
        async with running(world, 0, A) as one, running(world, 1, B) as other:
            world.hosts[A_TOO], world.hosts[B_TOO] = world.hosts[A], world.hosts[B]
            await one.vault.say(peer(1, (B, 4000), (B_TOO, 4000)))
            await other.vault.say(peer(0, (A, 4000), (A_TOO, 4000)))
            await one.vault.say(want(1))
            await trio.sleep(draw.uniform(0, 1.5))
            await other.vault.say(want(0))
            await trio.sleep(60)
            ((near,), (far,)) = alive(one), alive(other)
            assert near.handshake_hash == far.handshake_hash
            for node in (one, other):
                # LOST: the larger ID gave its own dial up just when the smaller one had taken it
                assert {message.reason for message in node.vault.all(boundary.Down)} <= {Reason.REPLACED, Reason.LOST}
                assert len(node.vault.all(boundary.Up)) <= 2

    run_virtual(seed, play)


@pytest.mark.parametrize("seed", range(6))
def test_links_survive_a_bad_network(seed: int) -> None:
    """Resets, stalls and half-open pipes for ten minutes; then calm, and the two must find each other again."""

    async def play() -> None:
        world = World(Random(seed))
        async with running(world, 0, A) as one, running(world, 1, B) as other:
            await one.vault.say(peer(1, (B, 4000)), want(1))
            await other.vault.say(peer(0, (A, 4000)), want(0))
            await trio.sleep(600)
            world.settle()
            await trio.sleep(1000)
            ((near,), (far,)) = alive(one), alive(other)
            assert (near.user, far.user) == (user(1), user(0))
            assert near.handshake_hash == far.handshake_hash

    run_virtual(seed, play)
