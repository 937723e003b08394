"""Keeps the links that the vault wants: when to dial, where, and what to say when it fails."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

import trio

from p2pchat.config import join_address
from p2pchat.env import Env
from p2pchat.errors import P2PChatError
from p2pchat.firewall.address_book import AddressBook
from p2pchat.firewall.attempt import Attempt, connect
from p2pchat.firewall.links import Gone, Links
from p2pchat.firewall.peers import Peers
from p2pchat.firewall.permit import Permit
from p2pchat.firewall.policy import Policy
from p2pchat.firewall.port import Port
from p2pchat.ids import UserId
from p2pchat.link.credentials import IdentityDiffers, Local
from p2pchat.link.establish import Established, initiate
from p2pchat.link.handshake import INITIATOR_FRESH_BYTES, Initiator
from p2pchat.link.reconnect import Reconnect
from p2pchat.link.session import LinkEvent, LinkState
from p2pchat.wire import boundary
from p2pchat.wire.boundary import Reason

AT_ONCE: Final = 32  # peers dialled at a time, so that a thousand contacts do not make one burst
REASON_CHARS: Final = 256
CROWDED: Final = "too many strangers ask there at present"
_ON_PURPOSE: Final = frozenset({Reason.IDLE, Reason.UNWANTED, Reason.RATE_LIMITED})


@dataclass(eq=False, slots=True)
class _Wish:
    """A peer that the vault wants a link to."""

    until_ms: int
    reconnect: Reconnect = field(default_factory=Reconnect)
    attempt: Attempt | None = None
    reason: str = ""  # why the last try failed, or none was made
    refused: bool = False  # no address may be dialled
    changed: trio.Event = field(default_factory=trio.Event)

    def ring(self) -> None:
        self.changed.set()
        self.changed = trio.Event()


@dataclass(frozen=True, slots=True)
class Dial:
    """What is being done for one wanted link."""

    user: UserId
    state: Literal["linked", "dialling", "waiting", "probing", "refused"]
    next_try_s: float | None  # monotonic; None: none is due by itself
    reason: str


class Dialer:
    """One task for each wanted peer. Tell it what happens through ``want``, ``news``, ``linked`` and ``ended``."""

    def __init__(
        self,
        env: Env,
        nursery: trio.Nursery,
        port: Port,
        local: Local,
        peers: Peers,
        policy: Policy,
        book: AddressBook,
        links: Links,
    ) -> None:
        self._env = env
        self._nursery = nursery
        self._port = port
        self.local = local  # replaced when the own device set is renewed
        self._peers = peers
        self._policy = policy
        self._book = book
        self._links = links
        self._wishes: dict[UserId, _Wish] = {}
        self._limiter = trio.CapacityLimiter(AT_ONCE)
        self._warned: set[Permit] = set()

    def want(self, user: UserId, until_ms: int) -> None:
        """Keep a link to ``user`` until then (Unix ms; 0: no longer). Wanting again is news."""
        wish = self._wishes.get(user)
        if wish is None:
            if until_ms > self._env.clock.wall_ms():
                self._wishes[user] = _Wish(until_ms)
                self._nursery.start_soon(self._keep, user, self._wishes[user])
            return
        wish.until_ms = until_ms
        if until_ms == 0 and wish.attempt is not None:
            wish.attempt.give_up()
        self.news([user])

    def news(self, users: Iterable[UserId] | None = None) -> None:
        """Something makes a try worth while: of these peers, or of all."""
        for user in list(self._wishes) if users is None else users:
            if (wish := self._wishes.get(user)) is not None:
                wish.reconnect.news(trio.current_time())
                wish.ring()

    def linked(self, user: UserId) -> None:
        """A link to ``user`` stands, whoever dialled: a try of ours that would lose against it ends."""
        if (wish := self._wishes.get(user)) is not None:
            if wish.attempt is not None and self._links.sessions.gives_way(user):
                wish.attempt.give_up()
            wish.ring()

    def ended(self, gone: Gone) -> None:
        """The link to a peer is gone."""
        if (wish := self._wishes.get(gone.user)) is None:
            return
        now_s, draw = trio.current_time(), self._draw()
        if gone.ended.told in _ON_PURPOSE:
            wish.reconnect.told_to_wait(now_s, draw)
        else:
            wish.reconnect.ended(now_s, held_s=gone.held_s, draw=draw)
        if gone.ended.told is Reason.RATE_LIMITED:
            self._cannot(gone.user, CROWDED, retry_ms=self._retry_ms(wish))
        wish.ring()

    def dials(self) -> list[Dial]:
        """How it stands with every link that the vault wants."""
        return [self._dial_of(user, wish, trio.current_time()) for user, wish in self._wishes.items()]

    def _dial_of(self, user: UserId, wish: _Wish, now_s: float) -> Dial:
        if self._links.sessions.state(user) is LinkState.READY:
            return Dial(user, "linked", None, "")
        if wish.attempt is not None:
            return Dial(user, "dialling", None, wish.reason)
        if wish.refused:
            return Dial(user, "refused", None, wish.reason)
        state: Literal["probing", "waiting"] = "probing" if wish.reconnect.probing else "waiting"
        return Dial(user, state, now_s + wish.reconnect.wait_s(now_s), wish.reason)

    async def _keep(self, user: UserId, wish: _Wish) -> None:
        """Runs as long as ``user`` is wanted."""
        while (left_s := (wish.until_ms - self._env.clock.wall_ms()) / 1000) > 0:
            changed, pause_s = wish.changed, left_s
            if self._links.sessions.state(user) is not LinkState.READY:
                pause_s = min(left_s, wish.reconnect.wait_s(trio.current_time()))
                if pause_s == 0:
                    pause_s = await self._try(user, wish, left_s)
            with trio.move_on_after(pause_s):
                await changed.wait()
        del self._wishes[user]

    async def _try(self, user: UserId, wish: _Wish, left_s: float) -> float:
        """Dial where that is permitted; seconds to wait afterwards, unless there is news."""
        found = self._policy.permits(user)
        wish.refused = not found.permits
        if wish.refused:
            wish.reason = found.refused
            self._cannot(user, found.refused, retry_ms=0)
            return left_s
        async with self._limiter:
            if wish.until_ms == 0 or self._links.sessions.state(user) is LinkState.READY:
                return 0
            wish.reconnect.trying(trio.current_time())
            self._links.sessions.on(user, LinkEvent.DIAL)
            wish.attempt = Attempt(found.permits, self._dial, self._note)
            await wish.attempt.run()
        attempt, wish.attempt = wish.attempt, None
        wish.reason = attempt.reason if attempt.won is None else ""
        if attempt.won is not None:
            established, permit = attempt.won
            self._links.adopt(established, join_address(permit.host, permit.port))
        elif self._links.sessions.on(user, LinkEvent.FAILED) is not LinkState.READY:
            wish.reconnect.failed(trio.current_time(), self._draw())
            self._cannot(user, attempt.reason, retry_ms=self._retry_ms(wish))
        return 0

    async def _dial(self, permit: Permit, turn: trio.Lock) -> Established:
        """Connect and authenticate. Raises P2PChatError."""
        carrier = await connect(self._env, permit)
        try:
            self._links.sessions.on(permit.peer, LinkEvent.CONNECTED)
            fresh = self._env.random.bytes(INITIATOR_FRESH_BYTES)
            initiator = Initiator(self.local, permit.peer, self._peers.credentials(permit.peer), fresh=fresh)
            return await initiate(carrier, self.local, initiator, turn, now_ms=self._env.clock.wall_ms)
        except BaseException:  # a try that is given up (cancelled), too, leaves no open connection
            await carrier.aclose()
            raise

    def _note(self, permit: Permit, error: P2PChatError | None) -> None:
        """Remember how an address fared; somebody else at a peer's address is worth a word, once."""
        self._links.counts.handshake("initiator", error)
        now_ms = self._env.clock.wall_ms()
        self._book.tried(permit.peer, permit.host, permit.port, ok=error is None, now_ms=now_ms)
        if error is None:
            self._warned.discard(permit)
        elif isinstance(error, IdentityDiffers) and permit not in self._warned:
            self._warned.add(permit)
            text = f"identity differs: {join_address(permit.host, permit.port)} is answered by somebody else"
            self._port.send(boundary.Warn(code="IDENTITY_DIFFERS", text=text, user=permit.peer))

    def _cannot(self, user: UserId, reason: str, *, retry_ms: int) -> None:
        self._port.send(boundary.Cannot(user=user, reason=reason[:REASON_CHARS], retry_ms=retry_ms))

    def _retry_ms(self, wish: _Wish) -> int:
        return self._env.clock.wall_ms() + int(1000 * wish.reconnect.wait_s(trio.current_time()))

    def _draw(self) -> float:
        return self._env.random.uniform(0, 1)
