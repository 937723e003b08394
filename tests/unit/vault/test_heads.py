"""Contacts compare which keys they hold of people whom both know."""

from dataclasses import replace
from hmac import digest as hmac

from trio.testing import MockClock

from p2pchat.channel.ctl import open_with
from p2pchat.ids import user_id_text
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import CTL_HEADS, Ctl, CtlItem, Head, Heads
from tests.support.identities import stored_identity
from tests.support.vaults import Peer, Vault, running

BEN, EVE = stored_identity(1), stored_identity(2)


async def warnings(vault: Vault) -> list[str]:
    found = await vault.call("event.next", wait_ms=0, all=True, peek=True, since=0)
    return [event["text"] for event in found["events"] if event["type"] == "warning"]


async def two_friends(vault: Vault) -> tuple[Peer, Peer]:
    ben, eve = Peer(vault), Peer(vault, identity=EVE)
    await ben.befriend()
    await eve.befriend()
    assert await vault.lives()
    return ben, eve


def current(peer: Peer) -> tuple[bytes, bytes]:
    """The ctl keys that the peer sends and receives with."""
    epoch = peer.agreement.state.current
    assert epoch is not None
    return epoch.ctl_send, epoch.ctl_receive


async def tell(peer: Peer, *heads: Head) -> None:
    await peer.say(Ctl(items=(CtlItem(kind=CTL_HEADS, body=Heads(heads=heads).encode()),)))


def mark(key: bytes, user: bytes) -> bytes:
    return hmac(key, user, "sha256")[:16]


async def test_another_key_of_somebody_whom_both_know_is_told_once(autojump_clock: MockClock) -> None:
    async with running() as vault:
        ben, _eve = await two_friends(vault)
        key = current(ben)[0]
        same = Head(mark=mark(key, EVE.user), head=EVE.chain.head)
        strangers = Head(mark=mark(key, stored_identity(3).user), head=bytes(32))
        await tell(ben, same, strangers, Head(mark=mark(key, BEN.user), head=bytes(32)))
        assert await vault.lives()
        assert await warnings(vault) == []
        for _ in range(2):
            await tell(ben, replace(same, head=bytes(32)))
        assert await vault.lives()
        (text,) = await warnings(vault)
        assert user_id_text(BEN.user)[:11] in text
        assert f"contact verify {user_id_text(EVE.user)[:11]}" in text


async def test_each_friend_hears_of_the_others_and_not_of_himself(autojump_clock: MockClock) -> None:
    for share in (True, False):
        async with running(share_heads=share) as vault:
            ben, eve = await two_friends(vault)
            await ben.down()
            await ben.up()
            await ben.begin()
            await ben.converse()
            assert await vault.lives()
            frames = [sent.body for sent in ben.sends() if sent.kind == FrameType.CTL]
            said = [item for frame in frames for item in open_with(current(ben)[1], ben.link_hash, frame).items]
            told = [item.body for item in said if item.kind == CTL_HEADS]
            expected = [Head(mark=mark(current(ben)[1], eve.identity.user), head=EVE.chain.head)]
            assert [Heads.decode(body).heads for body in told] == ([tuple(expected)] if share else [])
