"""Attacks by their names against a whole vault, from peers and from a gate that has turned."""

import ast
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from trio.testing import MockClock

from p2pchat.channel import ctl as control
from p2pchat.delivery.body import pair_conversation
from p2pchat.ids import Incarnation, MessageId, user_id_text
from p2pchat.keys.devices import make_device_set
from p2pchat.keys.identity import Identity
from p2pchat.store import contacts
from p2pchat.store.tx import Tx
from p2pchat.wire import boundary
from p2pchat.wire.checksum import md5
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import (
    CTL_PROFILE,
    CTL_RECEIPT,
    CTL_RESUME,
    Ctl,
    CtlItem,
    MessageBody,
    Profile,
    Receipt,
    Resume,
)
from tests.support.identities import stored_identity
from tests.support.peer_messages import say_resume
from tests.support.vaults import Peer, Vault, running

SOURCES: Final = Path(__file__).parents[3] / "p2pchat"
NEVER: Final = Incarnation(b"")


async def queued(vault: Vault, peer: Peer, text: str) -> None:
    await vault.call("send", to=[user_id_text(peer.identity.user)], text=text)


def envelopes(peer: Peer) -> list[boundary.Send]:
    return [sent for sent in peer.sends() if sent.kind == FrameType.ENVELOPE]


# --- 23: retransmission to a new key (WhatsApp) ---------------------------------------------------------------------


def under_a_strange_root(good: Identity) -> Identity:
    """The ID's own objects, but the device set is signed by somebody else's root: as a server would swap keys."""
    thief = stored_identity(2)
    raw = make_device_set(
        thief.root,
        good.user,
        [replace(thief.record, user=good.user)],
        sequence=good.devices.sequence + 1,
        prev=good.devices.set_hash,
        not_after_ms=good.devices.not_after_ms,
    )
    return replace(thief, user=good.user, chain=good.chain, devices=replace(good.devices, raw=raw))


