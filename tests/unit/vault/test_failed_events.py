"""``event.failed``: failures are counted durably, and an event that no program takes holds up nothing."""

from typing import Any

from trio.testing import MockClock

from p2pchat.ids import user_id_text
from p2pchat.limits import EXEC_RETRIES
from tests.support.simdisk import SimDisk
from tests.support.vaults import Peer, Vault, running


async def after(vault: Vault, **params: object) -> dict[str, Any]:
    return await vault.call("event.next", all=True, **params)


async def test_failures_outlive_the_daemon(autojump_clock: MockClock) -> None:
    disk = SimDisk()
    async with running(disk=disk) as vault:
        await Peer(vault).befriend()
        (event, *_) = (await after(vault))["events"]
        told = await vault.call("event.failed", cursor=event["cursor"], tries=2)
        assert told == {"given_up": False}
        assert (await vault.call("event.failed", cursor=event["cursor"], tries=2)) == told, "told twice, counted once"
    async with running(disk=disk) as vault:
        assert (await after(vault))["tries"] == 2
        assert (await after(vault, reader="another"))["tries"] == 0
        assert (await after(vault, after=event["cursor"]))["tries"] == 0, "another event"


async def test_a_given_up_event_is_passed_and_told_with_the_way_back(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.befriend()
        (event,) = (await after(vault))["events"]
        assert event["type"] == "contact-accepted"
        for tries in range(1, EXEC_RETRIES + 1):
            assert not (await vault.call("event.failed", cursor=event["cursor"], tries=tries))["given_up"]
        last = {"cursor": event["cursor"], "tries": EXEC_RETRIES + 1}
        assert (await vault.call("event.failed", **last))["given_up"]
        assert (await vault.call("event.failed", **last))["given_up"], "asked again after a lost answer"
        (warning,) = (await after(vault))["events"]
        assert warning["type"] == "warning" and "from" not in warning
        assert f"p2pchat recv --since {event['cursor'] - 1} --all --limit 1 --exec PROGRAM" in warning["text"]
        assert (await after(vault))["tries"] == 0


async def test_a_program_that_fails_at_everything_breeds_no_warnings(autojump_clock: MockClock) -> None:
    async with running() as vault:
        await Peer(vault).befriend()
        for _ in range(5):
            events = (await after(vault))["events"]
            if not events:
                break
            await vault.call("event.failed", cursor=events[0]["cursor"], tries=EXEC_RETRIES + 1)
        assert [event["type"] for event in (await after(vault, since=0))["events"]] == ["contact-accepted", "warning"]


async def test_a_reader_of_one_contact_has_a_count_of_its_own(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.befriend()
        who = user_id_text(peer.identity.user)
        (event,) = (await after(vault, **{"from": who}))["events"]
        await vault.call("event.failed", cursor=event["cursor"], tries=3, **{"from": who})
        assert (await after(vault, **{"from": who}))["tries"] == 3
        assert (await after(vault))["tries"] == 0
