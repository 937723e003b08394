"""The gate's live links: numbering, one a peer, roles, and the frames between carrier and vault."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import trio

from p2pchat.env import Random
from p2pchat.errors import Forbidden
from p2pchat.firewall.counts import Counts
from p2pchat.firewall.peers import Peers
from p2pchat.firewall.port import Port
from p2pchat.firewall.roles import STRANGER_LINKS, may_pass
from p2pchat.firewall.strangers import Strangers
from p2pchat.firewall.window import Window
from p2pchat.ids import UserId
from p2pchat.keys.standing import Standing
from p2pchat.link.credentials import Credentials
from p2pchat.link.drive import Ended, Link
from p2pchat.link.establish import Established
from p2pchat.link.session import LinkEvent, Sessions
from p2pchat.wire import boundary
from p2pchat.wire.boundary import Reason, Role
from p2pchat.wire.frames import Frame, FrameType

ENDING_S: Final = 1.2  # the last words of all links; the launcher gives the whole gate 2 s
_log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class Live:
    """One link that the vault knows, from UP to DOWN."""

    number: int
    link: Link
    role: Role
    since_s: float
    carrier: str
    address: str
    window: Window = field(default_factory=Window)
    down: bool = False

    @property
    def user(self) -> UserId:
        return self.link.peer.user


@dataclass(frozen=True, slots=True)
class Gone:
    """How a peer's last link ended."""

    user: UserId
    ended: Ended
    held_s: float


