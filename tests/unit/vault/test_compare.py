"""Comparing keys live, as the daemon does it: with a peer who goes along, breaks off, cheats, or is cut off."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from p2pchat.contacts.compare import Comparison, End, Ends, Verdict
from p2pchat.contacts.emoji import TABLE
from p2pchat.errors import AuthFailed, ConnectionLost, Failed, RateLimited
from p2pchat.ids import user_id_text
from p2pchat.keys.identity import Identity
from p2pchat.limits import COMPARISONS_A_DAY
from p2pchat.wire.structs import CTL_COMPARE, Compare, Ctl, CtlItem
from tests.support.simdisk import SimDisk
from tests.support.vaults import Peer, Vault, running


def end(identity: Identity) -> End:
    return End(identity.user, identity.chain.root.spki_hash)


@dataclass
class Other:
    """The person at the other end, whose comparison the test moves."""

    peer: Peer
    comparison: Comparison = field(init=False)

    def __post_init__(self) -> None:
        self.anew(b"o")

    def anew(self, value: bytes) -> None:
        ends = Ends(end(self.peer.identity), end(self.peer.own), self.peer.link_hash)
        self.comparison = Comparison(ends=ends, value=value * 32)

    async def say(self, said: Compare | None = None) -> None:
        statement = said or self.comparison.statement()
        await self.peer.say(Ctl(items=(CtlItem(kind=CTL_COMPARE, body=statement.encode()),)))

    async def hear(self) -> Compare:
        """The vault's next statement."""
        while True:
            step = await self.peer.hear()
            if step is not None and step.ctl is not None:
                for item in step.ctl.items:
                    if item.kind == CTL_COMPARE:
                        said = Compare.decode(item.body)
                        self.comparison = self.comparison.heard(said)
                        return said

    @property
    def emoji(self) -> list[str]:
        return [TABLE[number][0] for number in self.comparison.pictures()]


@dataclass
class User:
    """The user of the vault under test."""

    vault: Vault
    who: str
    session: str = ""

    async def begin(self) -> dict[str, Any]:
        view = await self.vault.call("compare.begin", peer=self.who)
        self.session = view["session"]
        return view

    async def wait(self, state: str) -> dict[str, Any]:
        return await self.vault.call("compare.wait", peer=self.who, session=self.session, state=state, wait_ms=5000)

    async def answer(self, answer: str) -> dict[str, Any]:
        return await self.vault.call("compare.answer", peer=self.who, session=self.session, answer=answer)

    async def verified(self) -> bool:
        return bool((await self.vault.call("contact.show", peer=self.who))["verified"])

    async def events(self) -> list[str]:
        """Types of all events but the first, with the text of warnings."""
        found = (await self.vault.call("event.next", since=0, all=True))["events"]
        return [event.get("text", event["type"]) for event in found[1:]]


@asynccontextmanager
async def two(disk: SimDisk | None = None) -> AsyncIterator[tuple[User, Other]]:
    async with running(disk=disk) as vault:
        peer = Peer(vault)
        await peer.befriend()
        yield User(vault, user_id_text(peer.identity.user)), Other(peer)
        await trio.sleep(1)  # for what is still on its way


async def shown(user: User, other: Other) -> dict[str, Any]:
    """Both have begun, and look at the pictures."""
    await user.begin()
    await other.hear()
    await other.say()
    view = await user.wait("waiting")
    await other.hear()
    return view


async def test_both_say_yes(autojump_clock: MockClock) -> None:
    async with two() as (user, other):
        view = await user.begin()
        assert (view["state"], view["online"], view["emoji"]) == ("waiting", True, [])
        said = await other.hear()
        assert (said.seen, said.value) == (b"", b""), "nothing is given away yet"
        await other.say()
        view = await user.wait("waiting")
        assert view["state"] == "shown"
        await other.hear()
        assert [one["emoji"] for one in view["emoji"]] == other.emoji
        assert not await user.verified(), "a person decides"
        view = await user.answer("yes")
        assert (view["state"], view["answer"], view["peer_answer"]) == ("answered", "yes", "none")
        assert view["verified"] and await user.verified()
        assert (await other.hear()).verdict == Verdict.YES
        other.comparison = other.comparison.answered(Verdict.YES)
        await other.say()
        view = await user.wait("answered")
        assert (view["state"], view["peer_answer"]) == ("done", "yes")
        assert await user.events() == ["contact-verified"]


