"""A whole vault under virtual time, with a gate that only speaks the boundary, and a peer who does as the test says."""

from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import trio

from p2pchat.build import build_hash
from p2pchat.channel.agreement import Agreement
from p2pchat.channel.epoch import FRESH_BYTES
from p2pchat.channel.exchange import OpenedLeg
from p2pchat.channel.parties import Parties, Party
from p2pchat.channel.state import ChannelState
from p2pchat.channel.step import Moment, Step
from p2pchat.config import KEYS, Config, Value
from p2pchat.contacts.card import write_card
from p2pchat.contacts.request import Between, seal_body
from p2pchat.env import Disk, Work
from p2pchat.env_system import SystemCrypto
from p2pchat.home import Home
from p2pchat.ids import Incarnation
from p2pchat.keys.identity import Identity
from p2pchat.keys.signed import sign
from p2pchat.rpc.conversation import Handler
from p2pchat.rpc.methods import checked_params
from p2pchat.vault import app
from p2pchat.wire import boundary
from p2pchat.wire.frames import FrameType
from p2pchat.wire.own_files import VaultSecrets
from p2pchat.wire.shape import Struct
from p2pchat.wire.structs import AddressRecord, ContactAnswer, ContactRequest, Ctl
from tests.support.identities import NOW_MS, stored_identity, stored_secrets
from tests.support.sim_env import EPOCH_MS, SimClock, inline, sim_env
from tests.support.simdisk import SimDisk

ME: Final = 0  # the stored identity that the vault under test has
T = TypeVar("T", bound=Struct)


class FixedSettings:
    def __init__(self, changed: Mapping[str, Value]) -> None:
        self._config = Config(**{**{name: key.default for name, key in KEYS.items()}, **changed})  # type: ignore[arg-type]

    def current(self) -> Config:
        return self._config

    def change(self, name: str, text: str) -> Value:
        raise AssertionError("nobody changes settings here")


@dataclass(eq=False)
class FakeGate:
    """Keeps what the vault says in ``heard``, in the shapes that a real gate reads; writes every SEND at once."""

    stream: trio.abc.Stream
    heard: list[Struct] = field(default_factory=list)
    writes: bool = True  # else it says no SENT: a peer who does not read
    ended: bool = False
    _news: trio.Event = field(default_factory=trio.Event)
    _turn: trio.Lock = field(default_factory=trio.Lock)

    async def run(self) -> None:
        reader = boundary.BoundaryReader()
        while data := await self._receive():
            for message in reader.feed(data):
                self.heard.append(message)
                if isinstance(message, boundary.Send) and self.writes:
                    await self.say(boundary.Sent(link=message.link, seq=message.seq))
            self._news.set()
            self._news = trio.Event()
        self.ended = True

    async def _receive(self) -> bytes:
        try:
            return bytes(await self.stream.receive_some(65536))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return b""

    async def say(self, *messages: Struct) -> None:
        async with self._turn:
            await self.stream.send_all(b"".join(boundary.encode(message) for message in messages))

    def all(self, kind: type[T]) -> list[T]:
        return [message for message in self.heard if isinstance(message, kind)]

    async def wait(self, kind: type[T], such_that: Callable[[T], bool] = lambda _: True, *, within_s: float = 30) -> T:
        """The first message of that kind that fits, heard already or not."""
        with trio.fail_after(within_s):
            while True:
                for message in self.all(kind):
                    if such_that(message):
                        return message
                await self._news.wait()


@dataclass(eq=False)
class Vault:
    """The vault of stored identity ``ME`` while it runs."""

    gate: FakeGate
    clock: SimClock
    secrets: VaultSecrets
    handlers: Mapping[str, Handler] = field(default_factory=dict)
    links: int = 0

    async def call(self, method: str, **params: object) -> dict[str, Any]:
        return dict(await self.handlers[method](checked_params(method, params)))  # type: ignore[arg-type]

    async def lives(self) -> bool:
        """Whether it still answers, once everything that was under way has been dealt with."""
        await trio.sleep(0.5)
        return bool((await self.call("status"))["running"])


