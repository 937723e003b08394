"""A search through ``channel_model``: every world within so many moves of a beginning, each looked at once."""

from collections import deque
from dataclasses import dataclass, field, replace

from p2pchat.channel.damage import HEALTHY
from p2pchat.channel.state import ChannelState, Epoch
from tests.support import channel_model as model
from tests.support import channel_names
from tests.support.channel_model import OTHER, Disk, End, Left, World


class Found(AssertionError):
    """A world that must not be. The message says how it came about."""


@dataclass
class Search:
    """``run`` it; ``visited`` and ``links_made`` say how far it came."""

    depth: int
    most: int = 10**9  # worlds
    visited: int = 0
    deepest: int = 0
    continuations: int = 0  # pairs of disks from which a fair link was tried
    whole: bool = False  # nothing within the depth was left out
    _known: set[int] = field(default_factory=set)
    _tried: set[int] = field(default_factory=set)
    _keys: dict[tuple[bytes, bool, int], bytes] = field(default_factory=dict)

    def run(self, *beginnings: World) -> "Search":
        waiting = deque[tuple[World, tuple[str, ...]]]()
        for world in beginnings:
            self._meet(world, ("begin",), waiting)
        while waiting and self.visited < self.most:
            world, path = waiting.popleft()
            if len(path) > self.depth:
                continue
            for name, move in model.moves(world):
                way = (*path, name)
                try:
                    self._meet(move(), way, waiting)
                except AssertionError as error:
                    raise Found(f"{error}\nafter: {', '.join(way)}") from error
        self.whole = not waiting
        return self

    def _meet(self, world: World, path: tuple[str, ...], waiting: deque[tuple[World, tuple[str, ...]]]) -> None:
        name = channel_names.key(world)
        if name in self._known:
            return
        self._known.add(name)
        self.visited += 1
        self.deepest = max(self.deepest, len(path) - 1)
        self._check(world)
        waiting.append((world, path))

    # --- what must hold -----------------------------------------------------------------------------------------------

    def _check(self, world: World) -> None:
        check_health(world)
        for side in ("lo", "hi"):
            self._check_keys(side, world.end(side).disk.channel)
        if world.quiet:
            check_rest(world)
        name = channel_names.disks_key(world)
        if name not in self._tried:
            self._tried.add(name)
            self.continuations += 1
            check_fair_link(world)

    def _check_keys(self, side: str, state: ChannelState) -> None:
        epochs = [state.current, state.pending.epoch if state.pending else None]
        for epoch in epochs:
            if epoch is not None:
                self._check_epoch(side, epoch)

    def _check_epoch(self, side: str, epoch: Epoch) -> None:
        """One id, one set of keys, whoever holds it."""
        own_lohi = side == "lo"
        chains = ((epoch.send, epoch.ctl_send, own_lohi), (epoch.receive, epoch.ctl_receive, not own_lohi))
        for chain, ctl, lohi in chains:
            for index, value in ((chain.index, chain.key), (-1, ctl), (-2, epoch.next_salt)):
                place = (epoch.id, lohi or index == -2, index)
                assert self._keys.setdefault(place, value) == value, "two keys under one name"


def check_health(world: World) -> None:
    """Nothing is damaged here, so nothing may fail to open but what a store put back makes stale; nobody gives up."""
    for side in ("lo", "hi"):
        health = world.end(side).disk.channel.health
        assert world.set_back or health == HEALTHY, f"{side} could not open what was sealed honestly: {health}"
        assert health.retry_ms == 0, f"{side} has given up"


def check_rest(world: World) -> None:
    """On a link where nothing is on its way, both are in one epoch and everything written has arrived."""
    for side in ("lo", "hi"):
        end, other = world.end(side), world.end(OTHER[side])
        assert end.live is not None and end.live.agreement.ready, f"{side} waits for ever"
        assert end.live.next is not None, f"{side} waits for a Resume for ever"
        assert end.disk.channel.epoch_id == other.disk.channel.epoch_id, "two epochs"
        _check_delivered(end.disk, other.disk)


def _check_delivered(sender: Disk, receiver: Disk) -> None:
    assert receiver.into.incarnation == sender.out.incarnation, "a life of the queue was never told"
    assert receiver.into.have == sender.out.tail, "a message never arrives"


def check_fair_link(world: World) -> None:
    """From what is committed, whatever is lost: one undisturbed link, and one message each way arrives."""
    world = model.settled(model.connect(world))
    check_rest(world)
    for side in ("lo", "hi"):
        world = model.settled(model.write(world, side))
    check_rest(world)
    check_health(world)


# --- beginnings -------------------------------------------------------------------------------------------------------


def strangers(left: Left) -> World:
    """Two who have never met."""
    return World(End(Disk()), End(Disk()), left)


def friends(left: Left) -> World:
    """In their first epoch, over a live link, one message each way behind them."""
    world = model.settled(model.connect(strangers(left)))
    for side in ("lo", "hi"):
        world = model.settled(model.write(world, side))
    return replace(world, left=left)
