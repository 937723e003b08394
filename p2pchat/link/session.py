"""The session table: how far each peer's link has come, and that each pair keeps at most one (protocol.md 5.5). No I/O.

Where both sides dialled at once, both must keep the same link without a word: the one dialled by the smaller ID. Where
one side dialled twice, it believed its first link dead: the newer one stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from p2pchat.ids import UserId


class LinkState(Enum):
    """Of a peer's own outgoing try; an incoming link goes to READY directly."""

    DISCONNECTED = auto()
    CONNECTING = auto()
    AUTHENTICATING = auto()
    READY = auto()


class LinkEvent(Enum):
    DIAL = auto()
    CONNECTED = auto()  # a carrier stands; the handshake begins
    AUTHENTICATED = auto()  # on either side's try
    FAILED = auto()  # our try came to nothing
    ENDED = auto()  # the authenticated link is gone


_S, _E = LinkState, LinkEvent
TRANSITIONS: Final[Mapping[tuple[LinkState, LinkEvent], LinkState]] = {
    (_S.DISCONNECTED, _E.DIAL): _S.CONNECTING,
    (_S.DISCONNECTED, _E.AUTHENTICATED): _S.READY,
    (_S.DISCONNECTED, _E.CONNECTED): _S.AUTHENTICATING,  # the other side's link came and went during our try
    (_S.DISCONNECTED, _E.FAILED): _S.DISCONNECTED,
    (_S.CONNECTING, _E.CONNECTED): _S.AUTHENTICATING,
    (_S.CONNECTING, _E.AUTHENTICATED): _S.READY,
    (_S.CONNECTING, _E.FAILED): _S.DISCONNECTED,
    (_S.AUTHENTICATING, _E.CONNECTED): _S.AUTHENTICATING,  # a further address of the same try
    (_S.AUTHENTICATING, _E.AUTHENTICATED): _S.READY,
    (_S.AUTHENTICATING, _E.FAILED): _S.DISCONNECTED,
    (_S.READY, _E.CONNECTED): _S.READY,  # the other side was quicker than our running try
    (_S.READY, _E.FAILED): _S.READY,
    (_S.READY, _E.AUTHENTICATED): _S.READY,  # one link takes another's place
    (_S.READY, _E.ENDED): _S.DISCONNECTED,
}


@dataclass(frozen=True, slots=True)
class Admission:
    """What to do with a link that has just authenticated."""

    stays: bool
    replaces: int | None  # the link that has to give way


class Sessions:
    """The authenticated links by number, at most one a peer, and the state of every peer that has one or is dialled."""

    def __init__(self, own: UserId) -> None:
        self._own = own
        self._links: dict[UserId, tuple[int, bool]] = {}  # number, whether we dialled
        self._states: dict[UserId, LinkState] = {}

    def state(self, peer: UserId) -> LinkState:
        return self._states.get(peer, LinkState.DISCONNECTED)

    def on(self, peer: UserId, event: LinkEvent) -> LinkState:
        """Move ``peer`` on. A pair that is not in the table is a bug: KeyError."""
        state = TRANSITIONS[self.state(peer), event]
        if state is LinkState.DISCONNECTED:
            self._states.pop(peer, None)
        else:
            self._states[peer] = state
        return state

    def link_of(self, peer: UserId) -> int | None:
        found = self._links.get(peer)
        return found[0] if found else None

    def admit(self, peer: UserId, link: int, *, initiator: bool, newer: bool = False) -> Admission:
        """Enter an authenticated link, unless the one that stands has the better right; ``initiator``: we dialled.

        ``newer``: the peer shows newer keys over this one, so the other has no right against it.
        """
        held = self._links.get(peer)
        if held is not None and not newer and held[1] != initiator and not self._preferred(peer, initiator):
            return Admission(stays=False, replaces=None)
        self._links[peer] = (link, initiator)
        self.on(peer, LinkEvent.AUTHENTICATED)
        return Admission(stays=True, replaces=held[0] if held else None)

    def remove(self, peer: UserId, link: int) -> bool:
        """The link ended; False where another one has taken its place already."""
        if self.link_of(peer) != link:
            return False
        del self._links[peer]
        self.on(peer, LinkEvent.ENDED)
        return True

    def gives_way(self, peer: UserId) -> bool:
        """Whether our own running try may end because ``peer``'s link stands: it would lose against it anyway."""
        return peer in self._links and not self._preferred(peer, initiator=True)

    def _preferred(self, peer: UserId, initiator: bool) -> bool:
        dialler = self._own if initiator else peer
        return dialler == min(self._own, peer)
