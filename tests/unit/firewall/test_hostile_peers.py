"""What comes over a link, or knocks at the door, from somebody who means ill (walls 4.2 and 4.3)."""

import pytest
import trio
from trio.testing import MockClock

from p2pchat.link.drive import RECORD_S, SIGNAL_BURST
from p2pchat.link.heartbeat import UNREAD_S
from p2pchat.wire import boundary
from p2pchat.wire.boundary import Reason, Role
from p2pchat.wire.frames import CRITICAL, Frame, FrameType
from p2pchat.wire.structs import Ping
from tests.support.attacks import WORST_LATENCY_S, down, scene, unsealed


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
