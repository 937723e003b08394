"""A backlog of long texts: each turn makes what the gate has room for, not the whole window of the contact."""

import pytest
from trio.testing import MockClock

from p2pchat.ids import UserId
from p2pchat.limits import TEXT_BYTES
from p2pchat.store.outbox import Outgoing
from p2pchat.vault.flows import outflow
from p2pchat.wire.structs import CTL_RECEIPT, Ctl, CtlItem, MessageBody, Receipt
from tests.support.peer_messages import say_resume
from tests.support.vaults import Peer, running
from tests.unit.vault.test_sent import life_of_the_vaults_queue


async def test_a_body_is_not_made_again_and_again_while_it_waits_for_room(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = list[int]()

    def counted(message: Outgoing, own: UserId, peer: UserId) -> MessageBody:
        made.append(message.number)
        return make_body(message, own, peer)

    make_body = outflow.make_body
    count = 120
    async with running() as vault:
        peer = Peer(vault)
        await peer.befriend()
        life = await life_of_the_vaults_queue(peer)
        for _ in range(count):
            await vault.call("send", to=["peer"], text="x" * TEXT_BYTES)
        monkeypatch.setattr(outflow, "make_body", counted)
        await say_resume(peer, theirs=life)
        got = 0
        while got < count:
            step = await peer.hear()
            if step is not None and step.body is not None:
                got += 1
                receipt = Receipt(incarnation=life, delivered=got, read=0)
                await peer.say(Ctl(items=(CtlItem(kind=CTL_RECEIPT, body=receipt.encode()),)))
    assert set(made) == set(range(1, count + 1))
    assert len(made) < 2 * count
