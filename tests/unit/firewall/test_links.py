"""Links that come when their peer has just been withdrawn, or has another one."""

from dataclasses import replace

import trio
from trio.testing import memory_stream_pair

from p2pchat.firewall.links import Links
from p2pchat.firewall.peers import Peers
from p2pchat.firewall.port import Port
from p2pchat.firewall.strangers import Strangers
from p2pchat.link.carriers.raw import RawCarrier
from p2pchat.link.credentials import Authenticated, Credentials
from p2pchat.link.establish import Established
from p2pchat.link.records import Opener, Sealer
from p2pchat.link.session import LinkEvent, LinkState
from p2pchat.wire.boundary import BoundaryReader, Down, Role, Sent, Up
from p2pchat.wire.frames import FrameType
from tests.support.device_sets import successor
from tests.support.gates import peer
from tests.support.identities import stored_identity
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


async def test_a_replaced_device_hears_of_it_though_the_one_in_its_place_holds_the_link() -> None:
    boundary_end, vault_end = memory_stream_pair()
    port, peers = Port(boundary_end), Peers()
    now = successor(stored_identity(1), stored_identity(1).devices)
    peers.state(replace(peer(1), device_set=now.devices.raw))
    current = authenticated()
    current = replace(current, peer=replace(current.peer, credentials=Credentials(now.chain, now.devices)))
    near, far = memory_stream_pair()
    old = replace(authenticated(), carrier=RawCarrier(near))
    async with trio.open_nursery() as nursery:
        links = Links(nursery, port, user(0), peers, SimRandom("links"), Strangers(60))
        links.adopt(current, "10.0.0.2")
        links.adopt(old, "10.0.0.3")
        nursery.start_soon(port.write)
        told = BoundaryReader().feed(bytes(await vault_end.receive_some()))
        assert [type(message) for message in told] == [Up]
        opened = Opener(b"s" * 32).feed(bytes(await far.receive_some()))
        assert [frame.kind for frame in opened] == [FrameType.STALE_SET, FrameType.CLOSE]
        assert opened[0].body == now.devices.raw
        nursery.cancel_scope.cancel()
