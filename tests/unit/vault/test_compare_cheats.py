"""Comparing keys with a peer who cheats, or guesses."""

from dataclasses import replace

import pytest
import trio
from trio.testing import MockClock

from p2pchat.contacts.compare import Verdict
from p2pchat.errors import AuthFailed, Failed, RateLimited
from p2pchat.limits import COMPARISONS_A_DAY
from p2pchat.wire.structs import Compare
from tests.support.comparing import shown, two
from tests.support.simdisk import SimDisk
from tests.support.vaults import running

# --- a peer who cheats ------------------------------------------------------------------------------------------------


async def test_a_value_that_was_not_committed_to(autojump_clock: MockClock) -> None:
    async with two() as (user, other):
        await user.begin()
        await other.hear()
        await other.say(replace(other.comparison.statement(), value=b"x" * 32))
        with pytest.raises(AuthFailed, match="does not fit its commitment"):
            await user.wait("waiting")
        with pytest.raises(AuthFailed):
            await user.answer("yes")
        said = await other.hear()
        assert (said.verdict, said.value) == (Verdict.ENDED, b""), "my value stays mine"
        assert "does not fit" in (await user.events())[0]
        assert not await user.verified()


async def test_my_own_commitment_sent_back(autojump_clock: MockClock) -> None:
    async with two() as (user, other):
        await user.begin()
        await other.say(await other.hear())
        with pytest.raises(AuthFailed, match="own commitment back"):
            await user.wait("waiting")


async def test_another_commitment_once_my_value_is_out(autojump_clock: MockClock) -> None:
    async with two() as (user, other):
        await user.begin()
        await other.hear()
        await other.say(replace(other.comparison.statement(), seen=b"", value=b""))
        await other.hear()
        other.anew(b"p")
        await other.say()
        with pytest.raises(Failed, match="began anew after it had this side's value"):
            await user.wait("waiting")


async def test_old_statements_of_this_link_count_for_nothing(autojump_clock: MockClock) -> None:
    async with two() as (user, other):
        await shown(user, other)
        old = other.comparison.statement()
        await user.answer("cancel")
        await user.begin()
        await other.say(old)
        await trio.sleep(1)
        assert (await user.wait("done"))["state"] == "waiting"


@pytest.mark.parametrize(
    "said",
    [
        Compare(commitment=b"c" * 32, seen=b"", value=b"v" * 32, verdict=0),
        Compare(commitment=b"c" * 32, seen=b"s" * 32, value=b"v" * 32, verdict=9),
    ],
)
async def test_a_statement_that_cannot_be_cuts_the_link(autojump_clock: MockClock, said: Compare) -> None:
    async with two() as (user, other):
        await other.say(said)
        await other.peer.cut()
        assert await user.vault.lives()


async def test_few_guesses_a_day_and_restarts_do_not_help(autojump_clock: MockClock) -> None:
    disk = SimDisk()
    async with two(disk) as (user, other):
        for number in range(COMPARISONS_A_DAY):
            other.anew(bytes([number]))
            await shown(user, other)
            await user.answer("cancel")
            await other.hear()
        with pytest.raises(RateLimited, match="5 times within a day"):
            await user.begin()
    async with running(disk=disk) as vault:
        user.vault = vault
        with pytest.raises(RateLimited):
            await user.begin()
        vault.clock.skew_ms += 24 * 3600 * 1000
        assert (await user.begin())["state"] == "waiting"


async def test_waiting_in_vain_is_no_guess(autojump_clock: MockClock) -> None:
    async with two() as (user, other):
        for _ in range(COMPARISONS_A_DAY + 1):
            await user.begin()
            assert (await other.hear()).value == b""
            await user.answer("cancel")
            await other.hear()
