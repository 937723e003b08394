"""From a fresh carrier to an authenticated link: the handshake cores driven over bytes, with deadlines and budgets.

Whatever goes wrong on the answering side looks the same from outside. On a carrier that is ``silent`` no byte is sent,
what comes is read and dropped up to the budget, and the connection closes 10 s after it began (or when the visitor ends
it); another one has words of its own for strangers.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import trio

from p2pchat.errors import BadFormat, ConnectionLost, P2PChatError, TimedOut, Unreachable
from p2pchat.limits import HANDSHAKE_BYTES, PREAUTH_BYTES, PREAUTH_S
from p2pchat.link.carriers import Carrier
from p2pchat.link.credentials import Authenticated, Credentials, Local
from p2pchat.link.framing import UnitReader, wrap
from p2pchat.link.handshake import LIMITS, Claim, Initiator, Keyed, Responder
from p2pchat.link.introduction import AskCredentials, ShowCredentials
from p2pchat.link.quota import SeenEphemerals
from p2pchat.link.records import Opener, Sealer
from p2pchat.wire.frames import Frame

_READ_BYTES = 16 * 1024
LookUp = Callable[[Claim], Credentials | None]  # what is pinned for a claimed ID; raises P2PChatError to refuse it


@dataclass(frozen=True, slots=True)
class Established:
    """An authenticated link that nobody drives yet."""

    peer: Authenticated
    carrier: Carrier
    sealer: Sealer
    opener: Opener
    early: list[Frame]  # came right behind the peer's last OBJECTS


class _Intake:
    """Reads from a carrier within a budget of bytes."""

    def __init__(self, carrier: Carrier, budget: int) -> None:
        self._carrier = carrier
        self._budget = budget

    def allow(self, more: int) -> None:
        self._budget += more

    async def receive(self) -> bytes:
        """Raises ConnectionLost at the end, BadFormat beyond the budget."""
        if self._budget <= 0:
            raise BadFormat("too many bytes before authentication")
        data = await self._carrier.receive(min(self._budget, _READ_BYTES))
        if not data:
            raise ConnectionLost("the other side ended the connection")
        self._budget -= len(data)
        return data

    async def unit(self, psk: bytes, number: int) -> bytes:
        """Handshake message ``number``, whole and alone: its sender then awaits an answer, so nothing comes early."""
        reader = UnitReader(psk, number, limit=LIMITS[number])
        while (message := reader.feed(await self.receive())) is None:
            pass
        if reader.rest:
            raise BadFormat("bytes came before they were due")
        return message

    async def frames(self, opener: Opener) -> list[Frame]:
        """At least one frame."""
        while not (frames := opener.feed(await self.receive())):
            pass
        return frames

    async def drain(self) -> None:
        """Read and drop until the other side ends or the budget does; in that case wait to be cancelled."""
        try:
            while True:
                await self.receive()
        except ConnectionLost:
            return
        except BadFormat:
            await trio.sleep_forever()


async def initiate(
    carrier: Carrier, local: Local, initiator: Initiator, turn: trio.Lock, *, now_ms: Callable[[], int]
) -> Established:
    """Dial side. Raises Unreachable after 10 s, IdentityDiffers, ExpiredDevices, or what the cores raise.

    ``turn`` is held from message 3 to the end: of several connections to one peer only one at a time reveals us, or
    the peer would take the later for a second dial that replaces the first. The caller closes the carrier where this
    raises.
    """
    try:
        with trio.fail_after(PREAUTH_S):
            return await _initiate(carrier, local, initiator, turn, now_ms)
    except trio.TooSlowError:
        raise Unreachable(f"nobody there proved to be this ID within {PREAUTH_S:.0f} s") from None


async def _initiate(
    carrier: Carrier, local: Local, initiator: Initiator, turn: trio.Lock, now_ms: Callable[[], int]
) -> Established:
    intake = _Intake(carrier, 2 * HANDSHAKE_BYTES)
    await carrier.send(wrap(initiator.start(), initiator.psk, 1))
    message3 = initiator.finish(await intake.unit(initiator.psk, 2), now_ms=now_ms())
    sealer, opener = _record_layer(initiator.keyed)
    async with turn:
        await carrier.send(wrap(message3, initiator.psk, 3))
        frames = await _show(carrier, intake, sealer, opener, ShowCredentials(local))
    peer = Authenticated(
        user=initiator.credentials.user,
        device=initiator.device,
        initiator=True,
        handshake_hash=initiator.keyed.handshake_hash,
        credentials=initiator.credentials,
    )
    return Established(peer, carrier, sealer, opener, frames)


async def _show(
    carrier: Carrier, intake: _Intake, sealer: Sealer, opener: Opener, show: ShowCredentials
) -> list[Frame]:
    """OBJECTS until the responder is content; what came behind its last one."""
    frames: list[Frame] = []
    while not show.done:
        frames = frames or await intake.frames(opener)
        answer = show.receive(frames.pop(0))
        if answer:
            await carrier.send(sealer.seal(answer, now_s=trio.current_time()))
    return frames


async def _at_once() -> None:
    """Nothing has to be done first."""


async def respond(
    carrier: Carrier,
    responder: Responder,
    look_up: LookUp,
    seen: SeenEphemerals,
    *,
    now_ms: Callable[[], int],
    silent: bool = True,
    before_answer: Callable[[], Awaitable[None]] = _at_once,
    failed: Callable[[P2PChatError], None] = lambda _: None,
) -> Established | None:
    """Answering side. None where the visitor did not authenticate; the caller then closes the carrier, at once.

    ``silent`` (the raw carrier): a failure shows only in that nothing happens until the time is over. ``failed`` hears
    why, and nobody else does. ``before_answer`` runs once message 1 is good: it may take time that tells a visitor
    nothing, for he knows the ID.
    """
    intake = _Intake(carrier, PREAUTH_BYTES)
    reason: P2PChatError = TimedOut(f"no proof within {PREAUTH_S:.0f} s")
    with trio.move_on_after(PREAUTH_S):
        try:
            return await _respond(carrier, intake, responder, look_up, seen, now_ms, before_answer)
        except ConnectionLost as error:
            reason = error
        except P2PChatError as error:
            reason = error
            if silent:
                await intake.drain()
    failed(reason)
    return None


async def _respond(
    carrier: Carrier,
    intake: _Intake,
    responder: Responder,
    look_up: LookUp,
    seen: SeenEphemerals,
    now_ms: Callable[[], int],
    before_answer: Callable[[], Awaitable[None]],
) -> Established:
    if not seen.is_new(responder.open(await intake.unit(responder.psk, 1))):
        raise BadFormat("message 1 is a replay")
    intake.allow(HANDSHAKE_BYTES)
    await before_answer()
    await carrier.send(wrap(responder.answer(), responder.psk, 2))
    responder.finish(await intake.unit(responder.psk, 3))
    ask = AskCredentials(responder.claim, look_up(responder.claim), now_ms=now_ms())
    sealer, opener = _record_layer(responder.keyed)
    await carrier.send(sealer.seal(ask.start(), now_s=trio.current_time()))
    while ask.proven is None:
        frames = await intake.frames(opener)
        answer = ask.receive(frames.pop(0))
        if frames:
            raise BadFormat("frames came before the link was authenticated")
        await carrier.send(sealer.seal(answer, now_s=trio.current_time()))
    claim = responder.claim
    peer = Authenticated(
        user=claim.user,
        device=claim.device,
        initiator=False,
        handshake_hash=responder.keyed.handshake_hash,
        credentials=ask.proven,
    )
    return Established(peer, carrier, sealer, opener, [])


def _record_layer(keyed: Keyed) -> tuple[Sealer, Opener]:
    return Sealer(keyed.send, now_s=trio.current_time()), Opener(keyed.receive)
