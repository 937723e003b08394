"""What one peer does ends its own link at worst: never the vault, and never another link."""

from collections.abc import Callable
from dataclasses import replace

import apsw
import pytest
import trio
from trio.testing import MockClock

from p2pchat.delivery import body as bodies
from p2pchat.ids import MessageId
from p2pchat.keys.devices import DEVICE_SET_MS, make_device_set, verify_device_set
from p2pchat.keys.identity import Identity
from p2pchat.limits import ADDRESS_RECORD_BYTES
from p2pchat.vault.flows import channel, links
from p2pchat.vault.flows.links import PAIRINGS
from p2pchat.wire import boundary, codec
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import CTL_ADDRESSES, AddressRecord, Ctl, CtlItem, Signed
from tests.support.identities import NOW_MS, stored_identity
from tests.support.peer_messages import say_resume, slot
from tests.support.sim_env import SlowWork
from tests.support.vaults import Peer, running


def with_unusable_box() -> Identity:
    """An identity whose device set, rightly signed, lists an ML-KEM key to which nobody can seal."""
    good = stored_identity(1)
    record = replace(good.record, box_mlkem768=b"\xff" * 1184)
    raw = make_device_set(good.root, good.user, [record], not_after_ms=NOW_MS + DEVICE_SET_MS)
    return replace(good, devices=verify_device_set(raw, good.chain))


def record_with_more(identity: Identity, more: int) -> bytes:
    """A signed address record with ``more`` bytes of a field that no version knows yet."""
    record = AddressRecord(
        user=identity.user,
        device=identity.device.device,
        sequence=NOW_MS + 1,
        not_after_ms=NOW_MS + 10**9,
        addresses=(),
    )
    body = codec.pack([*record.as_list(), bytes(more)])
    return Signed(body=body, signature=identity.device.sign.sign(body)).encode()


def envelope(peer: Peer, number: int, text: str, message: bytes = b"") -> boundary.Arrived:
    place = slot(peer, number)
    body = bodies.text_body(replace(place, message=MessageId(message)) if message else place, text)
    peer.agreement, frame = peer.agreement.seal_body(body.encode(), bytes(24))
    return peer.frame(FrameType.ENVELOPE, frame)


async def test_box_keys_that_cannot_be_end_one_link_and_the_user_hears_of_it(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault, identity=with_unusable_box())
        await peer.add()
        await peer.up()
        await peer.cut()
        assert await vault.lives()
        found = await vault.call("event.next", wait_ms=0, all=True)
        assert [event["type"] for event in found["events"]] == ["warning"]


