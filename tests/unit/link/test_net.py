"""TCP on loopback."""

import socket
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from p2pchat.errors import ConnectionLost, Failed, Unreachable
from p2pchat.link.carriers import net as net_module
from p2pchat.link.carriers.net import TcpNet
from p2pchat.link.carriers.raw import RawCarrier


async def test_dial_listen_and_talk() -> None:
    net = TcpNet()
    (listener,) = await net.listen("127.0.0.1", 0)
    host, port = listener.address
    assert host == "127.0.0.1"
    near = RawCarrier(await net.dial(host, port))
    stream, visitor = await listener.accept()
    far = RawCarrier(stream)
    assert visitor == "127.0.0.1"
    for end in (near, far):
        assert end._stream.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)  # type: ignore[attr-defined]
    await near.send(b"hello")
    assert await far.receive(3) == b"hel"
    assert await far.receive(100) == b"lo"
    await near.finish()
    assert await far.receive(100) == b""
    await far.aclose()
    with pytest.raises(ConnectionLost):
        await far.send(b"x")
    with pytest.raises(ConnectionLost):
        await far.receive(1)
    with pytest.raises(ConnectionLost):
        await far.finish()
    await near.aclose()
    await listener.aclose()


async def test_a_closed_listener_accepts_nobody() -> None:
    (listener,) = await TcpNet().listen("127.0.0.1", 0)
    await listener.aclose()
    with pytest.raises(trio.ClosedResourceError):
        await listener.accept()


async def test_ipv6_loopback() -> None:
    net = TcpNet()
    try:
        (listener,) = await net.listen("::1", 0)
    except Failed:
        pytest.skip("this host has no IPv6")
    stream = await net.dial(*listener.address)
    visit, visitor = await listener.accept()
    assert visitor == "::1"
    await stream.aclose()
    await visit.aclose()
    await listener.aclose()


async def test_a_port_in_use_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        port = squatter.getsockname()[1]
        with pytest.raises(Failed, match=f"port {port} is in use on 127.0.0.1"):
            await TcpNet().listen("127.0.0.1", port)


@pytest.mark.parametrize("host", ["203.0.113.77", "no-such-name.invalid"])
async def test_an_address_that_is_not_ours_is_told(host: str) -> None:
    with pytest.raises(Failed, match="cannot listen"):
        await TcpNet().listen(host, 0)


async def test_a_refused_dial_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(Unreachable, match=f"127.0.0.1 port {port}: Connection refused$"):
        await TcpNet().dial("127.0.0.1", port)


async def test_names_are_resolved_on_request() -> None:
    net = TcpNet()
    assert set(await net.resolve("localhost")) <= {"127.0.0.1", "::1"}
    with pytest.raises(Unreachable, match="no-such-name"):
        await net.resolve("no-such-name.invalid")
    with pytest.raises(Unreachable, match="no host can have this name") as refusal:
        await net.resolve("a" * 80 + ".invalid")  # no label is that long
    assert "contact address" in refusal.value.hint


async def test_own_addresses_are_such_as_others_can_dial() -> None:
    for address in await TcpNet().local_addresses():
        assert not address.startswith(("127.", "169.254.", "fe80"))
        assert address not in {"::1", "0.0.0.0", "::"}


class Lost:
    """A host without a route, whose resolver answers after ``delay_s``: what trio asks in place of the system."""

    def __init__(self, delay_s: float) -> None:
        self.delay_s = delay_s

    async def getaddrinfo(self, *_: object, **__: object) -> list[Any]:
        await trio.sleep(self.delay_s)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.7.7.7", 0))]

    async def getnameinfo(self, *_: object) -> tuple[str, str]:
        raise AssertionError("nobody asks for names here")


@pytest.mark.parametrize(("delay_s", "found"), [(0.1, ["10.7.7.7"]), (60.0, [])])
async def test_a_slow_resolver_holds_nothing_up(
    delay_s: float, found: list[str], monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    monkeypatch.setattr(net_module, "_source_address", lambda *_: None)
    trio.socket.set_custom_hostname_resolver(Lost(delay_s))
    try:
        began_s = trio.current_time()
        assert await TcpNet().local_addresses() == found
        assert trio.current_time() - began_s <= net_module.OWN_NAME_S
    finally:
        trio.socket.set_custom_hostname_resolver(None)
