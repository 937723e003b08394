"""The handshake over a carrier: budgets, deadlines, and what either side refuses."""

import pytest
import trio
from trio.testing import MockClock

from p2pchat.errors import BadFormat, ConnectionLost, Forbidden, Unreachable
from p2pchat.limits import HANDSHAKE_BYTES, PREAUTH_BYTES, PREAUTH_S
from p2pchat.link.carriers.raw import RawCarrier
from p2pchat.link.credentials import Credentials
from p2pchat.link.establish import Established, initiate, respond
from p2pchat.link.framing import UnitReader, wrap
from p2pchat.link.handshake import Claim, link_psk
from p2pchat.link.quota import SeenEphemerals
from p2pchat.link.records import Sealer
from p2pchat.wire.frames import Frame, FrameType
from p2pchat.wire.structs import Objects
from tests.support.identities import NOW_MS
from tests.support.links import credentials, fresh, initiator, local, responder, user


class Flood:
    """A carrier whose other end never stops talking; counts what is taken from it, and what it is told."""

    name = "flood"

    def __init__(self, first: bytes = b"") -> None:
        self.first = first
        self.taken = 0
        self.told = b""

    async def send(self, data: bytes) -> None:
        await trio.lowlevel.checkpoint()
        self.told += data

    async def receive(self, most: int) -> bytes:
        await trio.lowlevel.checkpoint()
        data, self.first = self.first[:most], self.first[most:]
        data = data or bytes(most)
        self.taken += len(data)
        return data

    async def finish(self) -> None:
        raise AssertionError

    async def aclose(self) -> None:
        raise AssertionError


def now_ms() -> int:
    return NOW_MS


def pinned(claim: Claim) -> Credentials | None:
    return credentials(0) if claim.user == user(0) else None


async def meet(one: RawCarrier, other: RawCarrier) -> tuple[Established, Established]:
    met: list[Established] = []

    async def answer() -> None:
        established = await respond(other, responder(1), pinned, SeenEphemerals(), now_ms=now_ms)
        assert established is not None
        met.append(established)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(answer)
        dialled = await initiate(one, local(0), initiator(0, 1, credentials(1)), trio.Lock(), now_ms=now_ms)
    return dialled, met[0]


async def test_both_sides_know_whom_they_met() -> None:
    near, far = trio.testing.memory_stream_pair()
    dialled, met = await meet(RawCarrier(near), RawCarrier(far))
    assert (dialled.peer.user, dialled.peer.initiator) == (user(1), True)
    assert (met.peer.user, met.peer.initiator) == (user(0), False)
    assert dialled.peer.handshake_hash == met.peer.handshake_hash


async def test_a_flood_is_read_to_the_budget_only(autojump_clock: MockClock) -> None:
    flood = Flood()
    assert await respond(flood, responder(1), pinned, SeenEphemerals(), now_ms=now_ms) is None
    assert flood.taken == PREAUTH_BYTES
    assert flood.told == b""
    assert trio.current_time() == PREAUTH_S


async def test_a_flood_behind_a_good_first_message_has_a_budget_too(autojump_clock: MockClock) -> None:
    one = initiator(0, 1, name="flood")
    flood = Flood(wrap(one.start(), one.psk, 1))
    assert await respond(flood, responder(1), pinned, SeenEphemerals(), now_ms=now_ms) is None
    assert len(flood.told) > 1000  # message 2
    assert flood.taken <= PREAUTH_BYTES + HANDSHAKE_BYTES
    assert trio.current_time() == PREAUTH_S


async def test_a_visitor_who_hangs_up_is_let_go_at_once(autojump_clock: MockClock) -> None:
    near, far = trio.testing.memory_stream_pair()
    await near.send_all(b"hello?")
    await near.send_eof()
    assert await respond(RawCarrier(far), responder(1), pinned, SeenEphemerals(), now_ms=now_ms) is None
    assert trio.current_time() == 0


async def test_who_is_refused_meets_silence(autojump_clock: MockClock) -> None:
    near, far = trio.testing.memory_stream_pair()
    outcome: list[Established | None] = []

    def refuse(claim: Claim) -> Credentials | None:
        raise Forbidden("blocked")

    async def answer() -> None:
        outcome.append(await respond(RawCarrier(far), responder(1), refuse, SeenEphemerals(), now_ms=now_ms))
        await far.aclose()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(answer)
        try:
            await initiate(RawCarrier(near), local(0), initiator(0, 1), trio.Lock(), now_ms=now_ms)
        except (Unreachable, ConnectionLost) as error:
            outcome.append(None)
            assert "prove" in error.message or "ended" in error.message
    assert outcome == [None, None]
    assert trio.current_time() == PREAUTH_S


async def test_an_initiator_does_not_wait_for_ever(autojump_clock: MockClock) -> None:
    near, _ = trio.testing.memory_stream_pair()
    try:
        await initiate(RawCarrier(near), local(0), initiator(0, 1), trio.Lock(), now_ms=now_ms)
    except Unreachable as error:
        assert error.message == "nobody there proved to be this ID within 10 s"
    assert trio.current_time() == PREAUTH_S


async def test_an_initiator_reads_no_flood(autojump_clock: MockClock) -> None:
    flood = Flood(first=fresh("noise", 32))
    try:
        await initiate(flood, local(0), initiator(0, 1), trio.Lock(), now_ms=now_ms)
    except BadFormat:
        assert flood.taken <= 96 * 1024
    assert len(flood.told) == len(wrap(bytes(1260), link_psk(user(1)), 1))


async def test_only_one_connection_at_a_time_reveals_the_initiator() -> None:
    near, far = trio.testing.memory_stream_pair()
    turn = trio.Lock()
    await turn.acquire()  # another connection of the same try has sent its message 3
    met: list[Established | None] = []

    async def answer() -> None:
        met.append(await respond(RawCarrier(far), responder(1), pinned, SeenEphemerals(), now_ms=now_ms))

    async def dial() -> None:
        await initiate(RawCarrier(near), local(0), initiator(0, 1), turn, now_ms=now_ms)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(answer)
        nursery.start_soon(dial)
        await trio.testing.wait_all_tasks_blocked()
        assert not met
        turn.release()
    assert met[0] is not None


@pytest.mark.parametrize("early", [False, True])
async def test_what_comes_behind_the_objects_is_not_passed_over(early: bool, autojump_clock: MockClock) -> None:
    """A frame before the link is authenticated ends it; to drop it and go on would lose what the peer believes sent."""
    near, far = trio.testing.memory_stream_pair()
    outcome: list[Established | None] = []

    async def answer() -> None:
        outcome.append(await respond(RawCarrier(far), responder(1), lambda _: None, SeenEphemerals(), now_ms=now_ms))

    async def dial() -> None:
        core, carrier, own = initiator(0, 1, credentials(1)), RawCarrier(near), credentials(0)
        await carrier.send(wrap(core.start(), core.psk, 1))
        reader = UnitReader(core.psk, 2, limit=HANDSHAKE_BYTES)
        while (message := reader.feed(await carrier.receive(65536))) is None:
            pass
        await carrier.send(wrap(core.finish(message, now_ms=NOW_MS), core.psk, 3))
        shown = Objects(step=2, key_log=own.chain.raw, device_set=own.devices.raw).encode()
        words = [Frame(FrameType.OBJECTS, shown), *([Frame(FrameType.ENVELOPE, b"early")] if early else [])]
        await carrier.send(Sealer(core.keyed.send, now_s=0.0).seal(words, now_s=0.0))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(answer)
        nursery.start_soon(dial)
    assert (outcome[0] is None) is early