async def test_an_address_record_too_long_for_the_boundary_is_not_kept(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.befriend()
        record = record_with_more(peer.identity, ADDRESS_RECORD_BYTES)
        await peer.say(Ctl(items=(CtlItem(kind=CTL_ADDRESSES, body=record),)))
        await peer.cut()
        assert await vault.lives()
        assert all(record not in said.records for said in vault.gate.all(boundary.Peer))


async def test_an_address_record_of_a_later_version_is_kept(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.befriend()
        record = record_with_more(peer.identity, ADDRESS_RECORD_BYTES // 2)
        await peer.say(Ctl(items=(CtlItem(kind=CTL_ADDRESSES, body=record),)))
        await vault.gate.wait(boundary.Peer, lambda said: record in said.records)


async def test_a_disk_that_is_full_when_a_link_comes_up_ends_that_link(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise apsw.FullError("database or disk is full")

    async with running() as vault:
        peer = Peer(vault)
        await peer.befriend()
        await peer.down()
        with monkeypatch.context() as patch:
            patch.setattr(channel, "_begin", full)
            await peer.up()
            await peer.cut()
        assert await vault.lives()
        await peer.down()
        await peer.up()
        await peer.begin()
        await peer.converse()


async def test_what_a_link_still_holds_after_the_next_has_begun_is_left_to_that(autojump_clock: MockClock) -> None:
    """Else two links would move one ratchet."""
    async with running(db_work=SlowWork(lambda: 0.1)) as vault:
        peer = Peer(vault)
        await peer.befriend()
        await say_resume(peer, tail=2)
        await trio.sleep(2)
        await vault.gate.say(envelope(peer, 1, "while the link stands"))
        await trio.sleep(0.05)  # it is being stored
        await vault.gate.say(envelope(peer, 2, "too late"), peer.gone())
        await peer.up()
        await trio.sleep(2)
        found = await vault.call("event.next", wait_ms=0)
        assert [event["text"] for event in found["events"]] == ["while the link stands"]

        await peer.begin()
        await peer.converse()
        await say_resume(peer, tail=2)
        await vault.gate.say(envelope(peer, 2, "too late"))
        await trio.sleep(2)
        found = await vault.call("event.next", wait_ms=0)
        assert [event["text"] for event in found["events"]] == ["while the link stands", "too late"]


async def test_a_friendship_that_begins_with_a_links_last_words_goes_on_over_the_next(
    autojump_clock: MockClock,
) -> None:
    async with running(db_work=SlowWork(lambda: 0.1)) as vault:
        peer = Peer(vault)
        await peer.add()
        await peer.up()
        await trio.sleep(1)
        await vault.gate.say(peer.frame(FrameType.ANSWER, peer.answer()), peer.gone())
        await peer.up()
        await peer.begin()
        await vault.gate.wait(boundary.Send, said(peer, FrameType.HELLO), within_s=5)


async def test_a_peer_who_asks_and_does_not_read_loses_its_link(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "UNREAD_FRAMES", 16)
    monkeypatch.setattr(links, "PAIRINGS", 100)
    async with running() as vault:
        peer = Peer(vault)
        await peer.befriend()
        for _ in range(32):  # each is answered
            await peer.send(FrameType.REQUEST, peer.request())
            await trio.sleep(0.01)
        assert await vault.lives()
        assert not vault.gate.all(boundary.Cut)

        vault.gate.writes = False
        for _ in range(32):
            await peer.send(FrameType.REQUEST, peer.request())
            await trio.sleep(0.01)
        await peer.cut()
        assert await vault.lives()


async def test_a_stranger_who_asks_again_and_again_loses_its_link(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.up()
        for _ in range(PAIRINGS):
            await peer.send(FrameType.REQUEST, peer.request())
        assert await vault.lives()
        assert not vault.gate.all(boundary.Cut)
        await peer.send(FrameType.REQUEST, peer.request())
        await peer.cut()
        assert len((await vault.call("contact.requests"))["items"]) == 1


async def test_the_gate_learns_a_newer_device_set(autojump_clock: MockClock) -> None:
    """It leaves out what equals the pinned set, so it must not hold an older one than the vault."""
    async with running() as vault:
        peer = Peer(vault)
        await peer.befriend()
        await peer.down()
        old = peer.identity.devices
        raw = make_device_set(
            peer.identity.root,
            peer.identity.user,
            old.records,
            sequence=old.sequence + 1,
            prev=old.set_hash,
            not_after_ms=NOW_MS + 2 * DEVICE_SET_MS,
        )
        peer.identity = replace(peer.identity, devices=verify_device_set(raw, peer.identity.chain))
        await peer.up()
        await vault.gate.wait(boundary.Peer, lambda said: said.device_set == raw)


def said(peer: Peer, kind: FrameType) -> Callable[[boundary.Send], bool]:
    return lambda sent: sent.link == peer.link and sent.kind == kind


async def test_who_sends_an_own_message_s_id_back_keeps_nobody_from_withdrawing_it(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.befriend()
        await say_resume(peer, tail=1)
        sent = await vault.call("send", to=["peer"], text="a slip", idempotency_key="once")
        await vault.gate.say(envelope(peer, 1, "an echo", bytes.fromhex(sent["message"])))
        await trio.sleep(1)
        shown = await vault.call("message.show", message=sent["message"])
        assert [row["state"] for row in shown["recipients"]] == ["sent"]
        again = await vault.call("send", to=["peer"], text="a slip", idempotency_key="once")
        assert len(again["recipients"]) == 1
        withdrawn = await vault.call("message.withdraw", message=sent["message"])
        assert (withdrawn["direction"], withdrawn["text"]) == ("out", "")
        rows = (await vault.call("history", peer="peer"))["items"]
        assert {(row["direction"], row["text"]) for row in rows} == {("out", ""), ("in", "an echo")}
