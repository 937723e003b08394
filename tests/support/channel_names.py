"""When two worlds of ``channel_model`` are the same: when they differ only in what their randomness gave."""

from dataclasses import replace
from hashlib import sha256

from p2pchat.channel.state import ChannelState, Epoch
from tests.support.channel_model import Disk, Left, Live, World


def key(world: World) -> int:
    """The same for worlds that only differ in what was drawn."""
    names: dict[bytes, int] = {}

    def name(value: object) -> object:
        if isinstance(value, bytes):
            return names.setdefault(value, len(names)) if value else -1
        if isinstance(value, tuple):
            return tuple(name(one) for one in value)
        if isinstance(value, frozenset):
            return tuple(sorted(str(names.setdefault(one, len(names))) for one in value))
        return value

    parts: list[object] = [world.left, world.set_back]
    for end in (world.lo, world.hi):
        parts.append(name(_disk(end.disk)))
        parts.append(name(_live(end.live)))
        parts.append(name(tuple((frame.kind, frame.about) for frame in end.flight)))
        if world.left.rollbacks:
            parts.append(name(tuple(_disk(disk) for disk in end.past)))
    return hash(tuple(parts))


def disks_key(world: World) -> int:
    """As ``key``, of what is committed alone: all that a new link begins from."""
    bare = replace(world, left=Left(0, 0, 0, 0), set_back=False)
    for side in ("lo", "hi"):
        bare = bare.having(side, replace(bare.end(side), live=None, flight=(), past=()))
    return key(bare)


def _disk(disk: Disk) -> tuple[object, ...]:
    out, into = disk.out, disk.into
    return (
        _channel(disk.channel),
        (out.incarnation, out.tail, out.delivered),
        (into.incarnation, into.have),
        disk.ids,
        disk.last,
        disk.seen,
    )


def _channel(state: ChannelState) -> tuple[object, ...]:
    retired = (state.retired.id, state.retired.receive.index) if state.retired else ()
    pending = _epoch(state.pending.epoch) if state.pending else ()
    health = state.health
    ill = (health.status, health.awaited, health.tries, health.hour.events, health.macs.events)
    return (_epoch(state.current) if state.current else (), pending, retired, *ill)


def _epoch(epoch: Epoch) -> tuple[object, ...]:
    return (epoch.id, epoch.number, epoch.send.index, epoch.receive.index)


def _live(live: Live | None) -> tuple[object, ...]:
    if live is None:
        return ()
    at = live.agreement
    offering = (sha256(at.offering.frame).digest(), at.offering.mode) if at.offering else ()
    opening = sha256(at.opening.frame).digest() if at.opening else b""
    return (at.phase, at.agreed, at.asked, offering, opening, live.work is not None, live.next)
