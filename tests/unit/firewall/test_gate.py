"""Gates against gates over a virtual network, each with a vault that only speaks the boundary."""

import pytest
import trio
from trio.testing import MockClock

from p2pchat.firewall.dialer import CROWDED
from p2pchat.limits import BOUNDARY_WINDOW_FRAMES
from p2pchat.wire import boundary
from p2pchat.wire.boundary import Reason, Role
from p2pchat.wire.frames import FrameType
from tests.support.gates import Node, peer, running, still_world, user, want

A, B, C = "10.0.0.1", "10.0.0.2", "10.0.0.3"
REFUSED = [("ws", "or does not let us in"), ("raw", "within 10 s")]  # what a dialler learns of a door that stays shut


async def link(one: Node, other: Node) -> tuple[boundary.Up, boundary.Up]:
    """Connect ``one`` to ``other``, who are contacts."""
    await other.vault.say(peer(one.vault.index))
    await one.vault.say(peer(other.vault.index, (other.host.name, 4000)), want(other.vault.index))
    return await one.vault.wait(boundary.Up), await other.vault.wait(boundary.Up)


async def test_two_gates_link_and_carry_frames(autojump_clock: MockClock) -> None:
    world = still_world()
    async with running(world, 0, A) as one, running(world, 1, B) as other:
        up, theirs = await link(one, other)
        assert (up.user, up.role, up.initiator) == (user(1), Role.CONTACT, True)
        assert (up.path, up.carrier, up.address) == ("direct", "ws", f"{B}:4000")
        assert up.key_log == up.device_set == b""  # equal to what PEER gave
        assert (theirs.user, theirs.initiator, theirs.address) == (user(0), False, A)
        assert theirs.handshake_hash == up.handshake_hash

        seqs = [await one.vault.send(up.link, FrameType.ENVELOPE, b"%d" % n) for n in range(100)]
        await one.vault.wait(boundary.Sent, lambda sent: sent.seq == seqs[-1])
        last = await other.vault.wait(boundary.Arrived, lambda frame: frame.body == b"99")
        assert [frame.body for frame in other.vault.all(boundary.Arrived)] == [b"%d" % n for n in range(100)]
        assert (last.link, last.seq, last.kind) == (theirs.link, 100, FrameType.ENVELOPE)
    assert not world.hosts[A].listeners


async def test_welcome_says_where_and_with_which_key(autojump_clock: MockClock) -> None:
    async with running(still_world(), 0, A, advertise=("chat.example:443",)) as one:
        welcome = one.vault.all(boundary.Welcome)[0]
        assert welcome.listen == one.listen == (f"{A}:4000",)
        assert welcome.reachable == ("chat.example:443",)
        assert len(welcome.share) == 32


async def test_a_stranger_gets_a_link_for_requests_alone(autojump_clock: MockClock) -> None:
    world = still_world()
    async with running(world, 0, A) as one, running(world, 1, B) as other:
        await one.vault.say(peer(1, (B, 4000)), want(1))
        up, theirs = await one.vault.wait(boundary.Up), await other.vault.wait(boundary.Up)
        assert theirs.role == Role.STRANGER
        assert theirs.key_log  # the vault has to learn who this is
        assert theirs.device_set
        await one.vault.send(up.link, FrameType.REQUEST, b"may I?")
        assert (await other.vault.wait(boundary.Arrived)).body == b"may I?"
        await one.vault.send(up.link, FrameType.HELLO, b"too early")
        assert (await other.vault.wait(boundary.Down)).reason == Reason.DAMAGED
        assert len(other.vault.all(boundary.Arrived)) == 1


async def test_a_strangers_frames_are_short(autojump_clock: MockClock) -> None:
    world = still_world()
    async with running(world, 0, A) as one, running(world, 1, B) as other:
        await one.vault.say(peer(1, (B, 4000)), want(1))
        up = await one.vault.wait(boundary.Up)
        await one.vault.send(up.link, FrameType.REQUEST, bytes(16 * 1024))
        await other.vault.wait(boundary.Arrived)
        await one.vault.send(up.link, FrameType.REQUEST, bytes(16 * 1024 + 1))
        assert (await other.vault.wait(boundary.Down)).reason == Reason.DAMAGED


