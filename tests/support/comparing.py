"""A whole vault that compares keys, its user, and the other side, which does as the test says."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import trio

from p2pchat.contacts.compare import Comparison, End, Ends
from p2pchat.contacts.emoji import TABLE
from p2pchat.ids import user_id_text
from p2pchat.keys.identity import Identity
from p2pchat.wire.structs import CTL_COMPARE, Compare, Ctl, CtlItem
from tests.support.simdisk import SimDisk
from tests.support.vaults import Peer, Vault, running


def end(identity: Identity) -> End:
    return End(identity.user, identity.chain.root.spki_hash)


@dataclass
class Other:
    """The person at the other end, whose comparison the test moves."""

    peer: Peer
    comparison: Comparison = field(init=False)

    def __post_init__(self) -> None:
        self.anew(b"o")

    def anew(self, value: bytes) -> None:
        ends = Ends(end(self.peer.identity), end(self.peer.own), self.peer.link_hash)
        self.comparison = Comparison(ends=ends, value=value * 32)

    async def say(self, said: Compare | None = None) -> None:
        statement = said or self.comparison.statement()
        await self.peer.say(Ctl(items=(CtlItem(kind=CTL_COMPARE, body=statement.encode()),)))

    async def hear(self) -> Compare:
        """The vault's next statement."""
        while True:
            step = await self.peer.hear()
            if step is not None and step.ctl is not None:
                for item in step.ctl.items:
                    if item.kind == CTL_COMPARE:
                        said = Compare.decode(item.body)
                        self.comparison = self.comparison.heard(said)
                        return said

    @property
    def emoji(self) -> list[str]:
        return [TABLE[number][0] for number in self.comparison.pictures()]


@dataclass
class User:
    """The user of the vault under test."""

    vault: Vault
    who: str
    session: str = ""

    async def begin(self) -> dict[str, Any]:
        view = await self.vault.call("compare.begin", peer=self.who)
        self.session = view["session"]
        return view

    async def wait(self, state: str) -> dict[str, Any]:
        return await self.vault.call("compare.wait", peer=self.who, session=self.session, state=state, wait_ms=5000)

    async def answer(self, answer: str) -> dict[str, Any]:
        return await self.vault.call("compare.answer", peer=self.who, session=self.session, answer=answer)

    async def verified(self) -> bool:
        return bool((await self.vault.call("contact.show", peer=self.who))["verified"])

    async def events(self) -> list[str]:
        """Types of all events but the first, with the text of warnings."""
        found = (await self.vault.call("event.next", since=0, all=True))["events"]
        return [event.get("text", event["type"]) for event in found[1:]]


@asynccontextmanager
async def two(disk: SimDisk | None = None) -> AsyncIterator[tuple[User, Other]]:
    async with running(disk=disk) as vault:
        peer = Peer(vault)
        await peer.befriend()
        yield User(vault, user_id_text(peer.identity.user)), Other(peer)
        await trio.sleep(1)  # for what is still on its way


async def shown(user: User, other: Other) -> dict[str, Any]:
    """Both have begun, and look at the pictures."""
    await user.begin()
    await other.hear()
    await other.say()
    view = await user.wait("waiting")
    await other.hear()
    return view