async def test_an_invitation_is_told_once_and_taken_up(autojump_clock: MockClock) -> None:
    async with two() as (user, other):
        await user.vault.call("contact.alias", peer=user.who, alias="ben")
        await other.say()
        await trio.sleep(1)
        other.anew(b"p")
        await other.say()
        await trio.sleep(1)
        told = "ben wants to compare keys now; to do so type: p2pchat contact verify ben --live"
        assert await user.events() == [told], "at most once a minute"
        await user.begin()
        said = await other.hear()
        assert said.seen == other.comparison.commitment and len(said.value) == 32
        await other.say()
        view = await user.wait("waiting")
        assert [one["emoji"] for one in view["emoji"]] == other.emoji


async def test_an_invitation_that_was_taken_back_is_forgotten(autojump_clock: MockClock) -> None:
    async with two() as (user, other):
        await other.say()
        other.comparison = other.comparison.answered(Verdict.ENDED)
        await other.say()
        await trio.sleep(1)
        await user.begin()
        assert (await other.hear()).seen == b""


async def test_a_no_takes_trust_away_here_and_there(autojump_clock: MockClock) -> None:
    async with two() as (user, other):
        await shown(user, other)
        await user.answer("yes")
        await other.hear()
        other.comparison = other.comparison.answered(Verdict.NO)
        await other.say()
        view = await user.wait("answered")
        assert (view["state"], view["peer_answer"], view["verified"]) == ("done", "no", False)
        verified, warning = await user.events()
        assert verified == "contact-verified"
        assert warning.startswith("the contact says that the pictures") and "somebody may stand between" in warning


async def test_the_other_no_may_come_first(autojump_clock: MockClock) -> None:
    async with two() as (user, other):
        await shown(user, other)
        other.comparison = other.comparison.answered(Verdict.NO)
        await other.say()
        await trio.sleep(1)
        assert (await user.answer("yes"))["state"] == "done"
        assert not await user.verified()


async def test_my_no_is_told_there_and_takes_trust_away_here(autojump_clock: MockClock) -> None:
    async with two() as (user, other):
        await shown(user, other)
        await user.answer("yes")
        await other.hear()
        assert await user.verified()
        other.anew(b"p")
        await shown(user, other)
        view = await user.answer("no")
        assert (view["answer"], view["verified"]) == ("no", False)
        assert (await other.hear()).verdict == Verdict.NO
        assert (await user.events())[-1].startswith("you said that the pictures")


async def test_answers_are_given_once(autojump_clock: MockClock) -> None:
    async with two() as (user, other):
        await user.begin()
        with pytest.raises(Failed, match="nothing to answer yet"):
            await user.answer("yes")
        await other.hear()
        await other.say()
        await user.wait("waiting")
        first = await user.answer("yes")
        assert await user.answer("yes") == first, "asked again after a lost answer"
        assert await user.answer("cancel") == first, "there is nothing to break off"
        with pytest.raises(Failed, match="its answer already"):
            await user.answer("no")
        user.session = "0" * 16
        with pytest.raises(Failed, match="not under way any more"):
            await user.answer("no")


# --- breaking off -----------------------------------------------------------------------------------------------------


async def test_cancelling_is_told(autojump_clock: MockClock) -> None:
    async with two() as (user, other):
        await user.begin()
        await other.hear()
        assert (await user.answer("cancel"))["state"] == "waiting"
        assert (await other.hear()).verdict == Verdict.ENDED
        with pytest.raises(Failed, match="not under way"):
            await user.wait("waiting")
        assert await user.events() == [] and not await user.verified()


