"""What comes over a link, or knocks at the door, from somebody who means ill (walls 4.2 and 4.3)."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
import trio
from trio.testing import MockClock

from p2pchat.errors import ConnectionLost
from p2pchat.firewall.half_open import HalfOpen
from p2pchat.limits import PREAUTH_BYTES, PREAUTH_S
from p2pchat.link.carriers.raw import RawCarrier
from p2pchat.link.drive import RECORD_S, SIGNAL_BURST
from p2pchat.link.establish import Established, initiate
from p2pchat.link.framing import UnitReader, wrap
from p2pchat.link.handshake import link_psk
from p2pchat.link.heartbeat import UNREAD_S
from p2pchat.link.records import Sealer
from p2pchat.wire import boundary
from p2pchat.wire.boundary import Reason, Role
from p2pchat.wire.frames import CRITICAL, Frame, FrameType
from p2pchat.wire.structs import Ping
from tests.support.gates import Node, peer, running, still_world
from tests.support.identities import NOW_MS
from tests.support.links import credentials, initiator, local, user
from tests.support.sim_net import Host, SimStream, World

HOME = "10.0.0.2"
WORST_LATENCY_S = 2.0


@dataclass(eq=False)
class Scene:
    """Node 1 under attack from ``host`` by somebody who holds identity 0, one of its contacts."""

    world: World
    node: Node
    host: Host

    async def knock(self) -> SimStream:
        return await self.host.dial(HOME, 4000)

    async def link(self, name: str = "attack") -> "Attack":
        carrier = RawCarrier(await self.knock())
        core = initiator(0, 1, credentials(1), name=name)
        established = await initiate(carrier, local(0), core, trio.Lock(), now_ms=lambda: NOW_MS)
        return Attack(established, await self.node.vault.wait(boundary.Up))


@dataclass(eq=False)
class Attack:
    """An authenticated link whose other end does what it likes."""

    established: Established
    up: boundary.Up

    async def frames(self, *frames: Frame) -> None:
        await self.raw(self.established.sealer.seal(frames, now_s=trio.current_time()))

    async def raw(self, data: bytes) -> None:
        await self.established.carrier.send(data)

    async def until_closed(self) -> bytes:
        """All that still comes, to the end."""
        got = b""
        try:
            while data := await self.established.carrier.receive(65536):
                got += data
        except ConnectionLost:
            return got
        return got


@asynccontextmanager
async def scene(role: Role = Role.CONTACT) -> AsyncIterator[Scene]:
    world = still_world()
    async with running(world, 1, HOME, carriers=("raw",)) as node:
        await node.vault.say(peer(0, role=role))
        yield Scene(world, node, world.host("10.6.6.6"))


async def down(node: Node, *, within_s: float = 5.0) -> Reason:
    return Reason((await node.vault.wait(boundary.Down, within_s=within_s)).reason)


def unsealed(attack: Attack, plaintext: bytes) -> bytes:
    """A record with a good tag around any plaintext."""
    keys = attack.established.sealer._keys
    masked = keys.mask((len(plaintext) + 18).to_bytes(2))
    return masked + keys.aead.encrypt(keys.next_nonce(), plaintext, masked)


@pytest.mark.parametrize("length", [2**17, 2**31, 2**32 - 1])
async def test_H015_a_frame_that_claims_too_much_cuts_the_link(length: int, autojump_clock: MockClock) -> None:
    async with scene() as on:
        attack = await on.link()
        header = b"SCHT\x00\x01" + length.to_bytes(4) + b"\x00\x07"
        await attack.raw(unsealed(attack, (b"\x00\x00\x0c" + header).ljust(238, b"\0")))
        assert await down(on.node) is Reason.DAMAGED


async def test_H015_a_record_that_claims_no_bucket_cuts_the_link(autojump_clock: MockClock) -> None:
    async with scene() as on:
        attack = await on.link()
        await attack.raw(attack.established.sealer._keys.mask(b"\x00\x00"))
        assert await down(on.node) is Reason.DAMAGED


async def test_H016_a_record_whose_bytes_never_come_cuts_the_link(autojump_clock: MockClock) -> None:
    async with scene() as on:
        attack = await on.link()
        record = attack.established.sealer.seal([Frame(FrameType.ENVELOPE, b"x")], now_s=0.0)
        began_s = trio.current_time()
        await attack.raw(record[:100])
        assert await down(on.node, within_s=60) is Reason.DAMAGED
        assert RECORD_S <= trio.current_time() - began_s < RECORD_S + WORST_LATENCY_S


async def test_H017_a_byte_a_second_cuts_the_link(autojump_clock: MockClock) -> None:
    async with scene() as on:
        attack = await on.link()
        record = attack.established.sealer.seal([Frame(FrameType.ENVELOPE, b"x")], now_s=0.0)
        began_s = trio.current_time()

        async def drip() -> None:
            for n in range(len(record)):
                await attack.raw(record[n : n + 1])
                await trio.sleep(1)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(drip)
            assert await down(on.node, within_s=60) is Reason.DAMAGED
            nursery.cancel_scope.cancel()
        assert trio.current_time() - began_s < RECORD_S + WORST_LATENCY_S


async def test_H018_an_unknown_type_is_ignored_or_cut_as_its_critical_bit_says(autojump_clock: MockClock) -> None:
    async with scene() as on:
        attack = await on.link()
        await attack.frames(Frame(99, b"from the future"), Frame(FrameType.ENVELOPE, b"still here"))
        assert (await on.node.vault.wait(boundary.Arrived)).body == b"still here"
        await attack.frames(Frame(99, b"you must know this", critical=True))
        assert await down(on.node) is Reason.DAMAGED


async def test_H019_an_unknown_frame_version_cuts_the_link(autojump_clock: MockClock) -> None:
    async with scene() as on:
        attack = await on.link()
        header = b"SCHT\x00\x02" + bytes(4) + b"\x00\x07"
        await attack.raw(unsealed(attack, (b"\x00\x00\x0c" + header).ljust(238, b"\0")))
        assert await down(on.node) is Reason.DAMAGED


@pytest.mark.parametrize("trick", ["repeat", "skip"])
async def test_H020_a_record_out_of_sequence_cuts_the_link(trick: str, autojump_clock: MockClock) -> None:
    async with scene() as on:
        attack = await on.link()
        sealer = attack.established.sealer
        first, second = (sealer.seal([Frame(FrameType.ENVELOPE, b"%d" % n)], now_s=0.0) for n in (1, 2))
        await attack.raw(first + first if trick == "repeat" else second)
        assert await down(on.node) is Reason.DAMAGED
        assert [frame.body for frame in on.node.vault.all(boundary.Arrived)] in ([], [b"1"])


async def test_H021_flipped_bits_all_end_alike(autojump_clock: MockClock) -> None:
    """Wherever the bit was: the same reason at our vault, nothing but the end for the peer, at the same moment."""
    outcomes = set()
    for byte in (2, 3, 50, 200, 239, 255):  # ciphertext and tag of a record of 256 bytes
        async with scene() as on:
            attack = await on.link()
            record = bytearray(attack.established.sealer.seal([Frame(FrameType.ENVELOPE, b"x" * 100)], now_s=0.0))
            record[byte] ^= 0x10
            await attack.raw(bytes(record))
            began_s = trio.current_time()
            seen = await attack.until_closed()
            outcomes.add((await down(on.node), seen, trio.current_time() - began_s < 0.5))
    assert outcomes == {(Reason.DAMAGED, b"", True)}


@pytest.mark.parametrize("kind", [FrameType.HELLO, FrameType.OFFER, FrameType.ENVELOPE, FrameType.CTL])
async def test_H022_a_valid_frame_in_the_wrong_role_cuts_the_link(kind: FrameType, autojump_clock: MockClock) -> None:
    async with scene(Role.STRANGER) as on:
        attack = await on.link()
        await attack.frames(Frame(kind, b"x"))
        assert await down(on.node) is Reason.DAMAGED
        assert not on.node.vault.all(boundary.Arrived)


@pytest.mark.parametrize(
    "flood",
    [
        pytest.param(Frame(99, b""), id="unknown type"),
        pytest.param(Frame(FrameType.PONG, Ping(nonce=bytes(8)).encode()), id="pong"),
        pytest.param(Frame(FrameType.PING, Ping(nonce=bytes(8)).encode()), id="ping"),
        pytest.param(Frame(FrameType.CREDIT, b""), id="credit"),
    ],
)
async def test_H026_a_flood_of_empty_frames_cuts_the_link(flood: Frame, autojump_clock: MockClock) -> None:
    async with scene() as on:
        attack = await on.link()
        await attack.frames(*[flood] * (int(SIGNAL_BURST) + 1))
        assert await down(on.node) is Reason.DAMAGED


async def test_H026_an_empty_frame_of_a_known_type_cuts_the_link(autojump_clock: MockClock) -> None:
    async with scene() as on:
        attack = await on.link()
        await attack.frames(Frame(FrameType.ENVELOPE, b""))
        assert await down(on.node) is Reason.DAMAGED


async def test_H027_padding_longer_than_the_record_cuts_the_link(autojump_clock: MockClock) -> None:
    async with scene() as on:
        attack = await on.link()
        await attack.raw(unsealed(attack, b"\x00\xff\xff".ljust(238, b"\0")))
        assert await down(on.node) is Reason.DAMAGED


@pytest.mark.parametrize("kind", [FrameType.PING, FrameType.CLOSE])
async def test_malformed_signals_cut_the_link(kind: FrameType, autojump_clock: MockClock) -> None:
    async with scene() as on:
        attack = await on.link()
        await attack.frames(Frame(kind, b"\xc1garbage"))
        assert await down(on.node) is Reason.DAMAGED


async def test_a_peer_that_talks_and_never_reads_loses_its_link(autojump_clock: MockClock) -> None:
    async with scene() as on:
        attack = await on.link()
        began_s = trio.current_time()

        async def talk() -> None:
            while True:
                await attack.frames(Frame(FrameType.PING, Ping(nonce=bytes(8)).encode()))
                await trio.sleep(5)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(talk)
            assert await down(on.node, within_s=1000) is Reason.SILENT
            nursery.cancel_scope.cancel()
        assert UNREAD_S < trio.current_time() - began_s < UNREAD_S + 60


async def test_an_answer_to_what_was_never_asked_cuts_the_link(autojump_clock: MockClock) -> None:
    async with scene() as on:
        attack = await on.link()
        await attack.frames(Frame(FrameType.PONG, Ping(nonce=bytes(8)).encode()))
        assert await down(on.node) is Reason.DAMAGED


def test_the_critical_bit_is_the_top_one() -> None:
    assert Frame(7, b"", critical=True).encode()[10:12] == (7 | CRITICAL).to_bytes(2)


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
