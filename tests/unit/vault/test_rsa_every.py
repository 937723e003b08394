"""An RSA key in each message, in a whole vault: opened off the loop, paced, and for accepted contacts alone."""

import pytest
import trio
from trio.testing import MockClock

from p2pchat.keys.root import RootKey
from p2pchat.wire.checksum import md5
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import CTL_RECEIPT, CTL_RESUME, Ctl, CtlItem, MessageBody, Receipt, Resume
from tests.support.vaults import Peer, Vault, running
from tests.unit.vault.test_damage_rule import meet, message, texts

SECRET = b"s" * 32


@pytest.fixture
def operations(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Labels of the private operations that were done."""
    done: list[bytes] = []
    oaep_open = RootKey.oaep_open

    def counted(self: RootKey, ciphertext: bytes, label: bytes) -> bytes:
        done.append(label)
        return oaep_open(self, ciphertext, label)

    monkeypatch.setattr(RootKey, "oaep_open", counted)
    return done


async def send(peer: Peer, number: int, secret: bytes = SECRET) -> None:
    body = message(peer, number, str(number)).encode()
    peer.agreement, frame = peer.agreement.seal_body(body, bytes(24), secret)
    await peer.send(FrameType.ENVELOPE, frame)


async def test_messages_with_and_without_a_key_of_their_own_keep_their_order(
    autojump_clock: MockClock, operations: list[bytes]
) -> None:
    async with running() as vault:
        peer = await meet(vault)
        operations.clear()
        for number in range(1, 7):
            await send(peer, number, SECRET if number % 2 else b"")
        await trio.sleep(1)
        assert await texts(vault) == list("123456")
        assert len(operations) == 3
        assert all(label.startswith(b"p2pchat/1/rsa-message") for label in operations)


async def test_an_eager_peer_is_served_late_and_loses_nothing(autojump_clock: MockClock) -> None:
    """Twenty at once, twenty a second; meanwhile the vault answers its user."""
    async with running() as vault:
        peer = await meet(vault, tail=60)
        began_s = trio.current_time()
        for number in range(1, 51):
            await send(peer, number)
        assert await vault.call("status")
        while len(await texts(vault)) < 50:  # noqa: ASYNC110 - a user looks again
            await trio.sleep(0.05)
        assert 1.4 <= trio.current_time() - began_s <= 1.7
        assert await texts(vault) == [str(number) for number in range(1, 51)]


async def test_a_key_that_does_not_open_is_damage_like_any_other(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = await meet(vault)
        body = message(peer, 1, "one").encode()
        good = peer.agreement
        peer.agreement, frame = good.seal_body(body, bytes(24), SECRET)
        spoilt = frame[:50] + bytes([frame[50] ^ 1]) + frame[51:-16]
        await peer.send(FrameType.ENVELOPE, spoilt + md5(spoilt))
        await trio.sleep(1)
        (contact,) = (await vault.call("contact.list"))["items"]
        assert contact["channel"] == "healing"
        await peer.converse_again()
        await send(peer, 1)
        await trio.sleep(1)
        assert await texts(vault) == ["1"]


async def test_nobody_who_is_not_accepted_costs_a_private_operation(
    autojump_clock: MockClock, operations: list[bytes]
) -> None:
    """Offers and messages of a contact who still waits for an answer are not even looked at."""
    async with running() as vault:
        peer = await _friend_of_a_former_life(vault)
        operations.clear()
        await peer.up()
        await peer.send(FrameType.REQUEST, peer.request())
        body = message(peer, 1, "one").encode()
        peer.agreement, frame = peer.agreement.seal_body(body, bytes(24), SECRET)
        await peer.send(FrameType.ENVELOPE, frame)
        await trio.sleep(2)
        assert operations == []
        assert await texts(vault) == []


async def _friend_of_a_former_life(vault: Vault) -> Peer:
    """One with good keys, whom the user has removed."""
    peer = await meet(vault)
    (contact,) = (await vault.call("contact.list"))["items"]
    await vault.call("contact.remove", peer=contact["id"])
    await peer.down()
    await trio.sleep(1)
    return peer


async def test_every_own_message_bears_a_key_and_twenty_a_second_leave(autojump_clock: MockClock) -> None:
    async with running(rsa="every") as vault:
        peer = await meet(vault)
        (contact,) = (await vault.call("contact.list"))["items"]
        for number in range(50):
            await vault.call("send", to=[contact["id"]], text=str(number))
        began_s, came_s = trio.current_time(), list[float]()
        while len(came_s) < 50:
            if await answered(peer):
                came_s.append(trio.current_time() - began_s)
        assert all(sent.body[13] == 1 for sent in peer.sends() if sent.kind == FrameType.ENVELOPE)
        assert came_s[19] < 0.5
        assert 1.4 <= came_s[-1] <= 2.5


async def answered(peer: Peer) -> bool:
    """Hear the vault's next frame; of a message, say that it arrived."""
    step = await peer.hear()
    for item in step.ctl.items if step and step.ctl else ():
        if item.kind == CTL_RESUME:
            peer.life = Resume.decode(item.body).incarnation
    if step is None or step.body is None:
        return False
    receipt = Receipt(incarnation=peer.life, delivered=MessageBody.decode(step.body).sequence, read=0)
    await peer.say(Ctl(items=(CtlItem(kind=CTL_RECEIPT, body=receipt.encode()),)))
    return True
