"""Own addresses, the kept port, sleep, a move to another network, and somebody else at a peer's address."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from p2pchat.config import join_address
from p2pchat.env_system import SystemCrypto
from p2pchat.errors import BadFormat, Failed
from p2pchat.firewall.own_addresses import listen, reachable
from p2pchat.link.carriers.raw import RawCarrier
from p2pchat.link.establish import respond
from p2pchat.link.handshake import Responder, link_psk
from p2pchat.link.quota import SeenEphemerals
from p2pchat.wire import boundary
from tests.support.gates import peer, running, still_world, user, want
from tests.support.identities import NOW_MS
from tests.support.links import fresh, local
from tests.support.simdisk import SimDisk

A, B = "10.0.0.1", "10.0.0.2"
PORT_FILE = Path("/port")


class FakeListener:
    def __init__(self, host: str, port: int) -> None:
        self.address = (host, port)
        self.closed = False

    async def accept(self) -> tuple[trio.abc.HalfCloseableStream, str]:
        await trio.sleep_forever()
        raise AssertionError

    async def aclose(self) -> None:
        self.closed = True


class FakeNet:
    """Gives port 5555 for 0; ``taken`` ports are refused."""

    def __init__(self, *addresses: str, taken: tuple[int, ...] = ()) -> None:
        self.addresses = list(addresses)
        self.taken = taken
        self.made: list[FakeListener] = []
        self.dial: Callable[..., Awaitable[trio.abc.HalfCloseableStream]]
        self.resolve: Callable[[str], Awaitable[list[str]]]

    async def listen(self, host: str, port: int) -> list[FakeListener]:
        if port in self.taken:
            raise Failed(f"port {port} is in use on {host}")
        self.made.append(FakeListener(host, port or 5555))
        return self.made[-1:]

    async def local_addresses(self) -> list[str]:
        return self.addresses


async def listening(net: FakeNet, *wanted: str, disk: SimDisk | None = None) -> list[str]:
    return [join_address(*found.address) for found in await listen(net, wanted, disk or SimDisk(), PORT_FILE)]


async def test_a_free_port_is_picked_once_and_kept() -> None:
    disk = SimDisk()
    assert await listening(FakeNet(), "0.0.0.0:0", disk=disk) == ["0.0.0.0:5555"]
    assert disk.read(PORT_FILE, 16) == b"5555\n"
    disk.replace(PORT_FILE, b"6001\n")
    assert await listening(FakeNet(), "0.0.0.0:0", disk=disk) == ["0.0.0.0:6001"]
    assert await listening(FakeNet(taken=(6001,)), "0.0.0.0:0", disk=disk) == ["0.0.0.0:5555"]
    assert disk.read(PORT_FILE, 16) == b"5555\n"


@pytest.mark.parametrize("text", [b"", b"0", b"65536", b"-1", b"many", b"\xff", b"1" * 99])
async def test_a_damaged_port_file_is_written_anew(text: bytes) -> None:
    disk = SimDisk()
    disk.replace(PORT_FILE, text)
    assert await listening(FakeNet(), "0.0.0.0:0", disk=disk) == ["0.0.0.0:5555"]


async def test_a_port_that_was_asked_for_is_not_kept_and_not_replaced() -> None:
    disk = SimDisk()
    assert await listening(FakeNet(), "[::1]:7000", disk=disk) == ["[::1]:7000"]
    assert await listening(FakeNet(), "[::1]:0", disk=disk) == ["[::1]:5555"]
    net = FakeNet(taken=(7000,))
    with pytest.raises(Failed, match="in use"):
        await listening(net, "0.0.0.0:0", "0.0.0.0:7000")
    assert [listener.closed for listener in net.made] == [True]
    with pytest.raises(BadFormat):
        await listening(FakeNet(), "0.0.0.0")


@pytest.mark.parametrize(
    ("bound", "own", "advertise", "expected"),
    [
        ("0.0.0.0", ["192.168.1.2", "2a00::1"], (), ["192.168.1.2:4000"]),
        ("::", ["192.168.1.2", "2a00::1"], (), ["192.168.1.2:4000", "[2a00::1]:4000"]),
        ("127.0.0.1", ["192.168.1.2"], (), ["127.0.0.1:4000"]),
        ("0.0.0.0", ["192.168.1.2"], ("chat.example:443",), ["chat.example:443"]),
        ("0.0.0.0", [], (), []),
    ],
)
async def test_cards_say_what_others_can_dial(
    bound: str, own: list[str], advertise: tuple[str, ...], expected: list[str]
) -> None:
    assert list(await reachable(FakeNet(*own), [FakeListener(bound, 4000)], advertise)) == expected


async def test_a_woken_computer_asks_its_links_at_once(autojump_clock: MockClock) -> None:
    world = still_world()
    async with running(world, 0, A) as one, running(world, 1, B) as other:
        await other.vault.say(peer(0))
        await one.vault.say(peer(1, (B, 4000)), want(1))
        await one.vault.wait(boundary.Up)
        boot_s = one.clock.boot_s
        one.clock.boot_s = lambda: boot_s() + 3600  # type: ignore[method-assign]
        world.part(A, B)  # the peer went away while we slept
        began_s = trio.current_time()
        await one.vault.wait(boundary.Down)
        assert trio.current_time() - began_s < 11  # looked within 5 s, asked, and had no answer for 5 s


async def test_a_move_to_another_network_is_told(autojump_clock: MockClock) -> None:
    world = still_world()
    async with running(world, 0, A, listen=("0.0.0.0:4000",)) as one:
        one.host.listeners[4000].address = ("0.0.0.0", 4000)

        async def moved() -> list[str]:
            return ["10.5.5.5"]

        one.host.local_addresses = moved  # type: ignore[method-assign]
        assert (await one.vault.wait(boundary.Addrs)).reachable == ("10.5.5.5:4000",)


async def test_H033_somebody_else_at_a_peers_address_is_told_loudly_and_once(autojump_clock: MockClock) -> None:
    """An impostor who knows the ID of 1 answers at its address, with the keys of 2."""
    world = still_world()
    impostor = local(2)

    async def pose() -> None:
        (listener,) = await world.host(B).listen(B, 4000)
        while True:
            stream, _ = await listener.accept()
            core = Responder(impostor, fresh=fresh("pose", 32), encapsulate=SystemCrypto().kem_encapsulate)
            core.psk = link_psk(user(1))
            core._noise._psks = iter((core.psk,))
            await respond(RawCarrier(stream), core, lambda _: None, SeenEphemerals(), now_ms=lambda: NOW_MS)

    async with running(world, 0, A, carriers=("raw",)) as one, trio.open_nursery() as nursery:
        nursery.start_soon(pose)
        await one.vault.say(peer(1, (B, 4000), carrier="raw"), want(1))
        warning = await one.vault.wait(boundary.Warn)
        assert (warning.code, warning.user) == ("IDENTITY_DIFFERS", user(1))
        assert f"{B}:4000 is answered by somebody else" in warning.text
        await trio.sleep(100)
        assert len(one.vault.all(boundary.Cannot)) > 1
        assert len(one.vault.all(boundary.Warn)) == 1
        assert not one.vault.all(boundary.Up)
        nursery.cancel_scope.cancel()