class Links:
    """Adopts authenticated links and runs them in ``nursery``. ``on_up`` and ``on_gone`` tell the dialer."""

    def __init__(
        self, nursery: trio.Nursery, port: Port, own: UserId, peers: Peers, random: Random, strangers: Strangers
    ) -> None:
        self._nursery = nursery
        self._port = port
        self._peers = peers
        self._random = random
        self._strangers = strangers
        self._live: dict[int, Live] = {}
        self._newest: dict[UserId, Credentials] = {}  # as shown over the link that stands
        self._last_number = 0
        self._all_down = trio.Event()
        self.sessions: Final = Sessions(own)
        self.counts: Final = Counts()
        self.on_up: Callable[[UserId], None] = _nobody
        self.on_gone: Callable[[Gone], None] = _nobody

    def adopt(self, established: Established, address: str) -> None:
        """Take over a link that has just been authenticated, unless the peer's present one stays instead."""
        peer = established.peer
        self._last_number += 1
        role = self._peers.role(peer.user)
        link = Link(established, self._random)
        live = Live(self._last_number, link, role, trio.current_time(), established.carrier.name, address)
        if role in {Role.GONE, Role.TRACKER}:  # withdrawn while it dialled
            if peer.initiator:
                self.sessions.on(peer.user, LinkEvent.FAILED)
            self._turn_away(live, Reason.UNWANTED)
            return
        if role is Role.STRANGER and not peer.initiator and not self._strangers.may_enter(address, live.since_s):
            self._turn_away(live, Reason.RATE_LIMITED)
            return
        standing = self._live.get(self.sessions.link_of(peer.user) or 0)
        if standing is not None and self._outdated(live):
            # A device that was replaced shall learn of it though the one in its place holds the link.
            self._tell_newest(live)
            self._turn_away(live, Reason.REPLACED)
            return
        self._newest[peer.user] = peer.credentials
        newer = standing is not None and self._outdated(standing)
        admission = self.sessions.admit(peer.user, live.number, initiator=peer.initiator, newer=newer)
        if not admission.stays:
            self._live[self.sessions.link_of(peer.user) or 0].link.probe()  # does the one they gave up still live?
            self._turn_away(live, Reason.REPLACED)
            return
        if admission.replaces is not None:
            replaced = self._live[admission.replaces]
            if newer:
                self._tell_newest(replaced)
            self._retire(replaced, Reason.REPLACED)
        self._make_room(role)
        self._live[live.number] = live
        self._port.send(self._up(live, established))
        self._nursery.start_soon(self._run, live)
        self.on_up(peer.user)

    def live(self) -> list[Live]:
        """The links that the vault knows, oldest first."""
        return [live for live in self._live.values() if not live.down]

    def send(self, message: boundary.Send) -> None:
        """A frame from the vault. One for a link that ended meanwhile is dropped: DOWN is on its way."""
        live = self._live.get(message.link)
        if live is None or live.down:
            return
        if not may_pass(live.role, message.kind, len(message.body)):
            _log.warning("a frame of type %d may not go to a %s", message.kind, live.role.name.lower())
            live.link.close(Reason.DAMAGED)
            return
        live.link.send(Frame(message.kind, message.body), message.seq)

    def took(self, message: boundary.Took) -> None:
        """The vault has committed: the window moves."""
        live = self._live.get(message.link)
        if live is not None:
            live.window.took(message.seq)

    def cut(self, message: boundary.Cut) -> None:
        """The vault wants a link ended."""
        live = self._live.get(message.link)
        if live is not None:
            live.link.close(Reason(message.reason) if message.reason in set(Reason) else Reason.CLOSED)

    def peer_changed(self, user: UserId) -> None:
        """A PEER came: an open link takes the new role, or ends."""
        live = self._live.get(self.sessions.link_of(user) or 0)
        if live is None:
            return
        live.role = self._peers.role(user)
        if live.role in {Role.GONE, Role.TRACKER}:
            live.link.close(Reason.UNWANTED)
        elif self._outdated(live):  # the user took a newer card, say: what follows goes to the device that it lists
            self._tell_newest(live)
            self._retire(live, Reason.REPLACED)

    def probe_all(self) -> None:
        """The computer slept, or the network changed: which links survived?"""
        for live in self._live.values():
            live.link.probe()

    async def shut_down(self) -> None:
        """Close every link with a word, within ENDING_S."""
        for live in list(self._live.values()):
            live.link.close(Reason.SHUTDOWN)
        with trio.move_on_after(ENDING_S):
            while self._live:
                self._all_down = trio.Event()
                await self._all_down.wait()

    # --- one link -----------------------------------------------------------------------------------------------------

    def _up(self, live: Live, established: Established) -> boundary.Up:
        peer = established.peer
        pinned = self._peers.credentials(peer.user)
        shown = peer.credentials
        same = pinned is not None and pinned.match(shown.chain.head, shown.devices.set_hash)
        return boundary.Up(
            link=live.number,
            user=peer.user,
            device=peer.device,
            role=live.role,
            initiator=peer.initiator,
            path="direct",
            carrier=live.carrier,
            address=live.address,
            handshake_hash=peer.handshake_hash,
            key_log=b"" if same else shown.chain.raw,
            device_set=b"" if same else shown.devices.raw,
        )

    async def _run(self, live: Live) -> None:
        async def deliver(frame: Frame) -> None:
            await self._deliver(live, frame)

        def written(seq: int) -> None:
            if not live.down:
                self._port.send_soon(boundary.Sent(link=live.number, seq=seq))

        ended = await live.link.run(deliver, written)
        self._down(live, ended.reason)
        self._count(live, ended.reason)
        del self._live[live.number]
        self._all_down.set()
        if self.sessions.remove(live.user, live.number):
            self._newest.pop(live.user, None)
            self.on_gone(Gone(live.user, ended, trio.current_time() - live.since_s))

    async def _deliver(self, live: Live, frame: Frame) -> None:
        """Hand a frame to the vault once it has room. Raises Forbidden for what the role may not send."""
        if not live.window.open:
            with live.link.pause():
                await live.window.wait_open()
        if not may_pass(live.role, frame.kind, len(frame.body)):
            with live.link.pause():
                await live.window.wait_empty()  # the frames before may be what makes the vault raise the role
            if not may_pass(live.role, frame.kind, len(frame.body)):
                raise Forbidden(f"a {live.role.name.lower()} may not send frames of type {frame.kind}")
        if not live.down:
            seq = live.window.add(len(frame.body))
            self._port.send(boundary.Arrived(link=live.number, seq=seq, kind=frame.kind, body=frame.body))

    def _count(self, live: Live, reason: Reason) -> None:
        self.counts.ended[reason.name.lower()] += 1
        self.counts.sent_bytes += live.link.sent_bytes
        self.counts.received_bytes += live.link.received_bytes

    def _known(self, user: UserId) -> Credentials | None:
        """The newest keys of a peer: as pinned by the vault, or as shown over the link that stands."""
        pinned, shown = self._peers.credentials(user), self._newest.get(user)
        if pinned is None or shown is None:
            return pinned or shown
        return pinned if shown.standing(pinned) in {Standing.OLDER, Standing.FORKED} else shown

    def _outdated(self, live: Live) -> bool:
        """Whether a newer log than the one shown over ``live`` is known, or a newer set without the device there."""
        newest, shown = self._known(live.user), live.link.peer.credentials
        if newest is None or shown.standing(newest) is not Standing.OLDER:
            return False
        return shown.chain.head != newest.chain.head or newest.devices.device(live.link.peer.device) is None

    def _tell_newest(self, live: Live) -> None:
        newest = self._known(live.user)
        assert newest is not None
        if live.link.peer.credentials.chain.head != newest.chain.head:
            live.link.send(Frame(FrameType.STALE_LOG, newest.chain.raw))
        else:
            live.link.send(Frame(FrameType.STALE_SET, newest.devices.raw))

    def _turn_away(self, live: Live, reason: Reason) -> None:
        """Close a link that the vault never hears of."""
        live.down = True
        live.link.close(reason)
        self._nursery.start_soon(live.link.run, _drop, _nobody)

    def _retire(self, live: Live, reason: Reason) -> None:
        """End a link for the vault at once, and for the peer with a word."""
        self._down(live, reason)
        live.link.close(reason)

    def _down(self, live: Live, reason: Reason) -> None:
        if not live.down:
            live.down = True
            self._port.hasten(live.number)  # the vault forgets the link at once: SENT behind DOWN would count for none
            self._port.send(boundary.Down(link=live.number, reason=reason))

    def _make_room(self, role: Role) -> None:
        """Strangers share few places: the oldest gives way."""
        strangers = [live for live in self._live.values() if live.role is Role.STRANGER and not live.down]
        if role is Role.STRANGER and len(strangers) >= STRANGER_LINKS:
            self._retire(min(strangers, key=lambda live: live.since_s), Reason.IDLE)


async def _drop(_frame: Frame) -> None:
    await trio.lowlevel.checkpoint()


def _nobody(_: object) -> None:
    return None