async def test_the_other_side_breaks_off(autojump_clock: MockClock) -> None:
    async with two() as (user, other):
        await user.begin()
        await other.hear()
        await other.say(replace(other.comparison.statement(), seen=b"", value=b""))
        await trio.sleep(1)
        other.comparison = other.comparison.answered(Verdict.ENDED)
        await other.say()
        with pytest.raises(Failed, match="broke it off"):
            await user.wait("waiting")
        assert await user.events() == [], "that is no reason to worry"


async def test_a_second_begin_takes_the_place_of_the_first(autojump_clock: MockClock) -> None:
    async with two() as (user, other):
        await user.begin()
        first = await other.hear()
        before = user.session
        await user.begin()
        assert (await other.hear()).verdict == Verdict.ENDED
        second = await other.hear()
        assert second.commitment != first.commitment
        user.session = before
        with pytest.raises(Failed, match="not under way"):
            await user.wait("waiting")


@pytest.mark.parametrize(("look", "seconds"), [(False, 90), (True, 600)])
async def test_a_program_that_has_gone_is_noticed(autojump_clock: MockClock, look: bool, seconds: int) -> None:
    async with two() as (user, other):
        if look:
            await shown(user, other)
        else:
            await user.begin()
            await other.hear()
        await trio.sleep(seconds - 20)
        assert await user.wait("done")
        await trio.sleep(seconds - 10)
        assert await user.wait("done"), "each time it asks it has that long again"
        await trio.sleep(seconds + 10)
        with pytest.raises(Failed, match="not under way"):
            await user.wait("waiting")
        assert (await other.hear()).verdict == Verdict.ENDED


# --- links ------------------------------------------------------------------------------------------------------------


async def relinked(other: Other) -> None:
    await other.peer.down()
    await other.peer.up()
    await other.peer.begin()
    await other.peer.converse()
    other.anew(b"q")


async def test_before_a_value_was_said_the_next_link_will_do(autojump_clock: MockClock) -> None:
    async with two() as (user, other):
        await user.begin()
        first = await other.hear()
        await relinked(other)
        second = await other.hear()
        assert second.commitment != first.commitment and second.value == b""
        await other.say()
        assert (await user.wait("waiting"))["state"] == "shown"


async def test_one_may_begin_before_there_is_a_link(autojump_clock: MockClock) -> None:
    async with two() as (user, other):
        await other.peer.down()
        await trio.sleep(1)
        assert not (await user.begin())["online"]
        await other.peer.up()
        await other.peer.begin()
        await other.peer.converse()
        other.anew(b"q")
        await other.hear()
        await other.say()
        assert (await user.wait("waiting"))["state"] == "shown"


@pytest.mark.parametrize("returns", [False, True])
async def test_a_link_that_breaks_between_the_values_ends_it(autojump_clock: MockClock, returns: bool) -> None:
    async with two() as (user, other):
        await user.begin()
        await other.hear()
        await other.say(replace(other.comparison.statement(), seen=b"", value=b""))
        assert len((await other.hear()).value) == 32
        if returns:
            await relinked(other)
        else:
            await other.peer.down()
        with pytest.raises(ConnectionLost, match="broke off"):
            await user.wait("waiting")


async def test_what_is_shown_may_be_answered_without_a_link(autojump_clock: MockClock) -> None:
    async with two() as (user, other):
        await shown(user, other)
        await relinked(other)
        await trio.sleep(1)
        assert (await user.answer("yes"))["state"] == "answered"
        assert await user.verified()


async def test_a_restart_forgets_it(autojump_clock: MockClock) -> None:
    disk = SimDisk()
    async with two(disk) as (user, other):
        await shown(user, other)
    async with running(disk=disk) as vault:
        user.vault = vault
        with pytest.raises(Failed, match="the daemon was started again"):
            await user.answer("yes")
        assert not await user.verified()


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


async def test_only_accepted_contacts_are_compared_with(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.add()
        who = user_id_text(peer.identity.user)
        with pytest.raises(Failed, match=f"{who[:11]} is requested"):
            await vault.call("compare.begin", peer=who)
