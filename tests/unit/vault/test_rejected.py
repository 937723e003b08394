"""A rejected person is not heard of for 30 days; the user's own word is the way back."""

from base64 import b64encode

from trio.testing import MockClock

from p2pchat.ids import user_id_text
from p2pchat.vault.flows.pair import REJECTED_MS
from p2pchat.wire.frames import FrameType
from tests.support.vaults import Peer, Vault, running


async def asking(vault: Vault) -> list[str]:
    return [row["id"] for row in (await vault.call("contact.requests"))["items"]]


async def ask(peer: Peer) -> None:
    await peer.up()
    await peer.send(FrameType.REQUEST, peer.request())
    assert await peer.vault.lives()
    await peer.down()


async def test_it_is_silent_for_thirty_days_and_then_asks_again(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        name = user_id_text(peer.identity.user)
        await ask(peer)
        assert await asking(vault) == [name]
        await vault.call("contact.reject", id=name)
        for days_ms, listed in ((0, []), (REJECTED_MS - 10_000, []), (REJECTED_MS, [name])):
            vault.clock.skew_ms = days_ms
            await ask(peer)
            assert await asking(vault) == listed


async def test_its_card_makes_a_contact_of_it_at_once(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        name = user_id_text(peer.identity.user)
        await ask(peer)
        await vault.call("contact.reject", id=name)
        await vault.call("contact.add", card=b64encode(peer.card()).decode())
        await ask(peer)
        assert (await vault.call("contact.show", peer=name))["state"] == "accepted"