async def test_a_role_raised_in_time_lets_the_next_frame_pass(autojump_clock: MockClock) -> None:
    """The frame that makes the vault raise the role and the first frame under the new role come in one breath."""
    world = still_world()
    async with running(world, 0, A) as one, running(world, 1, B, lazy=True) as other:
        await one.vault.say(peer(1, (B, 4000)), want(1))
        up = await one.vault.wait(boundary.Up)
        await one.vault.send(up.link, FrameType.ANSWER, b"accepted")
        await one.vault.send(up.link, FrameType.HELLO, b"first")
        answer = await other.vault.wait(boundary.Arrived)
        await trio.sleep(3)
        assert len(other.vault.all(boundary.Arrived)) == 1
        await other.vault.say(peer(0), boundary.Took(link=answer.link, seq=answer.seq))
        assert (await other.vault.wait(boundary.Arrived, lambda frame: frame.seq == 2)).body == b"first"
        assert not other.vault.all(boundary.Down)


@pytest.mark.parametrize(("carrier", "reason"), REFUSED)
async def test_who_was_blocked_stays_outside(carrier: str, reason: str, autojump_clock: MockClock) -> None:
    world, both = still_world(), {"carriers": (carrier,)}
    async with running(world, 0, A, **both) as one, running(world, 1, B, **both) as other:
        await other.vault.say(peer(0, role=Role.GONE))
        await one.vault.say(peer(1, (B, 4000), carrier=carrier), want(1))
        assert reason in (await one.vault.wait(boundary.Cannot)).reason
        assert not other.vault.all(boundary.Up)


async def test_blocking_ends_an_open_link(autojump_clock: MockClock) -> None:
    world = still_world()
    async with running(world, 0, A) as one, running(world, 1, B) as other:
        await link(one, other)
        await other.vault.say(peer(0, role=Role.GONE))
        assert (await other.vault.wait(boundary.Down)).reason == Reason.UNWANTED
        assert (await one.vault.wait(boundary.Down)).reason == Reason.CLOSED
        await trio.sleep(120)  # told to stay away, the other side does not knock every second
        assert len(one.vault.all(boundary.Cannot)) <= 1


async def test_cut_and_shutdown_say_good_bye(autojump_clock: MockClock) -> None:
    world = still_world()
    async with running(world, 0, A) as one:
        async with running(world, 1, B) as other:
            up, theirs = await link(one, other)
            await one.vault.say(want(1, 0), boundary.Cut(link=up.link, reason=Reason.IDLE))
            assert await one.vault.wait(boundary.Down) == boundary.Down(link=up.link, reason=Reason.IDLE)
            assert await other.vault.wait(boundary.Down) == boundary.Down(link=theirs.link, reason=Reason.CLOSED)
            await one.vault.say(want(1))
            again = await one.vault.wait(boundary.Up, lambda other_up: other_up.link != up.link)
        down = await one.vault.wait(boundary.Down, lambda message: message.link == again.link)
        assert down.reason == Reason.CLOSED


async def test_frames_before_a_cut_still_arrive(autojump_clock: MockClock) -> None:
    world = still_world()
    async with running(world, 0, A) as one, running(world, 1, B) as other:
        up, _ = await link(one, other)
        await one.vault.send(up.link, FrameType.ENVELOPE, b"last words")
        await one.vault.say(boundary.Cut(link=up.link, reason=Reason.CLOSED))
        assert (await other.vault.wait(boundary.Arrived)).body == b"last words"


async def test_H036_simultaneous_open_leaves_one_link(autojump_clock: MockClock) -> None:
    world = still_world()
    async with running(world, 0, A) as one, running(world, 1, B) as other:
        await one.vault.say(peer(1, (B, 4000)))
        await other.vault.say(peer(0, (A, 4000)))
        await one.vault.say(want(1))
        await other.vault.say(want(0))
        await trio.sleep(20)
        alive = []
        for node in (one, other):
            down = {message.link for message in node.vault.all(boundary.Down)}
            (up,) = (up for up in node.vault.all(boundary.Up) if up.link not in down)
            assert all(message.reason == Reason.REPLACED for message in node.vault.all(boundary.Down))
            alive.append(up)
        assert alive[0].handshake_hash == alive[1].handshake_hash
        dialled_by_one = user(0) < user(1)
        assert [up.initiator for up in alive] == [dialled_by_one, not dialled_by_one]