async def test_what_waits_is_never_sent_to_a_key_that_the_pinned_root_did_not_sign(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.befriend()
        await say_resume(peer)
        await peer.down()
        await queued(vault, peer, "for her eyes only")

        honest, peer.identity = peer.identity, under_a_strange_root(peer.identity)
        await peer.up()
        await peer.send(FrameType.ANSWER, peer.answer())
        await peer.begin()
        await peer.cut()
        assert await vault.lives()
        assert not envelopes(peer)

        peer.identity = honest
        await peer.up()
        await peer.begin()
        await peer.converse()
        await say_resume(peer)
        assert await vault.lives()
        assert len(envelopes(peer)) == 1


# --- 24: forged receipts --------------------------------------------------------------------------------------------


async def states(vault: Vault) -> list[str]:
    return [message["state"] for message in (await vault.call("outbox.list"))["items"]]


async def life_of_queue(peer: Peer) -> Incarnation:
    """The incarnation of the vault's queue to ``peer``, out of the Resume that it said."""
    for sent in peer.sends():
        if sent.kind == FrameType.CTL:
            said = peer.agreement.ctl_received(sent.body, peer.moment()).ctl
            for item in said.items if said else ():
                if item.kind == CTL_RESUME:
                    return Resume.decode(item.body).incarnation
    raise AssertionError("the vault said no Resume")


def receipt(life: Incarnation, number: int) -> Ctl:
    said = Receipt(incarnation=life, delivered=number, read=number)
    return Ctl(items=(CtlItem(kind=CTL_RECEIPT, body=said.encode()),))


async def test_nobody_but_the_recipients_device_acknowledges_a_message(autojump_clock: MockClock) -> None:
    """Another contact, the gate without the epoch's keys, and a right receipt played back on another link."""
    async with running() as vault:
        ben, eve = Peer(vault), Peer(vault, identity=stored_identity(2))
        await ben.befriend()
        await eve.befriend()
        await queued(vault, ben, "to ben")
        await say_resume(ben)
        assert await vault.lives()
        assert len(envelopes(ben)) == 1
        life = await life_of_queue(ben)
        waiting = await states(vault)
        assert len(waiting) == 1

        await eve.say(receipt(life, 1))  # the right words, sealed by the wrong contact
        assert await vault.lives()
        assert await states(vault) == waiting

        right = ben.agreement.seal_ctl(receipt(life, 1), bytes(24))
        await ben.down()
        await ben.up()
        await ben.begin()
        await ben.converse()
        await ben.send(FrameType.CTL, right)  # sealed for the link before
        forged = control.seal(ben.agreement.state.epoch_id, bytes(32), ben.link_hash, receipt(life, 1), bytes(24))
        await ben.send(FrameType.CTL, forged)  # by who knows the link alone
        assert await vault.lives()
        assert await states(vault) == waiting


async def test_the_right_receipt_acknowledges(autojump_clock: MockClock) -> None:
    """The control of the test above."""
    async with running() as vault:
        ben = Peer(vault)
        await ben.befriend()
        await queued(vault, ben, "to ben")
        await say_resume(ben)
        assert await vault.lives()
        await ben.say(receipt(await life_of_queue(ben), 1))
        assert await vault.lives()
        assert await states(vault) == []


# --- 31: two things with one MD5 ------------------------------------------------------------------------------------

# Published by Wang, Feng, Lai and Yu in 2004 (ePrint 2004/199): two blocks that differ in six bytes, one MD5.
_WANG: Final = (
    "d131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f89"
    "55ad340609f4b30283e488832571415a085125e8f7cdc99fd91dbdf280373c5b"
    "d8823e3156348f5bae6dacd436c919c6dd53e2b487da03fd02396306d248cda0"
    "e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70"
)
_FLIPPED: Final = (19, 45, 59, 83, 109, 123)  # in these bytes the other one has the top bit the other way


def twins() -> tuple[bytes, bytes]:
    one = bytes.fromhex(_WANG)
    other = bytearray(one)
    for at in _FLIPPED:
        other[at] ^= 0x80
    return one, bytes(other)


def test_the_twins_are_twins() -> None:
    one, other = twins()
    assert one != other
    assert md5(one) == md5(other)
    assert md5(one + b"more") == md5(other + b"more")


async def test_a_picture_with_the_md5_of_another_takes_its_place(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MD5 tells damage from health; it never says 'you have this already'."""
    kept: list[bytes] = []
    keep = contacts.set_avatar

    def watched(tx: Tx, contact: int, avatar: bytes, now_ms: int) -> None:
        keep(tx, contact, avatar, now_ms)
        kept.append(contacts.avatar(tx, contact))

    monkeypatch.setattr(contacts, "set_avatar", watched)
    async with running() as vault:
        peer = Peer(vault)
        await peer.befriend()
        for picture in twins():
            about = Profile(nickname="peer", avatar=picture, avatar_md5=md5(picture))
            await peer.say(Ctl(items=(CtlItem(kind=CTL_PROFILE, body=about.encode()),)))
        assert await vault.lives()
    assert kept == list(twins())


async def test_a_message_with_the_md5_of_another_is_not_taken_for_it(autojump_clock: MockClock) -> None:
    """The same id with another content: the first is kept and the user is told, whatever the checksums say."""
    async with running() as vault:
        peer = Peer(vault)
        await peer.befriend()
        await say_resume(peer, tail=2)
        for number, content in enumerate(twins(), 1):
            await say_again(peer, number, content)
        assert await vault.lives()
        found = await vault.call("event.next", wait_ms=0, all=True)
        kinds = [event["type"] for event in found["events"]]
        assert kinds.count("message") == 1
        assert "warning" in kinds


async def say_again(peer: Peer, number: int, content: bytes) -> None:
    """A message of a kind that a later version may have, always under the same id."""
    body = MessageBody(
        message=MessageId(bytes(16)),
        conversation=pair_conversation(peer.own.user, peer.identity.user),
        clock=number,
        sent_ms=number,
        device=peer.identity.device.device,
        sequence=number,
        previous=bytes(16),
        kind=99,
        content_type="",
        content=content,
        reply_to=b"",
        thread_id=b"",
        expires_at_ms=0,
        attachments=(),
    )
    peer.agreement, frame = peer.agreement.seal_body(body.encode(), number.to_bytes(24))
    await peer.send(FrameType.ENVELOPE, frame)


def test_nothing_is_decided_by_the_md5_of_a_key() -> None:
    """It is printed, and read by nobody: its only uses are the three places that show one's own."""
    users = {
        path.relative_to(SOURCES).as_posix()
        for path in SOURCES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "pubkey_md5"
    }
    assert users == {"commands/new_home.py", "vault/methods/key.py", "vault/methods/own.py"}
