"""What a gate shows to those who come through HTTP: peers by their knock, replayers, the curious, and both carriers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from p2pchat.errors import P2PChatError
from p2pchat.firewall.book_file import BookFile
from p2pchat.limits import DECOY_S, PREAUTH_S
from p2pchat.link.carriers import frames, upgrade
from p2pchat.link.carriers.frames import BINARY, TEXT, encode
from p2pchat.link.carriers.http import Client
from p2pchat.link.carriers.knock import HOUR_MS, knock, knock_key
from p2pchat.link.carriers.raw import RawCarrier
from p2pchat.link.carriers.websocket import REFUSAL_S
from p2pchat.link.establish import Established, initiate
from p2pchat.link.framing import wrap
from p2pchat.wire import boundary
from p2pchat.wire.boundary import Reason, Role
from tests.support.gates import Node, peer, running, still_world, user, want
from tests.support.identities import NOW_MS, stored_secrets
from tests.support.links import credentials, initiator, local
from tests.support.sim_net import Host, SimStream, World
from tests.support.simdisk import SimDisk

HOME, AWAY = "10.0.0.2", "10.6.6.6"
HOUR = NOW_MS // HOUR_MS
MASK = b"mask"
DAY_MS = 24 * HOUR_MS


class Stranger:
    """A host that may know the ID of node 1 (identity 0 is its contact), and does what it likes."""

    def __init__(self, world: World) -> None:
        self.host: Host = world.host(AWAY)

    async def dial(self) -> SimStream:
        return await self.host.dial(HOME, 4000)

    async def session(self, key: bytes, *sent: bytes) -> list[tuple[float, bytes]]:
        """Upgrade with ``key``, send, and note (seconds since the 101, bytes) of what the node says to the end."""
        stream = await self.dial()
        await stream.send_all(Client(HOME, 4000, key).request())
        await stream.receive_some()
        began_s = trio.current_time()
        for data in sent:
            await stream.send_all(data)
        heard = []
        while data := await stream.receive_some():
            heard.append((trio.current_time() - began_s, data))
        await stream.aclose()
        return heard

    async def link(self, key: bytes, name: str) -> Established:
        carrier, _ = await upgrade.ask(await self.dial(), HOME, 4000, key, lambda n: MASK[:n])
        core = initiator(0, 1, credentials(1), name=name)
        return await initiate(carrier, local(0), core, trio.Lock(), now_ms=lambda: NOW_MS)


@asynccontextmanager
async def scene(
    disk: SimDisk | None = None, carriers: tuple[str, ...] = ("ws",)
) -> AsyncIterator[tuple[Node, Stranger]]:
    world = still_world()
    async with running(world, 1, HOME, disk=disk, carriers=carriers) as node:
        await node.vault.say(peer(0))
        yield node, Stranger(world)


def knocking(nonce: bytes = b"nonce..1", hour: int = HOUR, who: int = 1) -> bytes:
    return knock(knock_key(user(who)), nonce, hour)


def first_message(name: str = "first") -> bytes:
    core = initiator(0, 1, credentials(1), name=name)
    return wrap(core.start(), core.psk, 1)


def told(heard: list[tuple[float, bytes]]) -> list[frames.Event]:
    return frames.FrameReader(masked=False).feed(b"".join(data for _, data in heard))


async def test_a_knock_and_a_handshake_make_a_link(autojump_clock: MockClock) -> None:
    async with scene() as (node, stranger):
        await stranger.link(knocking(), "good")
        assert (await node.vault.wait(boundary.Up)).carrier == "ws"


@pytest.mark.parametrize("hours", [-24, 24])
async def test_a_clock_may_be_wrong_by_a_day(hours: int, autojump_clock: MockClock) -> None:
    async with scene() as (node, stranger):
        hour = node.clock.wall_ms() // HOUR_MS + hours
        await stranger.link(knocking(hour=hour), "late")
        await node.vault.wait(boundary.Up)


GOOD = encode(BINARY, first_message(), MASK)
OUTSIDERS: dict[str, tuple[bytes, bytes]] = {
    "no knock": (bytes(range(16)), GOOD),
    "somebody else's knock": (knocking(who=2), GOOD),
    "a knock of the day before yesterday": (knocking(hour=HOUR - 48), GOOD),
    "a knock of the day after tomorrow": (knocking(hour=HOUR + 48), GOOD),
    "a knock with noise behind it": (knocking(b"nonce..2"), encode(BINARY, b"\xa5" * 1262, MASK)),
    "a knock with a short message behind it": (knocking(b"nonce..3"), encode(BINARY, b"hello", MASK)),
    "a knock with a text behind it": (knocking(b"nonce..4"), encode(TEXT, b"hello", MASK)),
    "a knock with a long message behind it": (knocking(b"nonce..5"), encode(BINARY, bytes(60_000), MASK)),
    "a knock with an empty message behind it": (knocking(b"nonce..6"), encode(BINARY, b"", MASK)),
    "a knock with half a handshake behind it": (knocking(b"nonce..7"), encode(BINARY, first_message()[:-1], MASK)),
    "a knock with more than a handshake behind it": (
        knocking(b"nonce..8"),
        encode(BINARY, first_message("more") + b"x", MASK),
    ),
    "no knock, and noise": (b"\1" * 16, encode(BINARY, b"\xa5" * 1262, MASK)),
    "no knock, and a long message": (b"\2" * 16, encode(BINARY, bytes(60_000), MASK)),
    "no knock, and a text": (b"\3" * 16, encode(TEXT, b"hello", MASK)),
}


async def test_whoever_is_turned_away_sees_the_same_at_the_same_time(autojump_clock: MockClock) -> None:
    """Bytes equal, moments equal but for what the network adds: the refusal, then the close at 15 s."""
    seen = set()
    for what, (key, sent) in OUTSIDERS.items():
        async with scene() as (node, stranger):
            heard = await stranger.session(key, sent)
            refusal, end = told(heard)
            assert isinstance(refusal, frames.Data) and refusal.text, what
            assert end == frames.Closed(frames.POLICY), what
            assert len(heard) == 2, what
            assert REFUSAL_S <= heard[0][0] < REFUSAL_S + 0.7, (what, heard[0][0])
            assert DECOY_S - 0.2 <= heard[1][0] < DECOY_S + 0.4, (what, heard[1][0])
            assert not node.vault.all(boundary.Up), what
            seen.add(b"".join(data for _, data in heard))
    assert len(seen) == 1


async def test_a_slow_disk_does_not_tell_a_knock_from_noise(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    """Who took a knock from the wire before it was used would see in the delay of the refusal that it was one."""
    save = BookFile.save

    async def slowly(book: BookFile) -> None:
        await trio.sleep(2)
        await save(book)

    monkeypatch.setattr(BookFile, "save", slowly)
    async with scene() as (_, stranger):
        noise = encode(BINARY, b"\xa5" * 1262, MASK)
        refused_s = (await stranger.session(knocking(), noise))[0][0]
        assert REFUSAL_S <= refused_s < REFUSAL_S + 0.7
        await stranger.link(knocking(b"a fresh1"), "good")
        assert trio.current_time() > 2


@pytest.mark.parametrize("key", [b"\1" * 16, knocking(b"silent..")])
async def test_silence_ends_alike_with_and_without_a_knock(key: bytes, autojump_clock: MockClock) -> None:
    async with scene() as (_, stranger):
        ((at_s, _),) = heard = await stranger.session(key)
        assert told(heard) == [frames.Closed(frames.POLICY)]
        assert DECOY_S - 0.2 <= at_s < DECOY_S + 0.4


async def test_a_replayed_session_gets_no_further_than_any_stranger(autojump_clock: MockClock) -> None:
    async with scene() as (node, stranger):
        first = encode(BINARY, first_message(), MASK)
        stream = await stranger.dial()
        request = Client(HOME, 4000, knocking()).request()
        await stream.send_all(request)
        await stream.receive_some()
        await stream.send_all(first)
        assert len(await stream.receive_some()) > 1000, "message 2"
        again = await stranger.session(knocking(), first)
        assert [type(event) for event in told(again)] == [frames.Data, frames.Closed]
        other_nonce = await stranger.session(knocking(b"another!"), first)
        assert told(other_nonce) == told(again), "the same ephemeral key behind a good knock"
        assert not node.vault.all(boundary.Up)


async def test_a_knock_counts_once_over_a_restart_too(autojump_clock: MockClock) -> None:
    disk = SimDisk()
    async with scene(disk) as (node, stranger):
        await stranger.link(knocking(), "before")
        await node.vault.wait(boundary.Up)
    async with scene(disk) as (node, stranger):
        with pytest.raises(P2PChatError, match="only a web server"):
            await stranger.link(knocking(), "after")
        assert not node.vault.all(boundary.Up)
        await stranger.link(knocking(b"a fresh1"), "fresh")
        await node.vault.wait(boundary.Up)


async def test_a_knock_is_on_disk_before_it_is_answered(autojump_clock: MockClock) -> None:
    """A crash right after message 2 makes no knock new again."""
    disk = SimDisk()
    async with scene(disk) as (_, stranger):
        stream = await stranger.dial()
        await stream.send_all(Client(HOME, 4000, knocking()).request())
        await stream.receive_some()
        await stream.send_all(encode(BINARY, first_message(), MASK))
        assert len(await stream.receive_some()) > 1000
        db = disk.open_db(Path(f"/{HOME}/gate.db"), stored_secrets(1)[1].book_key)
        assert [bytes(nonce) for (nonce,) in db.execute("SELECT nonce FROM knocks")] == [b"nonce..1"]


@pytest.mark.parametrize("wrong_by_ms", [-400 * DAY_MS, -2 * DAY_MS, 2 * DAY_MS, 4000 * DAY_MS])
async def test_a_dialler_with_a_wrong_clock_takes_the_hour_of_the_answer(
    wrong_by_ms: int, autojump_clock: MockClock
) -> None:
    world = still_world()
    async with running(world, 0, AWAY) as one, running(world, 1, HOME) as other:
        one.clock.skew_ms = wrong_by_ms
        await other.vault.say(peer(0))
        await one.vault.say(peer(1, (HOME, 4000)), want(1))
        assert (await one.vault.wait(boundary.Up, within_s=10)).carrier == "ws"
        assert not one.vault.all(boundary.Cannot)
        assert len([entry for entry in world.trace if entry[2] == "connect"]) == 2


@pytest.mark.parametrize("first", ["ws", "raw"])
async def test_both_carriers_on_one_port(first: str, autojump_clock: MockClock) -> None:
    async with scene(carriers=(first, "ws" if first == "raw" else "raw")) as (node, stranger):
        await stranger.link(knocking(), "by ws")
        up = await node.vault.wait(boundary.Up)
        assert up.carrier == "ws"
        core = initiator(0, 1, credentials(1), name="by raw")
        await initiate(RawCarrier(await stranger.dial()), local(0), core, trio.Lock(), now_ms=lambda: NOW_MS)
        assert (await node.vault.wait(boundary.Up, lambda other: other.link != up.link)).carrier == "raw"
        page = await stranger.dial()
        await page.send_all(b"GET / HTTP/1.0\r\n\r\n")
        assert (await page.receive_some()).startswith(b"HTTP/1.1 200 ")
        for garbage in (b"\x16\x03\x01\x02\x00", b"GE", b""):
            stream, began_s = await stranger.dial(), trio.current_time()
            await stream.send_all(garbage)
            assert await stream.receive_some() == b"", "the raw carrier's silence"
            assert PREAUTH_S - 0.2 < trio.current_time() - began_s < 2 * PREAUTH_S + 1


async def test_a_node_that_serves_one_carrier_does_not_sniff(autojump_clock: MockClock) -> None:
    async with scene(carriers=("raw",)) as (_, stranger):
        stream = await stranger.dial()
        await stream.send_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert await stream.receive_some() == b""
    async with scene(carriers=("ws",)) as (_, stranger):
        stream = await stranger.dial()
        await stream.send_all(b"\x16\x03\x01\x02\x00")
        assert (await stream.receive_some()).startswith(b"HTTP/1.1 400 ")


async def test_a_peer_that_speaks_none_of_our_carriers_is_not_dialled(autojump_clock: MockClock) -> None:
    async with running(still_world(), 0, AWAY) as one:
        await one.vault.say(peer(1, (HOME, 4000), carrier="raw"), want(1))
        assert "the carrier raw is not among those" in (await one.vault.wait(boundary.Cannot)).reason


async def test_a_link_over_ws_ends_without_a_reset(autojump_clock: MockClock) -> None:
    world = still_world()
    async with running(world, 0, AWAY) as one, running(world, 1, HOME) as other:
        await other.vault.say(peer(0))
        await one.vault.say(peer(1, (HOME, 4000)), want(1))
        up = await one.vault.wait(boundary.Up)
        await other.vault.wait(boundary.Up)
        await one.vault.say(want(1, 0), boundary.Cut(link=up.link, reason=Reason.IDLE))
        assert (await other.vault.wait(boundary.Down)).reason == Reason.CLOSED
        await trio.sleep(2)
        for end in (world.hosts[AWAY].ends[0], world.hosts[HOME].ends[0]):
            assert end.out.ended and not end.into.unread


async def test_the_door_is_as_narrow_as_ever(autojump_clock: MockClock) -> None:
    """H032 holds before and behind the upgrade: eight of a neighbourhood, whatever they say."""
    async with scene() as (node, stranger):
        await node.vault.say(peer(0, role=Role.CONTACT))
        streams = [await stranger.dial() for _ in range(8)]
        for number, stream in enumerate(streams[:4]):
            await stream.send_all(Client(HOME, 4000, bytes([number]) * 16).request())
            assert (await stream.receive_some()).startswith(b"HTTP/1.1 101 ")
        ninth = await stranger.dial()
        assert await ninth.receive_some() == b"", "closed at once"
        assert trio.current_time() < 5
        await trio.sleep(DECOY_S + 2)
        again = await stranger.dial()
        await again.send_all(b"GET / HTTP/1.0\r\n\r\n")
        assert (await again.receive_some()).startswith(b"HTTP/1.1 200 ")
