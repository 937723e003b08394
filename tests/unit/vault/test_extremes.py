"""A contact whose every word is well-formed, rightly sealed, and as large, small or odd as its structure allows."""

from itertools import count
from typing import Final

import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from p2pchat.delivery.body import pair_conversation
from p2pchat.ids import Incarnation, MessageId, user_id_text
from p2pchat.wire import boundary
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import Ctl, CtlItem, MessageBody, Profile, Receipt, Resume
from tests.support.vaults import Peer, Vault, running

MOST: Final = 2**63 - 1
NUMBERS: Final = st.sampled_from([0, 1, 2, 2**31, 2**53, 2**62, MOST - 1, MOST]) | st.integers(0, MOST)
LIVES: Final = st.sampled_from([b"i" * 8, bytes(8), b"\xff" * 8])
RESUMES: Final = st.builds(
    Resume,
    incarnation=LIVES.map(Incarnation),
    first=NUMBERS,
    tail=NUMBERS,
    have_incarnation=(LIVES | st.just(b"")).map(Incarnation),
    have=NUMBERS,
    have_message=st.sampled_from([b"", bytes(16), b"\xff" * 16, b"short"]),
)
RECEIPTS: Final = st.builds(Receipt, incarnation=LIVES.map(Incarnation), delivered=NUMBERS, read=NUMBERS)
PROFILES: Final = st.builds(
    Profile,
    nickname=st.text(max_size=60) | st.sampled_from(["\x1b]0;x\x07", "\u202e" * 20, "\ud7ff" * 80, "a\0b"]),
    avatar=st.sampled_from([b"", b"x", bytes(6144)]),
    avatar_md5=st.sampled_from([b"", bytes(16), b"x"]),
)
WORDS: Final = st.one_of(
    st.tuples(st.just(1), RESUMES.map(Resume.encode)),
    st.tuples(st.just(2), RECEIPTS.map(Receipt.encode)),
    st.tuples(st.just(4), PROFILES.map(Profile.encode)),
    st.tuples(st.integers(0, 255), st.binary(max_size=60)),
)
QUICK: Final = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None)


async def still_serves(vault: Vault, peer: Peer) -> None:
    """Every list can be read, the next link comes about, and a message goes out over it."""
    assert await vault.lives()
    who = user_id_text(peer.identity.user)
    await vault.call("event.next", wait_ms=0, all=True, peek=True, since=0)
    await vault.call("history", peer=who)
    await vault.call("outbox.list")
    await vault.call("contact.list")
    await vault.call("contact.show", peer=who)


async def up_again(vault: Vault, peer: Peer) -> None:
    await peer.down()
    await trio.sleep(0.1)
    await peer.up()
    await peer.begin()
    await peer.converse()


def was_cut(vault: Vault, peer: Peer) -> bool:
    return any(cut.link == peer.link for cut in vault.gate.all(boundary.Cut))


@QUICK
@given(words=st.lists(st.lists(WORDS, min_size=1, max_size=3), min_size=1, max_size=6))
def test_no_control_statement_ends_the_vault(words: list[list[tuple[int, bytes]]]) -> None:
    async def story() -> None:
        async with running() as vault:
            peer = Peer(vault)
            await peer.befriend()
            await vault.call("send", to=[user_id_text(peer.identity.user)], text="something to acknowledge")
            for items in words:
                if was_cut(vault, peer):
                    await up_again(vault, peer)
                content = Ctl(items=tuple(CtlItem(kind=kind, body=body) for kind, body in items))
                await peer.say(content)
                await trio.sleep(0.2)
            await still_serves(vault, peer)

    trio.run(story, clock=MockClock(autojump_threshold=0))


def bodies(peer: Peer) -> st.SearchStrategy[MessageBody]:
    """Anything that a body may hold; half of them with what the link itself demands."""
    return st.builds(
        MessageBody,
        message=st.integers(0, 3).map(lambda n: MessageId(n.to_bytes(16))),
        conversation=st.just(pair_conversation(peer.own.user, peer.identity.user)) | st.just(bytes(16)),
        clock=NUMBERS,
        sent_ms=NUMBERS,
        device=st.just(peer.identity.device.device),
        sequence=st.integers(0, 4) | NUMBERS,
        previous=st.just(bytes(16)),
        kind=st.integers(1, 3) | st.integers(0, 255),
        content_type=st.sampled_from(["text/plain", "", "x" * 64, "\x1b[2J"]),
        content=st.text(min_size=1, max_size=40).map(str.encode) | st.binary(max_size=40) | st.just(bytes(16)),
        reply_to=st.binary(max_size=16),
        thread_id=st.binary(max_size=16),
        expires_at_ms=NUMBERS,
        attachments=st.lists(st.binary(max_size=64), max_size=3).map(tuple),
    )


@QUICK
@given(data=st.data())
def test_no_message_ends_the_vault(data: st.DataObject) -> None:
    async def story() -> None:
        numbers = count(1)
        async with running() as vault:
            peer = Peer(vault)
            await peer.befriend()
            opening = Resume(
                incarnation=Incarnation(b"i" * 8), first=1, tail=9, have_incarnation=Incarnation(b""), have=0
            )
            await peer.say(Ctl(items=(CtlItem(kind=1, body=opening.encode()),)))
            for body in data.draw(st.lists(bodies(peer), min_size=1, max_size=6)):
                if was_cut(vault, peer):
                    await up_again(vault, peer)
                peer.agreement, frame = peer.agreement.seal_body(body.encode(), next(numbers).to_bytes(24))
                await peer.send(FrameType.ENVELOPE, frame)
                await trio.sleep(0.2)
            await still_serves(vault, peer)

    trio.run(story, clock=MockClock(autojump_threshold=0))