@asynccontextmanager
async def running(
    *,
    disk: Disk | None = None,
    folder: Path = Path("/home"),
    seed: str = "vault",
    save: Callable[[VaultSecrets], None] | None = None,
    secrets: VaultSecrets | None = None,
    clock: SimClock | None = None,
    db_work: Work = inline,
    **settings: Value,
) -> AsyncIterator[Vault]:
    """A vault that has said HELLO and its wish list; what ends it is raised here. ``secrets``: in place of ``ME``'s."""
    near, far = trio.testing.memory_stream_pair()
    vault = Vault(FakeGate(far), clock or SimClock(), secrets=secrets or stored_secrets(ME)[0])
    ready = trio.Event()

    async def serve(handlers: Mapping[str, Handler]) -> None:
        vault.handlers = handlers
        ready.set()
        await trio.sleep_forever()

    hooks = app.Hooks(
        serve=serve,
        ready=lambda: None,
        stop=lambda: None,
        settings=FixedSettings(settings),
        save=save or (lambda _: None),
        launcher_pid=1,
    )
    env = sim_env(seed, clock=vault.clock, disk=disk or SimDisk(), net=None, db_work=db_work)
    home = Home(folder, folder)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(vault.gate.run)
        nursery.start_soon(app.main, env, near, vault.secrets, home, hooks)
        await vault.gate.say(_welcome())
        await ready.wait()
        yield vault
        await far.aclose()


def _welcome() -> boundary.Welcome:
    return boundary.Welcome(
        build=build_hash(),
        share=stored_secrets(ME)[1].store_share,
        link_x25519=bytes(32),
        listen=("10.0.0.1:4000",),
        reachable=("10.0.0.1:4000",),
        carriers=("ws",),
        wall="none",
    )


def address_record(identity: Identity, *, sequence: int = NOW_MS) -> bytes:
    """Signed, and empty."""
    record = AddressRecord(
        user=identity.user,
        device=identity.device.device,
        sequence=sequence,
        not_after_ms=NOW_MS + 10**9,
        addresses=(),
    )
    return sign(record, identity.device)


def _party(identity: Identity) -> Party:
    return Party(
        user=identity.user,
        device=identity.device.device,
        head=identity.chain.head,
        set_hash=identity.devices.set_hash,
        modulus=identity.chain.root.modulus,
        spki_hash=identity.chain.root.spki_hash,
    )


