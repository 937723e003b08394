"""One try at one peer: all its addresses, each with a head start over the next. The first to authenticate wins."""

from collections.abc import Awaitable, Callable
from typing import Final

import trio

from p2pchat.env import Env
from p2pchat.errors import P2PChatError, Unreachable
from p2pchat.firewall.permit import Permit
from p2pchat.firewall.policy import RAW
from p2pchat.link.carriers import Carrier, upgrade
from p2pchat.link.carriers.knock import HOUR_MS, NONCE_BYTES, WINDOW_HOURS, knock, knock_key
from p2pchat.link.carriers.raw import RawCarrier
from p2pchat.link.carriers.websocket import WebSocketCarrier
from p2pchat.link.establish import Established

HEAD_START_S: Final = 0.25  # RFC 8305: how long an address is alone before the next is tried beside it
DIAL_S: Final = 10.0

Dial = Callable[[Permit, trio.Lock], Awaitable[Established]]  # connects and authenticates; raises P2PChatError
Note = Callable[[Permit, P2PChatError | None], None]  # hears how each address fared


class Attempt:
    """``won`` is the link and the permit that led to it; where there is none, ``reason`` says why."""

    def __init__(self, permits: list[Permit], dial: Dial, note: Note) -> None:
        self._permits = permits
        self._dial = dial
        self._note = note
        self._scope = trio.CancelScope()
        self._turn = trio.Lock()
        self.won: tuple[Established, Permit] | None = None
        self.reason = "given up"

    def give_up(self) -> None:
        """Nobody needs the link any more."""
        self._scope.cancel()

    async def run(self) -> None:
        with self._scope:
            async with trio.open_nursery() as nursery:
                for permit in self._permits:
                    failed = trio.Event()
                    nursery.start_soon(self._try, permit, failed)
                    with trio.move_on_after(HEAD_START_S):
                        await failed.wait()

    async def _try(self, permit: Permit, failed: trio.Event) -> None:
        try:
            established = await self._dial(permit, self._turn)
        except P2PChatError as error:
            self.reason = error.message
            self._note(permit, error)
            failed.set()
            return
        if self.won is not None:  # two finished in the same breath
            await established.carrier.aclose()
            return
        self.won = (established, permit)
        self._note(permit, None)
        self._scope.cancel()


async def connect(env: Env, permit: Permit) -> Carrier:
    """The one way out of the gate. Raises Unreachable.

    Where the two clocks differ by more than a knock may, the other side's hour is taken, once, on a new connection.
    """
    if permit.carrier == RAW:
        return RawCarrier(await _dial(env, permit))
    hour = env.clock.wall_ms() // HOUR_MS
    carrier, theirs = await _upgrade(env, permit, hour)
    if theirs is None or abs(theirs - hour) <= WINDOW_HOURS:
        return carrier
    await carrier.aclose()
    carrier, _ = await _upgrade(env, permit, theirs)
    return carrier


async def _upgrade(env: Env, permit: Permit, hour: int) -> tuple[WebSocketCarrier, int | None]:
    shown = knock(knock_key(permit.peer), env.random.bytes(NONCE_BYTES), hour)
    return await upgrade.ask(await _dial(env, permit), permit.host, permit.port, shown, env.random.bytes)


async def _dial(env: Env, permit: Permit) -> trio.abc.HalfCloseableStream:
    assert env.net is not None
    try:
        with trio.fail_after(DIAL_S):
            return await env.net.dial(permit.host, permit.port)
    except trio.TooSlowError:
        raise Unreachable(f"{permit.host} port {permit.port} did not answer within {DIAL_S:.0f} s") from None
    except (OSError, trio.BrokenResourceError) as error:
        raise Unreachable(f"cannot reach {permit.host} port {permit.port}: {error}") from error
