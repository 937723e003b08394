"""The damage rule in a whole vault: what the user sees, what the peer hears, and how it goes on."""

from dataclasses import replace

import pytest
import trio
from trio.testing import MockClock

from p2pchat.channel import padding
from p2pchat.channel.damage import REASON
from p2pchat.channel.phases import Ask
from p2pchat.delivery import body as bodies
from p2pchat.ids import DeviceId
from p2pchat.wire import boundary
from p2pchat.wire.checksum import md5
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import BODY_VOID, MessageBody, Rekey
from tests.support.peer_messages import say_resume, slot
from tests.support.vaults import Peer, Vault, running


def message(peer: Peer, number: int, text: str) -> MessageBody:
    return bodies.text_body(slot(peer, number), text)


def sealed(peer: Peer, body: MessageBody) -> bytes:
    peer.agreement, frame = peer.agreement.seal_body(body.encode(), bytes(24))
    return frame


def damaged(frame: bytes) -> bytes:
    return frame[:100] + bytes([frame[100] ^ 1]) + frame[101:]


def mended(frame: bytes) -> bytes:
    return frame[:-16] + md5(frame[:-16])


def badly_padded(content: bytes, length: int, check: bytes) -> bytes:
    return (len(content).to_bytes(4) + content + check).ljust(length, b"\1")


async def meet(vault: Vault, *, tail: int = 9) -> Peer:
    """A contact in its first epoch, whose queue is known."""
    peer = Peer(vault)
    await peer.befriend()
    await say_resume(peer, tail=tail)
    await trio.sleep(1)
    return peer


async def channel(vault: Vault) -> str:
    (contact,) = (await vault.call("contact.list"))["items"]
    return str(contact["channel"])


async def warnings(vault: Vault) -> list[str]:
    found = await vault.call("event.next", wait_ms=0, all=True, peek=True)
    return [event["text"] for event in found["events"] if event["type"] == "warning"]


async def texts(vault: Vault) -> list[str]:
    found = await vault.call("event.next", wait_ms=0, peek=True)
    return [event["text"] for event in found["events"]]


def rekeys(peer: Peer) -> list[int]:
    return [Rekey.decode(sent.body).reason for sent in peer.sends() if sent.kind == FrameType.REKEY]


async def fail_four_times(peer: Peer) -> None:
    for _ in range(4):
        await peer.send(FrameType.ENVELOPE, damaged(sealed(peer, message(peer, 1, "one"))))
        await trio.sleep(1)


