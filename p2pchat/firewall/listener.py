"""Takes visitors in: bounded at the door, silent until they prove who they are."""

from dataclasses import dataclass, field
from functools import partial

import trio

from p2pchat.env import Env, StreamListener
from p2pchat.firewall.half_open import HalfOpen
from p2pchat.firewall.links import Links
from p2pchat.firewall.policy import Policy
from p2pchat.link.carriers.raw import RawCarrier
from p2pchat.link.credentials import Local
from p2pchat.link.establish import Established, respond
from p2pchat.link.handshake import RESPONDER_FRESH_BYTES, Responder
from p2pchat.link.quota import SeenEphemerals


@dataclass(eq=False, slots=True)
class Door:
    """All listening sockets share one door, hence one budget."""

    env: Env
    local: Local
    policy: Policy
    links: Links
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
        carrier = RawCarrier(stream)
        established: Established | None = None
        if not self.half_open.enter(host):
            self.links.counts.turned_away += 1
            await carrier.aclose()
            return
        try:
            established = await self._authenticate(carrier)
        finally:
            self.half_open.leave(host)
            if established is None:
                await carrier.aclose()
        if established is not None:
            self.links.counts.handshake("responder", None)
            self.links.adopt(established, host)

    async def _authenticate(self, carrier: RawCarrier) -> Established | None:
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
            failed=partial(self.links.counts.handshake, "responder"),
        )
