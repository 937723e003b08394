"""Links that come when their peer has just been withdrawn, or has another one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import trio
from trio import StapledStream as MemoryStream
from trio.testing import memory_stream_pair

from p2pchat.firewall.links import Links
from p2pchat.firewall.peers import Peers
from p2pchat.firewall.port import Port
from p2pchat.firewall.strangers import Strangers
from p2pchat.keys.identity import FRESH_BYTES, Identity, load_identity, restore_identity
from p2pchat.keys.own_log import whole
from p2pchat.link.carriers.raw import RawCarrier
from p2pchat.link.credentials import Authenticated, Credentials
from p2pchat.link.establish import Established
from p2pchat.link.records import Opener, Sealer
from p2pchat.link.session import LinkEvent, LinkState
from p2pchat.wire.boundary import BoundaryReader, Down, Role, Sent, Up
from p2pchat.wire.frames import Frame, FrameType
from tests.support.gates import peer
from tests.support.identities import NOW_MS, stored_identity
from tests.support.links import credentials, device, user
from tests.support.sim_env import SimRandom


async def test_a_peer_withdrawn_while_we_dialled_can_be_dialled_again() -> None:
    near, far = memory_stream_pair()
    boundary_end, _ = memory_stream_pair()
    known = Authenticated(
        user=user(1), device=device(1), initiator=True, handshake_hash=bytes(32), credentials=credentials(1)
    )
    established = Established(known, RawCarrier(near), Sealer(b"s" * 32, now_s=0), Opener(b"r" * 32), [])
    peers = Peers()
    async with trio.open_nursery() as nursery:
        links = Links(nursery, Port(boundary_end), user(0), peers, SimRandom("links"), Strangers(60))
        links.sessions.on(user(1), LinkEvent.DIAL)
        links.sessions.on(user(1), LinkEvent.CONNECTED)
        peers.state(peer(1, role=Role.GONE))
        links.adopt(established, "10.0.0.2:4000")
        assert links.sessions.state(user(1)) is LinkState.DISCONNECTED
        assert links.sessions.on(user(1), LinkEvent.DIAL) is LinkState.CONNECTING
        await far.aclose()


def authenticated() -> Established:
    near, _ = memory_stream_pair()
    known = Authenticated(
        user=user(1), device=device(1), initiator=False, handshake_hash=bytes(32), credentials=credentials(1)
    )
    return Established(known, RawCarrier(near), Sealer(b"s" * 32, now_s=0), Opener(b"r" * 32), [])


async def test_what_was_written_is_told_before_the_link_is_down() -> None:
    boundary_end, vault_end = memory_stream_pair()
    port, peers = Port(boundary_end), Peers()
    peers.state(peer(1))
    async with trio.open_nursery() as nursery:
        links = Links(nursery, port, user(0), peers, SimRandom("links"), Strangers(60))
        links.adopt(authenticated(), "10.0.0.2")
        port.send_soon(Sent(link=1, seq=5))
        links.adopt(authenticated(), "10.0.0.2")  # in the first one's place
        nursery.start_soon(port.write)
        told = BoundaryReader().feed(bytes(await vault_end.receive_some()))
        assert [type(message) for message in told] == [Up, Sent, Down, Up]
        nursery.cancel_scope.cancel()


def logged_in_anew() -> Identity:
    """Person 1 on a new device, whose set lists no other."""
    old = stored_identity(1)
    secrets, _ = restore_identity(old.lasting, fresh=b"n" * FRESH_BYTES, now_ms=NOW_MS)
    return load_identity(secrets)


def link_of(identity: Identity, *, initiator: bool = False) -> tuple[Established, MemoryStream]:
    """A link to a device of person 1, and the peer's end of it."""
    near, far = memory_stream_pair()
    known = authenticated()
    peer_ = replace(
        known.peer,
        device=identity.device.device,
        initiator=initiator,
        credentials=Credentials(whole(identity.chain), identity.devices),
    )
    return replace(known, peer=peer_, carrier=RawCarrier(near)), far


async def told(far: MemoryStream) -> list[Frame]:
    return Opener(b"s" * 32).feed(bytes(await far.receive_some()))


@asynccontextmanager
async def links_of(peers: Peers) -> AsyncIterator[tuple[Links, MemoryStream]]:
    boundary_end, vault_end = memory_stream_pair()
    port = Port(boundary_end)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(port.write)
        yield Links(nursery, port, user(0), peers, SimRandom("links"), Strangers(60)), vault_end
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("initiator", [True, False])
async def test_a_replaced_device_hears_of_it_though_the_one_in_its_place_holds_the_link(initiator: bool) -> None:
    peers, now = Peers(), logged_in_anew()
    peers.state(replace(peer(1), device_set=now.devices.raw))
    async with links_of(peers) as (links, vault_end):
        links.adopt(link_of(now)[0], "10.0.0.2")
        old, far = link_of(stored_identity(1), initiator=initiator)
        links.adopt(old, "10.0.0.3")
        heard = BoundaryReader().feed(bytes(await vault_end.receive_some()))
        assert [type(message) for message in heard] == [Up]
        stale, close = await told(far)
        assert (stale.kind, stale.body, close.kind) == (FrameType.STALE_SET, now.devices.raw, FrameType.CLOSE)


@pytest.mark.parametrize("initiator", [True, False])
@pytest.mark.parametrize("new_initiator", [True, False])
async def test_a_new_device_takes_the_link_of_the_one_that_it_replaced(initiator: bool, new_initiator: bool) -> None:
    """Whoever dialled which link: the vault has not even pinned the new set yet."""
    peers, now = Peers(), logged_in_anew()
    peers.state(peer(1))
    async with links_of(peers) as (links, vault_end):
        old, far = link_of(stored_identity(1), initiator=initiator)
        links.adopt(old, "10.0.0.3")
        links.adopt(link_of(now, initiator=new_initiator)[0], "10.0.0.2")
        heard = BoundaryReader().feed(bytes(await vault_end.receive_some()))
        assert [type(message) for message in heard] == [Up, Down, Up]
        assert [frame.kind for frame in await told(far)] == [FrameType.STALE_SET, FrameType.CLOSE]


async def test_a_link_ends_once_the_pinned_set_lists_its_device_no_more() -> None:
    """The user took a newer card: nothing more goes to the device of before."""
    peers, now = Peers(), logged_in_anew()
    peers.state(peer(1))
    async with links_of(peers) as (links, vault_end):
        old, far = link_of(stored_identity(1))
        links.adopt(old, "10.0.0.3")
        peers.state(replace(peer(1), device_set=now.devices.raw))
        links.peer_changed(user(1))
        heard = BoundaryReader().feed(bytes(await vault_end.receive_some()))
        assert [type(message) for message in heard] == [Up, Down]
        assert [frame.kind for frame in await told(far)] == [FrameType.STALE_SET, FrameType.CLOSE]