async def test_when_took_lags_the_gate_stops_reading(autojump_clock: MockClock) -> None:
    world = still_world()
    async with running(world, 0, A) as one, running(world, 1, B, lazy=True) as other:
        up, theirs = await link(one, other)
        for n in range(400):
            await one.vault.send(up.link, FrameType.ENVELOPE, n.to_bytes(2) * 600)
        await trio.sleep(5)
        assert len(other.vault.all(boundary.Arrived)) == BOUNDARY_WINDOW_FRAMES
        while (got := len(other.vault.all(boundary.Arrived))) < 400:
            await other.vault.say(boundary.Took(link=theirs.link, seq=got))
            await other.vault.wait(boundary.Arrived, lambda frame, got=got: frame.seq > got)
        assert [int.from_bytes(frame.body[:2]) for frame in other.vault.all(boundary.Arrived)] == list(range(400))


async def test_large_frames_fill_the_window_by_bytes(autojump_clock: MockClock) -> None:
    world = still_world()
    async with running(world, 0, A) as one, running(world, 1, B, lazy=True) as other:
        up, _ = await link(one, other)
        for _ in range(12):
            await one.vault.send(up.link, FrameType.ENVELOPE, bytes(72 * 1024))
        await trio.sleep(10)
        assert len(other.vault.all(boundary.Arrived)) == 8  # the eighth passes 512 KiB


async def test_a_stalled_vault_is_no_dead_peer(autojump_clock: MockClock) -> None:
    """While our vault lags nothing is read, so the peer's silence proves nothing to us."""
    world = still_world()
    async with running(world, 0, A) as one, running(world, 1, B, lazy=True) as other:
        up, _ = await link(one, other)
        for _ in range(BOUNDARY_WINDOW_FRAMES + 1):
            await one.vault.send(up.link, FrameType.ENVELOPE, b"x")
        await trio.sleep(14)
        assert not other.vault.all(boundary.Down)


async def test_cannot_tells_why_and_when(autojump_clock: MockClock) -> None:
    world = still_world()
    async with running(world, 0, A) as one:
        await one.vault.say(peer(1), want(1))
        assert (await one.vault.wait(boundary.Cannot)).reason == "no address is known"
        assert one.vault.all(boundary.Cannot)[0].retry_ms == 0
        await one.vault.say(peer(1, (B, 4000)))  # news: nobody is there
        cannot = await one.vault.wait(boundary.Cannot, lambda message: message.retry_ms > 0)
        assert "10.0.0.2" in cannot.reason
        now_ms = one.clock.wall_ms()
        assert now_ms < cannot.retry_ms <= now_ms + 1250
        async with running(world, 1, B) as other:
            await other.vault.say(peer(0))
            await one.vault.wait(boundary.Up)


async def test_names_in_records_are_never_looked_up(autojump_clock: MockClock) -> None:
    world = still_world()
    async with running(world, 0, A) as one:
        await one.vault.say(peer(1, ("peer.example", 4000)), want(1))
        assert "is a name" in (await one.vault.wait(boundary.Cannot)).reason


async def test_a_record_of_somebody_else_is_left_out_and_told(autojump_clock: MockClock) -> None:
    world = still_world()
    async with running(world, 0, A) as one:
        foreign = peer(2, (B, 4000)).records
        honest = peer(1)
        await one.vault.say(boundary.Peer(**{**_fields(honest), "records": foreign}), want(1))
        assert (await one.vault.wait(boundary.Warn)).code == "BAD_RECORD"
        assert (await one.vault.wait(boundary.Cannot)).reason == "no address is known"


def _fields(message: boundary.Peer) -> dict[str, object]:
    return {name: getattr(message, name) for name in ("user", "role", "key_log", "device_set", "records", "lan")}


@pytest.mark.parametrize(("carrier", "reason"), REFUSED)
async def test_nobody_but_the_expected_id_gets_an_answer(carrier: str, reason: str, autojump_clock: MockClock) -> None:
    """At the address of 1 lives 2: it does not even learn that somebody knows 1."""
    world, both = still_world(), {"carriers": (carrier,)}
    async with running(world, 0, A, **both) as one, running(world, 2, B, **both) as other:
        await one.vault.say(peer(1, (B, 4000), carrier=carrier), want(1))
        assert reason in (await one.vault.wait(boundary.Cannot)).reason
        assert len(other.vault.heard) == 1


async def test_the_first_address_that_proves_the_id_wins(autojump_clock: MockClock) -> None:
    world = still_world()
    async with running(world, 0, A) as one, running(world, 2, C), running(world, 1, B) as other:
        await other.vault.say(peer(0))
        started_s = trio.current_time()
        await one.vault.say(peer(1, (C, 4000), ("10.9.9.9", 4000), (B, 4000)), want(1))
        assert (await one.vault.wait(boundary.Up)).address == f"{B}:4000"
        assert trio.current_time() - started_s < 2


