"""What the user sees of somebody who was just blocked: no link, though the gate may still be cutting it."""

from trio.testing import MockClock

from p2pchat.ids import user_id_text
from p2pchat.wire.boundary import Reason
from tests.support.vaults import Peer, running


async def test_a_block_is_shown_without_a_link_and_cuts_it(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.befriend()
        who = user_id_text(peer.identity.user)
        assert (await vault.call("contact.show", peer=who))["path"] == "direct"
        blocked = await vault.call("contact.block", peer=who)
        assert (blocked["state"], blocked["path"], blocked["carrier"]) == ("blocked", "none", "none")
        assert (await peer.cut()).reason == Reason.UNWANTED
