"""``sent`` never tells more than is true, also where the queue begins a new life between sealing and writing."""

import trio
from trio.testing import MockClock

from p2pchat.ids import Incarnation
from p2pchat.wire import boundary
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import CTL_RESUME, Resume
from tests.support.peer_messages import say_resume
from tests.support.vaults import Peer, Vault, running


async def states(vault: Vault) -> list[str]:
    return [row["state"] for row in (await vault.call("outbox.list"))["items"]]


async def life_of_the_vaults_queue(peer: Peer) -> Incarnation:
    while True:
        step = await peer.hear()
        for item in step.ctl.items if step and step.ctl else ():
            if item.kind == CTL_RESUME:
                return Resume.decode(item.body).incarnation


async def test_what_a_former_life_of_the_queue_wrote_is_not_sent_in_this_one(
    autojump_clock: MockClock,
) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.befriend()
        life = await life_of_the_vaults_queue(peer)
        await say_resume(peer, have=0, theirs=life)
        await trio.sleep(1)
        (contact,) = (await vault.call("contact.list"))["items"]
        vault.gate.writes = False
        for text in ("one", "two"):
            await vault.call("send", to=[contact["id"]], text=text)
        await trio.sleep(1)
        assert await states(vault) == ["queued", "queued"]
        await say_resume(peer, have=7, theirs=life)  # the vault runs on an old copy: one and two are numbered anew
        await trio.sleep(1)
        last = peer.sends()[-1]
        await vault.gate.say(boundary.Sent(link=last.link, seq=last.seq))  # all, also the envelopes of the former life
        await peer.send(FrameType.REKEY if not peer.agreement.channel.parties.own_is_lo else FrameType.OFFER, b"\x90")
        await trio.sleep(1)
        assert await states(vault) == ["queued", "queued"]
