"""Two whole vaults under virtual time, joined by a wire in place of their gates, of which one may die at any point.

A point is a commit of its store (just before it, or between it and what follows) or a frame that it lets out. What a
vault had committed by then is all that its next life has.
"""

from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import trio
import trio.testing

from p2pchat.build import build_hash
from p2pchat.home import Home
from p2pchat.keys.identity import Identity
from p2pchat.rpc.methods import checked_params
from p2pchat.rpc.server import Handler
from p2pchat.vault import app
from p2pchat.wire import boundary
from tests.support.identities import stored_identity, stored_secrets
from tests.support.sim_env import SimClock, SlowWork, sim_env
from tests.support.simdisk import SimDisk
from tests.support.vaults import FixedSettings

HOME: Final = Home(Path("/home"), Path("/home"))


@dataclass(frozen=True, order=True)
class Point:
    """The ``number``-th time that a vault does ``what``, counted from where ``passed`` was empty."""

    what: str  # before a commit | after a commit | sends
    number: int


@dataclass(eq=False)
class Person:
    """One identity, its disk, and the vault that runs on it now."""

    index: int
    disk: SimDisk = field(default_factory=SimDisk)
    clock: SimClock = field(default_factory=SimClock)
    rsa_s: float = 0.0  # how long a private operation takes
    doom: Point | None = None  # where this life ends
    passed: list[Point] = field(default_factory=list)  # in this life
    handlers: Mapping[str, Handler] | None = None
    dead: trio.Event = field(default_factory=trio.Event)
    stream: trio.abc.Stream | None = None
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    turn: trio.Lock = field(default_factory=trio.Lock)

    @property
    def identity(self) -> Identity:
        return stored_identity(self.index)

    async def call(self, method: str, **params: object) -> dict[str, Any]:
        assert self.handlers is not None
        return dict(await self.handlers[method](checked_params(method, params)))  # type: ignore[arg-type]

    async def texts(self) -> list[str]:
        """Everything shown so far, in order."""
        found = await self.call("event.next", since=0)
        return [event["text"] for event in found["events"]]

    def at(self, what: str) -> bool:
        """Passing a point; whether life ends here."""
        self.passed.append(Point(what, sum(point.what == what for point in self.passed)))
        return self.passed[-1] == self.doom

    def die(self) -> None:
        """What is not committed is gone; nothing more leaves."""
        self.disk.crash()
        self.scope.cancel()
        self.dead.set()


@dataclass(eq=False)
class Pair:
    """Both, and the link between them."""

    people: tuple[Person, Person]
    nursery: trio.Nursery
    link: int = 0
    up: bool = False

    def other(self, person: Person) -> Person:
        return self.people[1] if person is self.people[0] else self.people[0]

    async def start(self, person: Person) -> None:
        near, far = trio.testing.memory_stream_pair()
        person.disk.thaw()
        person.stream, person.passed = far, []
        dead = person.dead = trio.Event()  # of this life
        person.scope, person.turn, person.handlers = trio.CancelScope(), trio.Lock(), None
        ready = trio.Event()

        async def serve(handlers: Mapping[str, Handler]) -> None:
            person.handlers = handlers
            ready.set()
            await trio.sleep_forever()

        def strike(when: str) -> None:
            if person.at(f"{when} a commit"):
                person.die()  # before it, the frozen disk refuses the call

        hooks = app.Hooks(
            serve=serve,
            ready=lambda: None,
            stop=lambda: None,
            settings=FixedSettings({}),
            save=lambda _: None,
            launcher_pid=1,
        )
        env = sim_env(
            f"vault {person.index} {trio.current_time()}",
            clock=person.clock,
            disk=person.disk,
            net=None,
            work=SlowWork(lambda: person.rsa_s),
            db_work=SlowWork(lambda: 0.001, strike),
        )
        secrets = stored_secrets(person.index)

        async def life() -> None:
            with person.scope:
                try:
                    await app.main(env, near, secrets[0], HOME, hooks)
                except* Exception:
                    if not dead.is_set():  # a dying process may fail in any way, a living one must not
                        raise

        self.nursery.start_soon(life)
        self.nursery.start_soon(self._carry, person)
        welcome = boundary.Welcome(
            build=build_hash(),
            share=secrets[1].store_share,
            link_x25519=bytes(32),
            listen=("10.0.0.1:4000",),
            reachable=("10.0.0.1:4000",),
            carriers=("ws",),
            wall="none",
        )
        await self._say(person, welcome)
        with trio.move_on_after(5):
            await ready.wait()

    async def connect(self) -> None:
        self.link, self.up = self.link + 1, True
        link_hash = sha256(b"link %d" % self.link).digest()
        for person in self.people:
            peer = self.other(person).identity
            arrived = boundary.Up(
                link=self.link,
                user=peer.user,
                device=peer.device.device,
                role=boundary.Role.CONTACT,
                initiator=person.index == 0,
                path="direct",
                carrier="ws",
                address="10.0.0.2:4000",
                handshake_hash=link_hash,
                key_log=peer.chain.raw,
                device_set=peer.devices.raw,
            )
            await self._say(person, arrived)

    async def cut(self) -> None:
        self.up = False
        for person in self.people:
            if not person.dead.is_set():
                await self._say(person, boundary.Down(link=self.link, reason=boundary.Reason.LOST))

    async def _carry(self, person: Person) -> None:
        """The gates' part: what one vault sends on the link arrives at the other."""
        stream, dead, reader = person.stream, person.dead, boundary.BoundaryReader()
        assert stream is not None
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            while data := await stream.receive_some(65536):
                for message in reader.feed(bytes(data)):
                    if isinstance(message, boundary.Send) and not dead.is_set():
                        await self._pass(person, message)

    async def _pass(self, person: Person, sent: boundary.Send) -> None:
        if person.at("sends"):
            person.die()
            return
        await self._say(person, boundary.Sent(link=sent.link, seq=sent.seq))
        if self.up and sent.link == self.link:
            arrived = boundary.Arrived(link=sent.link, seq=sent.seq, kind=sent.kind, body=sent.body)
            await self._say(self.other(person), arrived)

    async def _say(self, person: Person, message: Any) -> None:
        if not person.dead.is_set():
            assert person.stream is not None
            async with person.turn:
                with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                    await person.stream.send_all(boundary.encode(message))


@asynccontextmanager
async def pair(people: tuple[Person, Person]) -> AsyncIterator[Pair]:
    """Both vaults run, without a link."""
    async with trio.open_nursery() as nursery:
        joined = Pair(people, nursery)
        for person in people:
            await joined.start(person)
        yield joined
        for person in people:
            person.die()
        nursery.cancel_scope.cancel()


async def befriend(joined: Pair) -> None:
    """A first epoch, and a message each way."""
    one, other = joined.people
    card = (await other.call("contact.card"))["card"]
    await one.call("contact.add", card=b64encode(card).decode())
    await joined.connect()
    await trio.sleep(5)
    me = (await one.call("whoami"))["id"]
    await other.call("contact.accept", id=me)
    await trio.sleep(5)
    for person in joined.people:
        peer = (await joined.other(person).call("whoami"))["id"]
        await person.call("send", to=[peer], text="hello")
    await trio.sleep(5)
    assert [await person.texts() for person in joined.people] == [["hello"], ["hello"]]
