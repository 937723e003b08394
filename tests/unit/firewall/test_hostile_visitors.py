"""What knocks at the door and never gets in: it looks the same whatever was wrong, and costs little."""

import random
from collections.abc import Callable

import trio
from trio.testing import MockClock

from p2pchat.firewall.half_open import HalfOpen
from p2pchat.limits import PREAUTH_BYTES, PREAUTH_S
from p2pchat.link.carriers.raw import RawCarrier
from p2pchat.link.framing import UnitReader, wrap
from p2pchat.link.handshake import link_psk
from p2pchat.link.records import Sealer
from p2pchat.wire import boundary
from p2pchat.wire.frames import Frame, FrameType
from tests.support.attacks import HOME, Scene, scene
from tests.support.identities import NOW_MS
from tests.support.links import credentials, initiator, user
from tests.support.sim_net import SimStream

# --- at the door ----------------------------------------------------------------------------------------------------


async def outcome_of(on: Scene, *pieces: bytes) -> tuple[bytes, float]:
    """What a visitor who says ``pieces`` and then waits gets to see: bytes, and when the connection ends."""
    stream = await on.knock()
    began_s = trio.current_time()
    for piece in pieces:
        await stream.send_all(piece)
    got = b""
    with trio.fail_after(60):
        while data := await _receive(stream):
            got += data
    return got, round(trio.current_time() - began_s)


async def _receive(stream: SimStream) -> bytes:
    try:
        return await stream.receive_some(65536)
    except trio.BrokenResourceError:
        return b""


def first_unit(name: str) -> bytes:
    return wrap(initiator(0, 1, name=name).start(), link_psk(user(1)), 1)


