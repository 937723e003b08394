"""Limits (protocol.md 14) in a whole vault: contacts are slowed, losing nothing; strangers are told."""

import pytest
import trio
from trio.testing import MockClock

from p2pchat.delivery import body as bodies
from p2pchat.delivery.pace import BURST_MS
from p2pchat.limits import BOUNDARY_WINDOW_FRAMES
from p2pchat.wire import boundary
from p2pchat.wire.boundary import Reason, Role
from p2pchat.wire.frames import FrameType
from p2pchat.wire.structs import CTL_ADDRESSES, Ctl, CtlItem
from tests.support.identities import NOW_MS, stored_identity
from tests.support.peer_messages import say_resume, slot
from tests.support.vaults import Peer, Vault, address_record, running

SLOW = 60  # messages a minute: 300 at once, then one a second
AT_ONCE = BURST_MS // 1000
WEEK_MS = 7 * 24 * 3600 * 1000


def envelope(peer: Peer, number: int, written_ms: int) -> boundary.Arrived:
    body = bodies.text_body(slot(peer, number, written_ms=written_ms), f"text {number}")
    peer.agreement, frame = peer.agreement.seal_body(body.encode(), bytes(24))
    return peer.frame(FrameType.ENVELOPE, frame)


async def feed(peer: Peer, *envelopes: boundary.Arrived) -> None:
    """As a gate does: no more under way than the window holds."""
    for frame in envelopes:
        with trio.fail_after(600):
            while frame.seq - taken(peer) > BOUNDARY_WINDOW_FRAMES:
                await peer.vault.gate._news.wait()
        await peer.vault.gate.say(frame)


def taken(peer: Peer) -> int:
    return max((took.seq for took in peer.vault.gate.all(boundary.Took) if took.link == peer.link), default=0)


async def texts(vault: Vault) -> list[str]:
    found: list[str] = []
    after = 0
    while page := (await vault.call("event.next", wait_ms=0, since=after))["events"]:
        found += [event["text"] for event in page if event["type"] == "message"]
        after = page[-1]["cursor"]
    return found


def now_ms(vault: Vault) -> int:
    return vault.clock.wall_ms()


async def test_a_contact_who_floods_is_slowed_and_loses_nothing(autojump_clock: MockClock) -> None:
    count = AT_ONCE + 800
    async with running(messages_per_minute=SLOW) as vault:
        peer = Peer(vault)
        await peer.befriend()
        await say_resume(peer, tail=count)
        began_s = trio.current_time()
        await feed(peer, *(envelope(peer, number, now_ms(vault)) for number in range(1, count + 1)))
        with trio.fail_after(1200):
            while taken(peer) < peer.seq:
                await vault.gate._news.wait()
        took_s = trio.current_time() - began_s
        assert 800 - 2 * BOUNDARY_WINDOW_FRAMES < took_s < 820
        assert await texts(vault) == [f"text {number}" for number in range(1, count + 1)]
        assert not vault.gate.all(boundary.Cut)


async def test_statements_that_cost_signature_checks_are_slowed_too(autojump_clock: MockClock) -> None:
    count = AT_ONCE + 400
    async with running(messages_per_minute=SLOW) as vault:
        peer = Peer(vault)
        await peer.befriend()
        began_s = trio.current_time()
        said = CtlItem(kind=CTL_ADDRESSES, body=address_record(peer.identity, sequence=NOW_MS + 1))
        frame = peer.agreement.seal_ctl(Ctl(items=(said,) * 16), bytes(24))  # sixteen times the same counts once
        await feed(peer, *(peer.frame(FrameType.CTL, frame) for _ in range(count)))
        with trio.fail_after(1200):
            while taken(peer) < peer.seq:
                await vault.gate._news.wait()
        assert 400 - BOUNDARY_WINDOW_FRAMES < trio.current_time() - began_s < 420
        assert not vault.gate.all(boundary.Cut)


async def test_a_week_s_backlog_is_no_flood(autojump_clock: MockClock) -> None:
    count = 2 * AT_ONCE
    async with running(messages_per_minute=SLOW) as vault:
        peer = Peer(vault)
        await peer.befriend()
        await peer.down()
        listed_ms = now_ms(vault)
        vault.clock.skew_ms = WEEK_MS
        await peer.up()
        await peer.begin()
        await peer.converse()
        await say_resume(peer, tail=count)
        began_s = trio.current_time()
        gap_ms = WEEK_MS // count
        await feed(peer, *(envelope(peer, number, listed_ms + number * gap_ms) for number in range(1, count + 1)))
        while taken(peer) < peer.seq:
            await vault.gate._news.wait()
        assert trio.current_time() - began_s < 5
        assert len(await texts(vault)) == count


async def test_what_waits_when_the_link_goes_counts_as_not_come(autojump_clock: MockClock) -> None:
    """Neither taken nor kept, so a flood gains nothing by hanging up; the sender has it and sends it again."""
    count = AT_ONCE + 3 * BOUNDARY_WINDOW_FRAMES
    async with running(messages_per_minute=SLOW) as vault:
        peer = Peer(vault)
        await peer.befriend()
        await say_resume(peer, tail=count)
        flood = [envelope(peer, number, now_ms(vault)) for number in range(1, count + 1)]
        with trio.move_on_after(5):
            await feed(peer, *flood)
        await trio.sleep(1)
        before = len(await texts(vault))
        assert AT_ONCE <= before < count
        await peer.down()
        await trio.sleep(120)
        assert len(await texts(vault)) == before
        assert await vault.lives()


async def test_strangers_beyond_the_limit_are_told_so_and_contacts_are_not(autojump_clock: MockClock) -> None:
    async with running(requests_per_hour=2) as vault:
        strangers = [Peer(vault, identity=stored_identity(index), role=Role.STRANGER) for index in (1, 2, 3)]
        for stranger in strangers:
            await stranger.up()
            await stranger.send(FrameType.REQUEST, stranger.request())
        cut = await strangers[2].cut()
        assert cut.reason == Reason.RATE_LIMITED
        assert [said.link for said in vault.gate.all(boundary.Cut)] == [strangers[2].link]
        friend = Peer(vault, identity=stored_identity(4))
        await friend.befriend()
        await trio.sleep(1800)  # half an hour gives one back
        await strangers[2].up()
        await strangers[2].send(FrameType.REQUEST, strangers[2].request())
        await trio.sleep(1)
        waiting = (await vault.call("contact.requests"))["items"]
        assert len(waiting) == 3


@pytest.mark.parametrize("limit", [0, 1])
async def test_no_limit_is_no_limit(limit: int, autojump_clock: MockClock) -> None:
    async with running(requests_per_hour=limit) as vault:
        peer = Peer(vault, role=Role.STRANGER)
        await peer.up()
        for _ in range(3):
            await peer.send(FrameType.REQUEST, peer.request())
        await trio.sleep(1)
        assert bool(vault.gate.all(boundary.Cut)) is bool(limit)