@dataclass(eq=False)
class Peer:
    """Somebody at the other end of the vault's links, one link after the other."""

    vault: Vault
    identity: Identity = field(default_factory=lambda: stored_identity(1))
    role: boundary.Role = boundary.Role.CONTACT
    state: ChannelState = field(default_factory=ChannelState)
    life: Incarnation = Incarnation(b"")  # noqa: RUF009 - of the vault's queue, once a test has heard it
    link: int = 0
    seq: int = 0
    _heard: int = 0  # of the vault's SENDs on this link
    _agreement: Agreement | None = None

    @property
    def own(self) -> Identity:
        return stored_identity(ME)

    @property
    def agreement(self) -> Agreement:
        assert self._agreement is not None
        return self._agreement

    @agreement.setter
    def agreement(self, value: Agreement) -> None:
        self._agreement, self.state = value, value.state

    def card(self) -> bytes:
        return write_card(self.identity, addresses=address_record(self.identity), nickname="peer", now_ms=NOW_MS)

    async def add(self) -> None:
        """The vault's user adds this peer by card."""
        await self.vault.call("contact.add", card=b64encode(self.card()).decode())

    async def up(self) -> None:
        self.vault.links += 1
        self.link, self.seq, self._heard = self.vault.links, 0, 0
        await self.vault.gate.say(
            boundary.Up(
                link=self.link,
                user=self.identity.user,
                device=self.identity.device.device,
                role=self.role,
                initiator=False,
                path="direct",
                carrier="ws",
                address="10.0.0.2:4000",
                handshake_hash=self.link_hash,
                key_log=self.identity.chain.raw,
                device_set=self.identity.devices.raw,
            )
        )

    async def down(self) -> None:
        await self.vault.gate.say(self.gone())

    def gone(self) -> boundary.Down:
        return boundary.Down(link=self.link, reason=boundary.Reason.LOST)

    @property
    def link_hash(self) -> bytes:
        return self.link.to_bytes(32)

    def frame(self, kind: FrameType, body: bytes) -> boundary.Arrived:
        self.seq += 1
        return boundary.Arrived(link=self.link, seq=self.seq, kind=kind, body=body)

    async def send(self, kind: FrameType, body: bytes) -> None:
        await self.vault.gate.say(self.frame(kind, body))

    def request(self) -> bytes:
        return self._sealed(ContactRequest(nickname="peer", note="", addresses=b"", sent_ms=NOW_MS))

    def answer(self) -> bytes:
        return self._sealed(ContactAnswer(accepted=True, reply=False, ticket=bytes(32), nickname="peer", addresses=b""))

    def _sealed(self, body: ContactRequest | ContactAnswer) -> bytes:
        between = Between(self.identity.user, self.own.user, self.link_hash)
        return seal_body(
            body, between, sender=self.identity.device, to=self.own.record, hpke_seal=SystemCrypto().hpke_seal
        )

    # --- the pair channel -----------------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Say HELLO over the present link."""
        step = Agreement.begin(
            Parties(own=_party(self.identity), peer=_party(self.own)),
            link_hash=self.link_hash,
            state=self.state,
            local_secret=b"s" * 32,
            draws=SystemCrypto(),
        )
        await self._take(step)

    async def befriend(self) -> None:
        """Become a contact of the vault over a new link, in a first epoch."""
        await self.add()
        await self.up()
        await self.send(FrameType.ANSWER, self.answer())
        await self.begin()
        await self.converse()

    async def converse(self) -> None:
        """Answer as an honest vault would, until both are ready."""
        with trio.fail_after(60):
            while not self.agreement.ready:
                await self.hear()

    async def converse_again(self) -> None:
        """As ``converse``, where an epoch stands that the vault has given up: until the next one is agreed."""
        before = self.agreement.state.epoch_id
        with trio.fail_after(60):
            while not self.agreement.ready or self.agreement.state.epoch_id == before:
                await self.hear()

    async def hear(self) -> Step | None:
        """Take the vault's next frame; None where it is not the channel's."""
        heard = self._heard
        with trio.fail_after(60):
            while len(self.sends()) == heard:
                await self.vault.gate._news.wait()
        self._heard += 1
        sent = self.sends()[heard]
        kind = FrameType(sent.kind)
        if kind in {FrameType.REQUEST, FrameType.ANSWER}:
            return None
        agreement, at = self.agreement, self.moment()
        if kind is FrameType.ENVELOPE:
            leg = agreement.leg_to_open(sent.body)
            opened = OpenedLeg(leg, self.identity.root.oaep_open(leg.ciphertext, leg.label)) if leg else None
            return await self._take(agreement.envelope_received(sent.body, at, opened))
        if kind is FrameType.CTL:
            return await self._take(agreement.ctl_received(sent.body, at))
        return await self._take(agreement.frame_received(kind, sent.body, at))

    def sends(self) -> list[boundary.Send]:
        return [message for message in self.vault.gate.all(boundary.Send) if message.link == self.link]

    def moment(self) -> Moment:
        fresh = bytes([self.link, self._heard % 256]) * (FRESH_BYTES // 2)
        return Moment(trio.current_time(), EPOCH_MS + int(trio.current_time() * 1000), fresh)

    async def _take(self, step: Step) -> Step:
        self.agreement = step.agreement
        for kind, body in step.frames:
            await self.send(kind, body)
        if step.work is not None:
            secret = self.identity.root.oaep_open(step.work.leg.ciphertext, step.work.leg.label)
            return await self._take(self.agreement.leg_opened(step.work.leg, secret, self.moment()))
        return step

    async def say(self, content: Ctl) -> None:
        await self.send(FrameType.CTL, self.agreement.seal_ctl(content, bytes(24)))

    async def cut(self) -> boundary.Cut:
        """Wait until the vault wants this link ended."""
        return await self.vault.gate.wait(boundary.Cut, lambda cut: cut.link == self.link)