def spoiled(bit: int) -> bytes:
    unit = bytearray(first_unit("door"))
    unit[bit // 8] ^= 1 << bit % 8
    return bytes(unit)


async def test_whatever_fails_before_authentication_looks_the_same(autojump_clock: MockClock) -> None:
    """No byte, and the end after 10 s: every byte flipped, truncations, noise, HTTP, silence, floods."""
    unit = first_unit("door")
    noise = random.Random(5).randbytes
    visits = [spoiled(8 * byte + byte % 8) for byte in range(len(unit))]
    visits += [unit[:length] for length in range(0, len(unit), 31)]
    visits += [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", noise(34), noise(4000), noise(PREAUTH_BYTES), unit + b"early"]
    visits += [wrap(initiator(0, 2).start(), link_psk(user(2)), 1)]  # meant for somebody else
    outcomes: set[tuple[bytes, float]] = set()
    async with scene() as on:

        async def visit(data: bytes) -> None:
            outcomes.add(await outcome_of(on, data))

        on.node.vault.heard.clear()
        for at in range(0, len(visits), 8):  # as many as the door lets stand from one place
            async with trio.open_nursery() as nursery:
                for data in visits[at : at + 8]:
                    nursery.start_soon(visit, data)
        assert not on.node.vault.heard
    assert outcomes == {(b"", PREAUTH_S)}


async def test_a_spoiled_third_message_gets_silence(autojump_clock: MockClock) -> None:
    outcomes: set[tuple[bytes, float]] = set()
    async with scene() as on:

        async def visit(spoil: Callable[[bytes], bytes], number: int) -> None:
            core = initiator(0, 1, credentials(1), name=f"third {number}")
            stream = await on.knock()
            began_s = trio.current_time()
            await stream.send_all(wrap(core.start(), core.psk, 1))
            got = b""
            while len(got) < 34:
                got += await stream.receive_some(65536)
            length = _unit_length(got, core.psk)
            while len(got) < length:
                got += await stream.receive_some(65536)
            third = core.finish(got[:32] + got[34:length], now_ms=NOW_MS)
            await stream.send_all(spoil(wrap(third, core.psk, 3)))
            rest = b""
            while data := await _receive(stream):
                rest += data
            outcomes.add((rest, round(trio.current_time() - began_s)))

        whole = len(wrap(bytes(185), bytes(32), 3))
        spoils: list[Callable[[bytes], bytes]] = [lambda unit, b=byte: _flip(unit, b) for byte in range(0, whole, 5)]
        spoils += [lambda unit, n=length: unit[:n] for length in range(1, whole, 23)]
        for at in range(0, len(spoils), 8):
            async with trio.open_nursery() as nursery:
                for number, spoil in enumerate(spoils[at : at + 8], at):
                    nursery.start_soon(visit, spoil, number)
        assert not on.node.vault.all(boundary.Up)
    assert outcomes == {(b"", PREAUTH_S)}


def _unit_length(got: bytes, psk: bytes) -> int:
    reader = UnitReader(psk, 2, limit=48 * 1024)
    reader.feed(got[:34])
    return reader._length + 2


def _flip(unit: bytes, byte: int) -> bytes:
    damaged = bytearray(unit)
    damaged[byte] ^= 1 << byte % 8
    return bytes(damaged)


async def test_H031_a_replayed_first_message_meets_silence(autojump_clock: MockClock) -> None:
    async with scene() as on:
        unit = first_unit("replay")
        answer, _ = await outcome_of(on, unit)
        assert len(answer) > 1000
        for _ in range(3):
            assert await outcome_of(on, unit) == (b"", PREAUTH_S)


async def test_H032_the_door_holds_no_more_than_its_budget(autojump_clock: MockClock) -> None:
    async with scene() as on:
        neighbours = [on.world.host(f"10.7.7.{n}") for n in range(1, 13)]
        standing = [await host.dial(HOME, 4000) for host in neighbours]
        assert [await is_closed(stream) for stream in standing] == [False] * 8 + [True] * 4  # 8 from one /24
        assert not await is_closed(await on.world.host("10.8.8.8").dial(HOME, 4000))
        await trio.sleep(PREAUTH_S)
        assert not await is_closed(await neighbours[0].dial(HOME, 4000))  # room again


async def is_closed(stream: SimStream) -> bool:
    with trio.move_on_after(0.5):
        return await _receive(stream) == b""
    return False


def test_H032_the_door_counts_all_prefixes_together() -> None:
    door = HalfOpen(total=5, per_prefix=2)
    assert [door.enter(f"10.0.{n}.1") for n in range(6)] == [True] * 5 + [False]
    door.leave("10.0.0.99")  # same /24
    assert door.enter("2001:db8:0:100::1")
    assert door.count == 5


def test_H032_one_neighbourhood_is_one_prefix() -> None:
    door = HalfOpen(total=99, per_prefix=1)
    assert door.enter("192.0.2.1")
    assert not door.enter("192.0.2.254")
    assert not door.enter("::ffff:192.0.2.7")
    assert door.enter("2001:db8:0:1::1")
    assert not door.enter("2001:db8:0:2::1")  # the same /56
    assert door.enter("2001:db8:0:100::1")


async def test_H037_no_data_is_taken_early(autojump_clock: MockClock) -> None:
    """Frames sealed behind message 3, before the responder has answered it, are as good as noise."""
    async with scene() as on:
        carrier = RawCarrier(await on.knock())
        core = initiator(0, 1, credentials(1), name="hasty")
        await carrier.send(wrap(core.start(), core.psk, 1))
        got = b""
        while len(got) < 34 or len(got) < _unit_length(got, core.psk):
            got += await carrier.receive(65536)
        third = wrap(core.finish(got[:32] + got[34:], now_ms=NOW_MS), core.psk, 3)
        early = Sealer(core.keyed.send, now_s=0.0).seal([Frame(FrameType.ENVELOPE, b"early")], now_s=0.0)
        await carrier.send(third + early)
        await trio.sleep(PREAUTH_S)
        assert not on.node.vault.all(boundary.Up)