async def test_a_message_that_stays_damaged_ends_in_the_serious_connection_error(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = await meet(vault)
        sent = await vault.call("send", to=[(await vault.call("contact.list"))["items"][0]["id"]], text="mine")
        for number in range(3):
            await peer.send(FrameType.ENVELOPE, damaged(sealed(peer, message(peer, 1, "one"))))
            await trio.sleep(1)
            assert await channel(vault) == "healing", number
        await peer.send(FrameType.ENVELOPE, damaged(sealed(peer, message(peer, 1, "one"))))
        await trio.sleep(1)
        assert await channel(vault) == "error"
        assert await warnings(vault) == [REASON] == ["Serious connection error"]
        assert rekeys(peer)[-1] == Ask.STOPPED
        (row,) = (await vault.call("outbox.list"))["items"]
        assert (row["message"], row["state"], row["reason"]) == (sent["message"], "queued", REASON)
        waited = await vault.call("message.wait", message=sent["message"], state="delivered", wait_ms=5000)
        assert waited["recipients"][0]["reason"] == REASON


async def test_messages_that_open_behind_it_do_not_hide_that_one_never_does(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = await meet(vault)
        for _ in range(4):
            await peer.send(FrameType.ENVELOPE, damaged(sealed(peer, message(peer, 1, "one"))))
            await peer.send(FrameType.ENVELOPE, sealed(peer, message(peer, 2, "two")))
            await trio.sleep(1)
        assert await channel(vault) == "error"
        assert await texts(vault) == []


async def test_four_messages_damaged_in_one_flight_are_one_try(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = await meet(vault)
        flight = [damaged(sealed(peer, message(peer, number, "x"))) for number in range(1, 6)]
        await vault.gate.say(*(peer.frame(FrameType.ENVELOPE, frame) for frame in flight))
        await trio.sleep(1)
        assert await channel(vault) == "healing"
        for number in range(1, 6):
            await peer.send(FrameType.ENVELOPE, sealed(peer, message(peer, number, str(number))))
        await trio.sleep(1)
        assert await channel(vault) == "ok"
        assert await texts(vault) == list("12345")


@pytest.mark.parametrize("wrong", ["device", "conversation", "number", "kind", "structure", "padding", "version"])
async def test_a_body_that_cannot_be_counts_and_costs_no_link(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    """It opened, so asking again is all that helps; for ever it must not come again."""
    async with running() as vault:
        peer = await meet(vault)
        good = message(peer, 1, "one")
        ill = {
            "device": replace(good, device=DeviceId(bytes(16))),
            "conversation": replace(good, conversation=bytes(16)),
            "number": replace(good, sequence=0),
            "kind": replace(good, kind=BODY_VOID),
        }
        for number in range(4):
            raw = ill[wrong].encode() if wrong in ill else good.encode()
            raw = b"\xc1" if wrong == "structure" else raw
            with monkeypatch.context() as patch:
                if wrong == "padding":
                    patch.setattr(padding, "pad", badly_padded)
                peer.agreement, frame = peer.agreement.seal_body(raw, bytes(24))
            await peer.send(FrameType.ENVELOPE, mended(b"\2" + frame[1:]) if wrong == "version" else frame)
            await trio.sleep(1)
            assert await channel(vault) == ("healing" if number < 3 else "error")
        assert not [cut for cut in vault.gate.all(boundary.Cut) if cut.link == peer.link]
        assert await texts(vault) == []


async def test_error_is_tried_again_after_a_minute_and_heals_with_the_message(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = await meet(vault)
        await fail_four_times(peer)
        assert await channel(vault) == "error"
        asked = len(peer.sends())
        await trio.sleep(50)
        assert len(peer.sends()) == asked
        await trio.sleep(100)
        assert len(peer.sends()) > asked
        await peer.converse_again()
        assert await channel(vault) == "healing"
        await peer.send(FrameType.ENVELOPE, sealed(peer, message(peer, 1, "one")))
        await trio.sleep(1)
        assert await channel(vault) == "ok"
        assert await texts(vault) == ["one"]


async def test_retry_does_not_wait(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = await meet(vault)
        await fail_four_times(peer)
        (contact,) = (await vault.call("contact.list"))["items"]
        tried = await vault.call("contact.retry", peer=contact["id"])
        assert (tried["channel"], tried["epoch"]) == ("healing", 1)
        await peer.converse_again()
        await peer.send(FrameType.ENVELOPE, sealed(peer, message(peer, 1, "one")))
        await trio.sleep(1)
        assert await texts(vault) == ["one"]
        assert (await vault.call("contact.show", peer=contact["id"]))["epoch"] == 2


async def test_retry_without_a_link_ends_the_wait_for_the_next_one(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = await meet(vault)
        await fail_four_times(peer)
        await peer.down()
        await trio.sleep(1)
        (contact,) = (await vault.call("contact.list"))["items"]
        asked = len(vault.gate.all(boundary.Want))
        assert (await vault.call("contact.retry", peer=contact["id"]))["channel"] == "healing"
        await vault.gate.wait(boundary.Want, lambda want: len(vault.gate.all(boundary.Want)) > asked)
        await peer.up()
        await peer.begin()
        await peer.converse()
        assert not rekeys(peer)


async def test_a_peer_that_stops_tells_the_sender_why_nothing_arrives(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = await meet(vault)
        (contact,) = (await vault.call("contact.list"))["items"]
        await vault.call("send", to=[contact["id"]], text="what the peer cannot open")
        await trio.sleep(1)
        await peer.send(FrameType.REKEY, Rekey(reason=Ask.STOPPED).encode())
        await trio.sleep(1)
        assert await channel(vault) == "error"
        assert await warnings(vault) == [REASON]
        (row,) = (await vault.call("outbox.list"))["items"]
        assert (row["state"], row["reason"]) == ("queued", REASON)
