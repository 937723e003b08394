"""Takes visitors in: bounded at the door, each a stranger until proven a peer, and shown what strangers are shown."""

from dataclasses import dataclass, field
from functools import partial
from typing import Final

import trio

from p2pchat.env import Env, StreamListener
from p2pchat.firewall.book_file import BookFile
from p2pchat.firewall.half_open import HalfOpen
from p2pchat.firewall.links import Links
from p2pchat.firewall.policy import RAW, WS, Policy
from p2pchat.limits import PREAUTH_S
from p2pchat.link.carriers import Carrier, upgrade
from p2pchat.link.carriers.decoy import Decoy
from p2pchat.link.carriers.knock import HOUR_MS, knock_key, opens
from p2pchat.link.carriers.raw import RawCarrier
from p2pchat.link.credentials import Local
from p2pchat.link.establish import Established, respond
from p2pchat.link.handshake import RESPONDER_FRESH_BYTES, Responder
from p2pchat.link.quota import SeenEphemerals

# How requests begin: the first 4 bytes of each method of HTTP. Those of a raw link are random.
HTTP_BEGINS: Final = frozenset({b"GET ", b"HEAD", b"POST", b"PUT ", b"DELE", b"OPTI", b"TRAC", b"CONN", b"PATC"})
_SNIFF_BYTES: Final = 4
_BROKEN: Final = (trio.BrokenResourceError, trio.ClosedResourceError)


@dataclass(eq=False, slots=True)
class Door:
    """All listening sockets share one door, hence one budget."""

    env: Env
    local: Local
    policy: Policy
    links: Links
    book: BookFile
    decoy: Decoy
    half_open: HalfOpen = field(default_factory=HalfOpen)
    seen: SeenEphemerals = field(default_factory=SeenEphemerals)

    async def serve(self, listener: StreamListener) -> None:
        """Accept until cancelled."""
        try:
            async with trio.open_nursery() as nursery:
                while True:
                    stream, host = await listener.accept()
                    nursery.start_soon(self._visit, stream, host)
        finally:
            with trio.CancelScope(shield=True):
                await listener.aclose()

    async def _visit(self, stream: trio.abc.HalfCloseableStream, host: str) -> None:
        established: Established | None = None
        if not self.half_open.enter(host):
            self.links.counts.turned_away += 1
            await trio.aclose_forcefully(stream)
            return
        try:
            established = await self._receive(stream)
        finally:
            self.half_open.leave(host)
            if established is None:
                await trio.aclose_forcefully(stream)
        if established is not None:
            self.links.counts.handshake("responder", None)
            self.links.adopt(established, host)

    async def _receive(self, stream: trio.abc.HalfCloseableStream) -> Established | None:
        """Which carrier the visitor speaks is a matter of this node's settings; only where both are served, of his."""
        if WS not in self.policy.carriers:
            return await self._raw(stream, b"")
        if RAW not in self.policy.carriers:
            return await self._web(stream, b"")
        first = await _first_bytes(stream)
        return await (self._web(stream, first) if first in HTTP_BEGINS else self._raw(stream, first))

    async def _raw(self, stream: trio.abc.HalfCloseableStream, first: bytes) -> Established | None:
        return await self._authenticate(RawCarrier(stream, first=first), silent=True)

    async def _web(self, stream: trio.abc.HalfCloseableStream, first: bytes) -> Established | None:
        """A visit to a small web server, unless a knock opens more."""
        clock = self.env.clock
        visitor = await upgrade.answer(stream, self.decoy, self.env.random.bytes, now_ms=clock.wall_ms, first=first)
        if visitor is None:
            self.links.counts.strangers += 1
            return None
        established: Established | None = None
        try:
            if self._knocks(visitor.key):
                established = await self._authenticate(visitor.carrier, silent=False)
            if established is None:
                self.links.counts.strangers += 1
                await visitor.carrier.turn_away(self.decoy.refusal)
        finally:
            if established is None:
                await visitor.carrier.aclose()
        return established

    def _knocks(self, key: bytes) -> bool:
        """Whether this is a knock, for the first time."""
        known = opens(knock_key(self.local.user), key, self.env.clock.wall_ms() // HOUR_MS)
        return known and self.book.knocks.use(key)

    async def _authenticate(self, carrier: Carrier, *, silent: bool) -> Established | None:
        responder = Responder(
            self.local,
            fresh=self.env.random.bytes(RESPONDER_FRESH_BYTES),
            encapsulate=self.env.crypto.kem_encapsulate,
        )
        return await respond(
            carrier,
            responder,
            self.policy.look_up,
            self.seen,
            now_ms=self.env.clock.wall_ms,
            silent=silent,
            before_answer=self.book.try_to_save,  # a knock is on disk before message 2 leaves, and no refusal waits
            failed=partial(self.links.counts.handshake, "responder"),
        )


async def _first_bytes(stream: trio.abc.HalfCloseableStream) -> bytes:
    """The first 4 bytes, or what there is of them within 10 s."""
    first = b""
    with trio.move_on_after(PREAUTH_S):
        try:
            while len(first) < _SNIFF_BYTES:
                if not (data := await stream.receive_some(_SNIFF_BYTES - len(first))):
                    break
                first += data
        except _BROKEN:
            return first
    return first
