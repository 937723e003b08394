"""Comparing keys live, as the daemon does it: with a peer who goes along, breaks off, cheats, or is cut off."""

from dataclasses import replace

import pytest
import trio
from trio.testing import MockClock

from p2pchat.contacts.compare import Verdict
from p2pchat.errors import ConnectionLost, Failed
from p2pchat.ids import user_id_text
from tests.support.comparing import Other, shown, two
from tests.support.simdisk import SimDisk
from tests.support.vaults import Peer, running


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


async def test_only_accepted_contacts_are_compared_with(autojump_clock: MockClock) -> None:
    async with running() as vault:
        peer = Peer(vault)
        await peer.add()
        who = user_id_text(peer.identity.user)
        with pytest.raises(Failed, match=f"{who[:11]} is requested"):
            await vault.call("compare.begin", peer=who)