async def test_a_silent_network_is_noticed_and_survived(autojump_clock: MockClock) -> None:
    world = still_world()
    async with running(world, 0, A) as one, running(world, 1, B) as other:
        up, _ = await link(one, other)
        world.part(A, B)
        assert (await one.vault.wait(boundary.Down)).reason == Reason.SILENT
        assert (await other.vault.wait(boundary.Down)).reason == Reason.SILENT
        await trio.sleep(5)
        world.heal(A, B)
        assert await one.vault.wait(boundary.Up, lambda again: again.link != up.link)


async def test_an_idle_link_stays_up(autojump_clock: MockClock) -> None:
    world = still_world()
    async with running(world, 0, A) as one, running(world, 1, B) as other:
        await link(one, other)
        await trio.sleep(2 * 3600 + 60)  # past the rekeying after an hour
        assert not one.vault.all(boundary.Down)
        assert not other.vault.all(boundary.Down)


async def test_a_crashed_peer_is_met_again(autojump_clock: MockClock) -> None:
    world = still_world()
    async with running(world, 0, A) as one:
        async with running(world, 1, B) as other:
            up, _ = await link(one, other)
            other.host.freeze()
            other.scope.cancel()
        async with running(world, 1, B) as risen:
            await risen.vault.say(peer(0))
            again = await one.vault.wait(boundary.Up, lambda later: later.link != up.link, within_s=120)
            assert again.user == user(1)
            downs = one.vault.all(boundary.Down)
            assert [down.link for down in downs] == [up.link]


async def test_the_larger_id_can_come_back_while_its_old_link_seems_alive(autojump_clock: MockClock) -> None:
    """The smaller ID dialled the link that died unseen; the larger one, restarted, dials: it must not wait for long."""
    world = still_world()
    small, large = sorted((0, 1), key=user)
    async with running(world, small, A) as one:
        async with running(world, large, B) as other:
            up, _ = await link(one, other)
            other.host.freeze()
            other.scope.cancel()
        world.hosts.pop(B)  # so that no reset tells ``one``
        async with running(world, large, B) as risen:
            began_s = trio.current_time()
            await risen.vault.say(peer(small, (A, 4000)), want(small))
            await one.vault.wait(boundary.Up, lambda later: later.link != up.link)
            assert trio.current_time() - began_s < 15


async def test_a_vault_that_takes_nothing_for_two_minutes_costs_no_link(autojump_clock: MockClock) -> None:
    """The gate stops reading that peer; neither side takes the other for dead, and all of it arrives."""
    world, frames = still_world(), 400
    async with running(world, 0, A) as one, running(world, 1, B, lazy=True) as other:
        up, theirs = await link(one, other)
        for _ in range(frames):
            await one.vault.send(up.link, FrameType.ENVELOPE, bytes(1000))
        await trio.sleep(120)
        assert len(other.vault.all(boundary.Arrived)) == BOUNDARY_WINDOW_FRAMES
        for taken in range(1, frames + 1):
            await other.vault.wait(boundary.Arrived, lambda arrived, taken=taken: arrived.seq >= taken)  # type: ignore[misc]
            await other.vault.say(boundary.Took(link=theirs.link, seq=taken))
        assert len(other.vault.all(boundary.Arrived)) == frames
        assert not one.vault.all(boundary.Down) and not other.vault.all(boundary.Down)


async def test_strangers_who_come_too_often_are_told_and_try_again_after_minutes(autojump_clock: MockClock) -> None:
    world = still_world()
    async with running(world, 0, A) as one, running(world, 1, B, strangers_per_hour=1) as other:
        await one.vault.say(peer(1, (B, 4000)), want(1))
        first = await one.vault.wait(boundary.Up)
        await one.vault.say(boundary.Cut(link=first.link, reason=Reason.LOST))
        refused = await one.vault.wait(boundary.Cannot)
        assert refused.reason == CROWDED
        assert refused.retry_ms - one.clock.wall_ms() > 250_000
        assert len(other.vault.all(boundary.Up)) == 1  # its vault heard nothing of the second
        await other.vault.say(peer(0))  # a contact is no stranger
        await one.vault.say(want(1))
        await other.vault.wait(boundary.Up, lambda up: up.role == Role.CONTACT)
